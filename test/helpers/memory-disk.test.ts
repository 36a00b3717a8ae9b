import test from 'ava'
import fc from 'fast-check'
import { MemoryDisk } from './memory-disk.js'
import type { KeepUnsynced } from './memory-file-content.js'
import { type MemoryProcess, openProcess } from './memory-file-system.js'

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed)

test('a new file renamed over an old one without any sync: some power cut leaves it empty, short or zeroed, and some the old one', (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  const old = 'old'.repeat(2000)
  const fresh = 'fresh'.repeat(2000)
  put(process, '/state', old)
  process.syncDirectory('/')
  put(process, '/state.tmp', fresh, { sync: false })
  process.rename('/state.tmp', '/state')
  const found = new Set(SEEDS.map((seed) => text(after(disk, seed), '/state')))
  t.true(found.has(old), 'the rename may be lost')
  t.true(found.has(fresh), 'everything may have been written in time')
  t.true(found.has(''), 'an empty file')
  t.true(
    [...found].some((content) => content?.includes('\0') === true),
    'a hole of zeros',
  )
  t.false(found.has(undefined), 'never neither of them')
})

test('with the file synced before the rename and the directory after it, no power cut loses a byte', (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  put(process, '/state', 'old')
  process.syncDirectory('/')
  put(process, '/state.tmp', 'fresh'.repeat(2000))
  process.rename('/state.tmp', '/state')
  // Before the directory is synced: one or the other, whole.
  for (const seed of SEEDS) t.true(['old', 'fresh'.repeat(2000)].includes(text(after(disk, seed), '/state') ?? ''))
  process.syncDirectory('/')
  for (const keepUnsynced of ['none', 'all', 'random'] as const) {
    for (const seed of SEEDS) {
      const found = after(disk, seed, keepUnsynced)
      t.is(text(found, '/state'), 'fresh'.repeat(2000))
      t.deepEqual(found.list('/'), ['state'])
    }
  }
})

test('a new file needs its own entry synced, and its directory that one', (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  process.makeDirectory('/topic')
  put(process, '/topic/log', 'data')
  t.deepEqual(
    outcomes(disk, (found) => text(found, '/topic/log')),
    ['data', undefined],
  )
  process.syncDirectory('/topic')
  t.deepEqual(
    outcomes(disk, (found) => text(found, '/topic/log')),
    ['data', undefined],
    'the topic itself may be lost',
  )
  process.syncDirectory('/')
  t.deepEqual(
    outcomes(disk, (found) => text(found, '/topic/log')),
    ['data'],
  )
})

test('unsynced appends leave any mixture of their pages, of zeros, and of lengths, and never touch synced bytes', (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  const fd = process.open('/log', 'create-new')
  writeAt(process, fd, 0, 'a'.repeat(10_000))
  process.fdatasyncBlocking(fd)
  process.syncDirectory('/')
  writeAt(process, fd, 10_000, 'b'.repeat(30_000))
  const found = SEEDS.map((seed) => text(after(disk, seed), '/log') ?? '')
  t.true(found.every((content) => content.startsWith('a'.repeat(10_000))))
  t.true(found.every((content) => /^[b\0]*$/.test(content.slice(10_000)) && content.length <= 40_000))
  t.true(found.some((content) => content.length === 10_000))
  t.true(found.some((content) => content === 'a'.repeat(10_000) + 'b'.repeat(30_000)))
  t.true(
    found.some((content) => content.length === 40_000 && !content.includes('b')),
    'length ahead of data',
  )
  t.true(
    found.some((content) => /\0b/.test(content.slice(10_000))),
    'a later page without an earlier one',
  )
  t.true(
    found.some((content) => content.length > 10_000 && content.length < 40_000),
    'a length between',
  )
  t.is(text(after(disk, 1, 'none'), '/log'), 'a'.repeat(10_000))
  t.is(text(after(disk, 1, 'all'), '/log'), 'a'.repeat(10_000) + 'b'.repeat(30_000))
})

test('an overwrite in place may be torn between sectors, and is whole after a sync', (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  const fd = process.open('/lock', 'create-new')
  writeAt(process, fd, 0, 'a'.repeat(2048))
  process.fdatasyncBlocking(fd)
  process.syncDirectory('/')
  writeAt(process, fd, 0, 'b'.repeat(2048))
  const found = new Set(SEEDS.map((seed) => text(after(disk, seed), '/lock') ?? ''))
  t.true(found.has('a'.repeat(2048)) && found.has('b'.repeat(2048)))
  t.true([...found].some((content) => content.includes('ab') || content.includes('ba')))
  process.fdatasyncBlocking(fd)
  t.deepEqual(
    outcomes(disk, (found) => text(found, '/lock')),
    ['b'.repeat(2048)],
  )
})

