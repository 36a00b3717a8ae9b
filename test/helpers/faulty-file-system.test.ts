import test from 'ava'
import { CrashSignal, FaultyFileSystem } from './faulty-file-system.js'
import { MemoryDisk } from './memory-disk.js'
import { openProcess } from './memory-file-system.js'

function setUp() {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  return { disk, process, faulty: new FaultyFileSystem(process) }
}

const bytes = Buffer.from('0123456789')

test('the n-th matching call fails, once, and other paths and operations do not count', (t) => {
  const { faulty } = setUp()
  const log = faulty.open('/0.log', 'create')
  const index = faulty.open('/0.index', 'create')
  faulty.failNth({ operation: 'write', pathIncludes: '.log', nth: 2, code: 'ENOSPC' })
  faulty.write(log, bytes, 0, 10, 0)
  faulty.write(index, bytes, 0, 10, 0)
  faulty.truncate(log, 5)
  t.throws(() => faulty.write(log, bytes, 0, 10, 0), { code: 'ENOSPC', message: /0\.log/ })
  t.is(faulty.fileStatus(log).sizeBytes, 5)
  t.is(faulty.write(log, bytes, 0, 10, 0), 10)
})

test('a persistent fault goes on until reset', (t) => {
  const { faulty } = setUp()
  faulty.failNth({ operation: 'list', code: 'EIO', persistent: true, nth: 2 })
  faulty.list('/')
  for (let i = 0; i < 3; i += 1) t.throws(() => faulty.list('/'), { code: 'EIO' })
  faulty.reset()
  t.notThrows(() => faulty.list('/'))
})

test('a short write writes less and says so, and the next one fails', (t) => {
  const { faulty } = setUp()
  const fd = faulty.open('/log', 'create')
  faulty.failNth({ operation: 'write', code: 'ENOSPC', shortBy: 3 })
  t.is(faulty.write(fd, bytes, 0, 10, 0), 7)
  t.is(faulty.fileStatus(fd).sizeBytes, 7)
  t.throws(() => faulty.write(fd, bytes, 7, 3, 7), { code: 'ENOSPC' })
  t.is(faulty.write(fd, bytes, 7, 3, 7), 3)
  faulty.failNth({ operation: 'write', code: 'EFBIG', shortBy: 10 })
  t.throws(() => faulty.write(fd, bytes, 0, 10, 0), { code: 'EFBIG' })
})

test('an fdatasync that fails is not done, and tells who wants to know', async (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  const told: number[] = []
  const faulty = new FaultyFileSystem(process, { onSyncFailure: (fd) => told.push(fd) })
  const fd = faulty.open('/log', 'create')
  faulty.syncDirectory('/')
  faulty.write(fd, bytes, 0, 10, 0)
  faulty.failNth({ operation: 'fdatasync', code: 'EIO' })
  faulty.failNth({ operation: 'fdatasyncBlocking', code: 'EIO' })
  await t.throwsAsync(faulty.fdatasync(fd), { code: 'EIO' })
  t.throws(() => faulty.fdatasyncBlocking(fd), { code: 'EIO' })
  t.deepEqual(told, [fd, fd])
  t.is(openProcess(disk.afterPowerCut({ seed: 1, keepUnsynced: 'none' })).pathStatus('/log')?.sizeBytes, 0)
})

test('operations are recorded with paths, also of descriptors after a rename, and mutations are counted', (t) => {
  const { faulty } = setUp()
  faulty.makeDirectory('/d')
  const fd = faulty.open('/d/a', 'create-new')
  faulty.write(fd, bytes, 0, 4, 0)
  faulty.rename('/d/a', '/d/b')
  faulty.truncate(fd, 2)
  faulty.rename('/d', '/e')
  faulty.fileStatus(fd)
  faulty.close(fd)
  t.deepEqual(faulty.operations, [
    { operation: 'makeDirectory', path: '/d', mutation: 1 },
    { operation: 'open', path: '/d/a', mode: 'create-new', mutation: 2 },
    { operation: 'write', path: '/d/a', position: 0, length: 4, mutation: 3 },
    { operation: 'rename', path: '/d/a', to: '/d/b', mutation: 4 },
    { operation: 'truncate', path: '/d/b', length: 2, mutation: 5 },
    { operation: 'rename', path: '/d', to: '/e', mutation: 6 },
    { operation: 'fileStatus', path: '/e/b' },
    { operation: 'close', path: '/e/b' },
  ])
  t.is(faulty.mutations, 6)
})

test('crashBefore(n) lets n-1 mutations through and nothing after, not even from a clean-up or an fdatasync that was under way', async (t) => {
  const work = async (faulty: FaultyFileSystem) => {
    const fd = faulty.open('/log', 'create-new')
    try {
      faulty.write(fd, bytes, 0, 10, 0)
      await faulty.fdatasync(fd)
      faulty.syncDirectory('/')
    } catch (error) {
      faulty.truncate(fd, 0)
      throw error
    } finally {
      faulty.close(fd)
    }
  }
  const whole = setUp()
  await work(whole.faulty)
  t.is(whole.faulty.mutations, 4)
  const sizes: (number | undefined)[] = []
  for (let n = 1; n <= 5; n += 1) {
    const { faulty, process } = setUp()
    faulty.crashBefore(n)
    if (n <= 4) {
      const error = await t.throwsAsync(work(faulty), { instanceOf: CrashSignal })
      t.is(error.mutation, n)
    } else {
      await work(faulty)
    }
    t.is(faulty.hasCrashed, n <= 4)
    t.is(faulty.mutations, Math.min(n - 1, 4))
    sizes.push(process.pathStatus('/log')?.sizeBytes)
  }
  t.deepEqual(sizes, [undefined, 0, 10, 10, 10])

  const { disk, faulty } = setUp()
  const fd = faulty.open('/log', 'create-new')
  disk.holdSyncs = true
  const sync = faulty.fdatasync(fd)
  faulty.crashBefore(3)
  t.throws(() => faulty.unlink('/log'), { instanceOf: CrashSignal })
  disk.releaseSyncs()
  await t.throwsAsync(sync, { instanceOf: CrashSignal })
})