test('an unsynced cut may come undone, and then nothing written behind it has survived', (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  const fd = process.open('/log', 'create-new')
  writeAt(process, fd, 0, 'a'.repeat(9000))
  process.fdatasyncBlocking(fd)
  process.syncDirectory('/')
  process.truncate(fd, 5000)
  t.deepEqual(
    outcomes(disk, (found) => text(found, '/log')?.length),
    [5000, 9000],
  )
  writeAt(process, fd, 5000, 'c'.repeat(4000))
  const found = SEEDS.map((seed) => text(after(disk, seed), '/log') ?? '')
  t.true(found.includes('a'.repeat(9000)))
  t.true(found.includes('a'.repeat(5000) + 'c'.repeat(4000)))
  t.true(found.every((content) => content.startsWith('a'.repeat(5000))))
  t.true(
    found.every((content) => !(content.includes('c') && content.slice(5000).includes('a'))),
    'no old bytes behind new ones',
  )
  process.fdatasyncBlocking(fd)
  t.deepEqual(
    outcomes(disk, (found) => text(found, '/log')),
    ['a'.repeat(5000) + 'c'.repeat(4000)],
  )
})

test('fdatasync() acknowledges what was written before it began, and nothing when the power went first', async (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  const fd = process.open('/log', 'create-new')
  process.syncDirectory('/')
  disk.holdSyncs = true
  writeAt(process, fd, 0, 'before')
  const sync = process.fdatasync(fd)
  writeAt(process, fd, 0, 'B')
  writeAt(process, fd, 6, ' after')
  t.is(text(after(disk, 1, 'none'), '/log'), '')
  disk.releaseSyncs()
  await sync
  t.is(text(after(disk, 1, 'none'), '/log'), 'before')
  t.is(text(after(disk, 1, 'all'), '/log'), 'Before after')

  disk.holdSyncs = true
  const late = process.fdatasync(fd)
  disk.crash({ seed: 1, keepUnsynced: 'none' })
  disk.releaseSyncs()
  await t.throwsAsync(late, { code: 'EIO' })
})

test('failSync() loses what was to be synced although the next sync succeeds', (t) => {
  for (const evict of [false, true]) {
    const disk = new MemoryDisk()
    const process = openProcess(disk)
    const fd = process.open('/log', 'create-new')
    process.syncDirectory('/')
    writeAt(process, fd, 0, 'lost')
    process.failSync(fd, evict)
    t.is(text(process, '/log'), evict ? '\0\0\0\0' : 'lost')
    process.fdatasyncBlocking(fd)
    t.deepEqual(
      outcomes(disk, (found) => text(found, '/log')),
      ['\0\0\0\0'],
    )
  }
})

test('a removal is lost or not until the directory is synced, and then stays', (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  put(process, '/log', 'data')
  process.syncDirectory('/')
  const fd = process.open('/log', 'read')
  process.unlink('/log')
  t.is(read(process, fd), 'data')
  process.close(fd)
  t.deepEqual(
    outcomes(disk, (found) => text(found, '/log')),
    ['data', undefined],
  )
  process.syncDirectory('/')
  t.deepEqual(
    outcomes(disk, (found) => text(found, '/log')),
    [undefined],
  )
})

test('a file keeps exactly one of its names through unsynced renames, also between directories', (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  process.makeDirectory('/a')
  process.makeDirectory('/b')
  put(process, '/a/x', 'data')
  process.syncDirectory('/a')
  process.syncDirectory('/')
  process.rename('/a/x', '/b/y')
  process.rename('/b/y', '/b/z')
  const names = (found: MemoryProcess) => [...found.list('/a'), ...found.list('/b')].join()
  t.deepEqual(outcomes(disk, names), ['x', 'y', 'z'])
  process.syncDirectory('/b')
  t.deepEqual(outcomes(disk, names), ['z'])
})

test('changes in one directory survive in order on some disks and out of order on others', (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  for (const name of ['1', '2', '3']) put(process, `/${name}`, '')
  const names = outcomes(disk, (found) => found.list('/').join(''))
  t.deepEqual(names, ['', '1', '12', '123', '13', '2', '23', '3'])
})

test('no power cut loses synced state or leaves a broken tree, whatever was done before', (t) => {
  const names = fc.constantFrom('/a', '/b', '/d', '/d/a', '/d/b', '/e', '/e/a', '/d/e', '/d/e/a')
  const step = fc.record({
    act: fc.constantFrom('put', 'rename', 'unlink', 'mkdir', 'rmdir', 'sync-directory', 'append', 'cut'),
    path: names,
    to: names,
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), (steps, seed) => {
      const disk = new MemoryDisk()
      const process = openProcess(disk)
      for (const { act, path, to } of steps) attempt(process, act, path, to)
      const everything = ['/', ...tree(process)]
      for (const keepUnsynced of ['none', 'all', 'random'] as const) {
        const found = disk.afterPowerCut({ seed, keepUnsynced })
        const paths = tree(openProcess(found))
        if (keepUnsynced === 'all') t.deepEqual(paths, tree(process))
        // Crashing again without doing anything changes nothing.
        for (const keepAgain of ['none', 'random'] as const) {
          const again = openProcess(found.afterPowerCut({ seed: seed + 1, keepUnsynced: keepAgain }))
          t.deepEqual(tree(again), paths)
          for (const path of paths) t.is(text(again, path), text(openProcess(found), path))
        }
      }
      // Once all is synced, all survives.
      for (const path of everything)
        if (path === '/' || process.pathStatus(path)?.kind === 'directory') process.syncDirectory(path)
      for (const path of everything) syncFile(process, path)
      const whole = tree(process).map((path) => [path, text(process, path)])
      const found = after(disk, seed)
      t.deepEqual(
        tree(found).map((path) => [path, text(found, path)]),
        whole,
      )
      const numbers = tree(found).map((path) => found.pathStatus(path)?.inode)
      t.is(new Set(numbers).size, numbers.length)
    }),
    { numRuns: 300 },
  )
})

test('after a power cut every call of every process is EIO, and the same moment gives other disks by other seeds', async (t) => {
  const disk = new MemoryDisk()
  const process = openProcess(disk)
  const fd = process.open('/log', 'create-new')
  writeAt(process, fd, 0, 'x')
  const lengths = new Set(SEEDS.map((seed) => openProcess(disk.crash({ seed, keepUnsynced: 'random' })).list('/').length))
  t.is(lengths.size, 2)
  const calls = [
    () => process.open('/log', 'read'),
    () => process.read(fd, new Uint8Array(1), 0, 1, 0),
    () => writeAt(process, fd, 0, 'x'),
    () => process.truncate(fd, 0),
    () => process.fdatasyncBlocking(fd),
    () => process.fileStatus(fd),
    () => process.pathStatus('/log'),
    () => process.list('/'),
    () => process.rename('/log', '/other'),
    () => process.unlink('/log'),
    () => process.makeDirectory('/d'),
    () => process.removeDirectory('/d'),
    () => process.syncDirectory('/'),
    () => process.tryLock(fd, false),
    () => process.close(fd),
    () => openProcess(disk).list('/'),
  ]
  for (const call of calls) t.throws(call, { code: 'EIO' }, call.toString())
  await t.throwsAsync(process.fdatasync(fd), { code: 'EIO' })
})

test('kill() frees descriptors and locks and keeps the page cache; the killed process can do nothing more', async (t) => {
  const disk = new MemoryDisk()
  const [killed, other] = [openProcess(disk), openProcess(disk)]
  const fd = killed.open('/log', 'create-new')
  writeAt(killed, fd, 0, 'unsynced')
  t.true(killed.tryLock(fd, false))
  const otherFd = other.open('/log', 'read-write')
  t.false(other.tryLock(otherFd, false))
  const waiting = other.waitForLock(otherFd, false)
  killed.kill()
  await waiting
  t.is(text(other, '/log'), 'unsynced')
  t.throws(() => writeAt(killed, fd, 0, 'zombie'), { code: 'EIO' })
  t.throws(() => killed.unlink('/log'), { code: 'EIO' })
  t.is(killed.openDescriptors, 0)
})

test('locks: exclusive excludes, shared share, a holder may change its own, closing lets go, read-only cannot exclude', async (t) => {
  const disk = new MemoryDisk()
  const [one, two] = [openProcess(disk), openProcess(disk)]
  const a = one.open('/lock', 'create-new')
  const b = one.open('/lock', 'read-write')
  const c = two.open('/lock', 'read')
  t.throws(() => two.tryLock(c, false), { code: 'EBADF' })
  t.true(one.tryLock(a, false))
  t.false(one.tryLock(b, true), 'another description of the same process conflicts')
  t.true(one.tryLock(a, true))
  t.true(two.tryLock(c, true))
  t.false(one.tryLock(a, false))
  two.unlock(c)
  t.true(one.tryLock(a, false))

  const order: string[] = []
  const note = (name: string) => () => {
    order.push(name)
  }
  const first = one.waitForLock(b, false).then(note('b'))
  const second = two.waitForLock(c, true).then(note('c'))
  await Promise.resolve()
  t.deepEqual(order, [])
  // A descriptor that is closed while it waits gets the lock late, and keeps nobody out.
  one.close(b)
  one.close(a)
  await Promise.all([first, second])
  t.deepEqual(order, ['b', 'c'])
  t.false(one.tryLock(one.open('/lock', 'read-write'), false))
  two.close(c)
  t.true(one.tryLock(one.open('/lock', 'read-write'), false))
})

test('a full disk gives a short write and then ENOSPC, and room again after a cut or a removal', (t) => {
  const disk = new MemoryDisk({ capacityBytes: 3 * 4096 })
  const process = openProcess(disk)
  const fd = process.open('/log', 'create-new')
  t.is(process.write(fd, new Uint8Array(20_000), 0, 20_000, 0), 3 * 4096)
  t.throws(() => writeAt(process, fd, 3 * 4096, 'x'), { code: 'ENOSPC' })
  t.notThrows(() => writeAt(process, fd, 100, 'in place'))
  process.truncate(fd, 4096)
  t.is(disk.usedBytes, 4096)
  put(process, '/other', 'x'.repeat(8192))
  t.throws(() => put(process, '/third', 'x'), { code: 'ENOSPC' })
  process.unlink('/other')
  t.is(disk.usedBytes, 4096)
  process.unlink('/log')
  t.is(disk.usedBytes, 4096, 'an open file holds its room')
  process.close(fd)
  t.is(disk.usedBytes, 0)
})

test('the number of a removed file comes back with the next one', (t) => {
  const process = openProcess(new MemoryDisk())
  put(process, '/a', '')
  const first = process.pathStatus('/a')?.inode
  process.unlink('/a')
  put(process, '/b', '')
  t.is(process.pathStatus('/b')?.inode, first)
})

test('modification times come from the clock that the disk was given', (t) => {
  let nowMs = 1000
  const process = openProcess(new MemoryDisk({ nowMs: () => nowMs }))
  const fd = process.open('/a', 'create-new')
  nowMs = 2000
  writeAt(process, fd, 0, 'x')
  nowMs = 3000
  t.is(process.fileStatus(fd).modifiedMs, 2000)
  t.is(process.pathStatus('/')?.modifiedMs, 1000)
})

function after(disk: MemoryDisk, seed: number, keepUnsynced: KeepUnsynced = 'random'): MemoryProcess {
  return openProcess(disk.afterPowerCut({ seed, keepUnsynced }))
}

/** The different results over many seeds, sorted, undefined last. */
function outcomes<T extends string | number | undefined>(disk: MemoryDisk, look: (found: MemoryProcess) => T): T[] {
  const found = [...new Set(SEEDS.map((seed) => look(after(disk, seed))))]
  return found.sort((a, b) => (String(a) < String(b) ? -1 : 1))
}

function put(process: MemoryProcess, path: string, content: string, { sync = true } = {}): void {
  const fd = process.open(path, 'create')
  process.truncate(fd, 0)
  writeAt(process, fd, 0, content)
  if (sync) process.fdatasyncBlocking(fd)
  process.close(fd)
}

function writeAt(process: MemoryProcess, fd: number, position: number, content: string): void {
  const bytes = Buffer.from(content)
  process.write(fd, bytes, 0, bytes.length, position)
}

function read(process: MemoryProcess, fd: number): string {
  const buffer = Buffer.alloc(process.fileStatus(fd).sizeBytes)
  process.read(fd, buffer, 0, buffer.length, 0)
  return buffer.toString('latin1')
}

function text(process: MemoryProcess, path: string): string | undefined {
  if (process.pathStatus(path)?.kind !== 'file') return undefined
  const fd = process.open(path, 'read')
  const content = read(process, fd)
  process.close(fd)
  return content
}

function tree(process: MemoryProcess, from = ''): string[] {
  const paths: string[] = []
  for (const name of process.list(from === '' ? '/' : from)) {
    const path = `${from}/${name}`
    paths.push(path)
    if (process.pathStatus(path)?.kind === 'directory') paths.push(...tree(process, path))
  }
  return paths
}

function syncFile(process: MemoryProcess, path: string): void {
  if (process.pathStatus(path)?.kind !== 'file') return
  const fd = process.open(path, 'read')
  process.fdatasyncBlocking(fd)
  process.close(fd)
}

function attempt(process: MemoryProcess, act: string, path: string, to: string): void {
  try {
    if (act === 'put') put(process, path, path.repeat(1000), { sync: to.length % 2 === 0 })
    else if (act === 'rename') process.rename(path, to)
    else if (act === 'unlink') process.unlink(path)
    else if (act === 'mkdir') process.makeDirectory(path)
    else if (act === 'rmdir') process.removeDirectory(path)
    else if (act === 'sync-directory') process.syncDirectory(path)
    else {
      const fd = process.open(path, 'read-write')
      if (act === 'append') writeAt(process, fd, process.fileStatus(fd).sizeBytes, to.repeat(500))
      else process.truncate(fd, Math.floor(process.fileStatus(fd).sizeBytes / 2))
      process.close(fd)
    }
  } catch {
    // Steps that cannot be done are skipped.
    return
  }
}
