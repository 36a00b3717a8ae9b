import test from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { BatchPlaces } from '../../lib/log/batch-places.js'
import { createPartition, markPartitionDeleted, removePartitionDirectory } from '../../lib/log/create-partition.js'
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX } from '../../lib/log/file-names.js'
import { readStateBlock } from '../../lib/log/log-view.js'
import { Log } from '../../lib/log/log.js'
import { PartitionLock } from '../../lib/log/partition-lock.js'
import { readRecoveryPoint } from '../../lib/log/recovery-point-file.js'
import type { PartitionStatus } from '../../lib/log/state-block.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { judgeIndexes } from '../crash/judge-log.js'
import {
  DIRECTORY,
  START_MS,
  bases,
  batch,
  batchOfRecords,
  beside,
  createTiny,
  fill,
  pathOf,
  readAll,
  readFile,
  sizeOf,
  tinyContext,
} from './tiny-log.js'

const OWNERSHIP = { userId: 0, groupId: 0, fileMode: 0o600, directoryMode: 0o700 }

test('Log.append() stamps offsets in order, and readers see the records', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  const log = Log.open(context)
  t.deepEqual(await log.append(batch(['a', 'b'])), { baseOffset: 0, lastOffset: 1 })
  t.deepEqual(await log.append(batch(['c'])), { baseOffset: 2, lastOffset: 2 })
  t.is(log.appendedOffset, 3)
  t.deepEqual(await readAll(context), ['0:a', '1:b', '2:c'])
  await log.close()
})

test('Log.append() by several processes in turn leaves one contiguous log', async (t) => {
  const first = createFakeSystem()
  createTiny(first, { segmentBytes: 500 })
  const systems = [first, beside(first, { pid: 2 }), beside(first, { pid: 3 })]
  const logs = systems.map((system) => Log.open(tinyContext(system, { segmentBytes: 500 })))
  const expected: string[] = []
  for (let n = 0; n < 30; n += 1) {
    const { baseOffset } = (await logs[(n * 7) % 3]?.append(batch([`v${n}`], START_MS + n))) ?? { baseOffset: -1 }
    expected.push(`${baseOffset}:v${n}`)
    if (n % 5 === 4) await logs[n % 3]?.sync()
  }
  t.true(bases(first).length > 3)
  t.deepEqual(await readAll(tinyContext(first)), expected)
  t.deepEqual(
    expected.map((record) => Number(record.split(':')[0])),
    [...expected.keys()],
  )
  await judgeIndexes(tinyContext(first))
  for (const log of logs) await log.close()
  for (const system of systems) t.is(system.process.openDescriptors, 0)
})

test('Log.append() and sync() of many tasks of one process at once neither mix nor stop each other', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 700 })
  const log = Log.open(context)
  const other = Log.open(tinyContext(beside(system), { segmentBytes: 700 }))
  const offsets: number[] = []
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const range = await (n % 4 === 3 ? other : log).append(batch([`v${n}`]))
      offsets.push(range.baseOffset)
      await log.sync()
    }),
  )
  await log.sync()
  t.deepEqual(
    offsets.sort((a, b) => a - b),
    [...Array(40).keys()],
  )
  const records = await readAll(context)
  t.is(new Set(records.map((record) => record.split(':')[1])).size, 40)
  await log.close()
  await other.close()
})

test('Log.sync() is in flight at most once, and acknowledges only what was written before it began', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  const log = Log.open(context)
  await log.append(batch(['a']))
  system.disk.holdSyncs = true
  let done = 0
  const syncs = [log.sync(), log.sync()].map((sync) => sync.then(() => (done += 1)))
  await system.clock.sleep(1)
  await log.append(batch(['b']))
  const late = log.sync().then(() => (done += 1))
  await system.clock.sleep(1)
  t.is(system.fs.operations.filter(({ operation }) => operation === 'fdatasync').length, 1)
  t.is(done, 0)
  system.disk.releaseSyncs()
  await Promise.all([...syncs, late])
  t.is(system.fs.operations.filter(({ operation }) => operation === 'fdatasync').length, 2)
  t.is(readRecoveryPoint(context)?.offset, 2)
})

test('a sync acknowledges what was written before it began and no more, whoever appends meanwhile', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  const log = Log.open(context)
  const other = Log.open(tinyContext(beside(system)))
  await log.append(batch(['a']))
  system.disk.holdSyncs = true
  const synced = log.sync()
  await system.clock.sleep(1)
  await other.append(batch(['b']))
  await log.append(batch(['c']))
  system.disk.releaseSyncs()
  system.disk.holdSyncs = true
  await system.clock.sleep(1)
  t.is(readRecoveryPoint(context)?.offset, 1)
  t.is(readStateBlock(context)?.syncedOffset, 1)
  system.disk.releaseSyncs()
  await synced
  t.is(readRecoveryPoint(context)?.offset, 3)
  await log.close()
  await other.close()
})

/** Fails the test when a descriptor is closed while an fdatasync of it is under way: the number may be another file's by then. */
function watchSyncedDescriptors(system: FakeSystem): string[] {
  const broken: string[] = []
  const syncing = new Set<number>()
  const { fs } = system
  const { fdatasync, close } = { fdatasync: fs.fdatasync.bind(fs), close: fs.close.bind(fs) }
  fs.fdatasync = async (fd) => {
    syncing.add(fd)
    await fdatasync(fd)
    syncing.delete(fd)
  }
  fs.close = (fd) => {
    if (syncing.has(fd)) broken.push(`descriptor ${fd} was closed`)
    close(fd)
  }
  return broken
}

for (const roller of ['this process', 'another process'] as const) {
  test(`a roll by ${roller} does not close the file that is being synced`, async (t) => {
    const system = createFakeSystem()
    const context = createTiny(system, { segmentBytes: 220 })
    const broken = watchSyncedDescriptors(system)
    const log = Log.open(context)
    const other = Log.open(tinyContext(beside(system), { segmentBytes: 220 }))
    for (const value of ['a', 'b', 'c']) await log.append(batch([value]))
    system.disk.holdSyncs = true
    const sync = log.sync()
    await system.clock.sleep(1)
    if (roller === 'another process') await other.append(batch(['d']))
    await log.append(batch(['e']))
    t.true(bases(system).length > 1)
    system.disk.releaseSyncs()
    await sync
    await log.sync()
    await log.close()
    await other.close()
    t.deepEqual(broken, [])
    t.is(system.process.openDescriptors, 0)
  })
}

test('a segment is rolled before it would become larger than segment.bytes, and never empty', async (t) => {
  const system = createFakeSystem()
  const oneBatch = batch(['x']).bytes.length
  const context = createTiny(system, { segmentBytes: 3 * oneBatch })
  const log = Log.open(context)
  for (let n = 0; n < 7; n += 1) await log.append(batch(['x']))
  t.deepEqual(bases(system), [0, 3, 6])
  t.is(sizeOf(system, pathOf(0)), 3 * oneBatch)
  const large = batch(['x'.repeat(1000)])
  await log.append(large)
  await log.append(large)
  t.deepEqual(bases(system), [0, 3, 6, 7, 8])
})

test('a segment is rolled when its timestamps span more than segment.ms', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentMs: 1000 })
  const log = Log.open(context)
  for (const ms of [0, 500, 1000, 1001, 1002, 2001, 2002]) await log.append(batch(['x'], START_MS + ms))
  t.deepEqual(bases(system), [0, 3, 6])
  // What has no timestamp has no age.
  await log.append(batch(['x'], -1))
  t.deepEqual(bases(system), [0, 3, 6])
})

test('a changed configuration is obeyed by the next append', async (t) => {
  const system = createFakeSystem()
  createTiny(system)
  let segmentBytes = 1 << 20
  const log = Log.open({ ...tinyContext(system), config: () => ({ segmentBytes, segmentMs: 1e12, indexIntervalBytes: 0 }) })
  await log.append(batch(['a']))
  segmentBytes = 100
  await log.append(batch(['b']))
  t.deepEqual(bases(system), [0, 1])
})

test('a segment that is closed has an index entry for its largest timestamp, and is synced with its indexes', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 300, indexIntervalBytes: 4096 })
  const log = Log.open(context)
  for (const [n, value] of ['a', 'b', 'c', 'd', 'e'].entries()) await log.append(batch([value], START_MS + n))
  const disk = system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'none' })
  const rebooted = beside(system, { disk, rebooted: true })
  t.is(sizeOf(rebooted, pathOf(0, TIME_INDEX_SUFFIX)), 12)
  t.deepEqual(readFile(rebooted, pathOf(0)), readFile(system, pathOf(0)))
  t.deepEqual(await readAll(tinyContext(rebooted)), ['0:a', '1:b', '2:c', '3:d'].slice(0, bases(rebooted)[1]))
})

test('Log.append() writes each batch with one write, and syncs nothing', async (t) => {
  const system = createFakeSystem()
  const log = Log.open(createTiny(system))
  await log.append(batch(['a']))
  const from = system.fs.operations.length
  await log.append(batch(['x'.repeat(1 << 19)]))
  const operations = system.fs.operations.slice(from)
  t.is(operations.filter(({ operation, path }) => operation === 'write' && path.endsWith('.log')).length, 1)
  t.false(operations.some(({ operation }) => operation.includes('ync')))
})

test('an index that somebody deleted is built anew by the next process that appends', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { indexIntervalBytes: 100 })
  await fill(context, [['a'], ['b'], ['c'], ['d'], ['e']])
  const suffixes = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const
  const before = suffixes.map((suffix) => readFile(system, pathOf(0, suffix)))
  t.true((before[0]?.length ?? 0) > 0)
  for (const gone of [suffixes.slice(0, 1), suffixes.slice(1), suffixes]) {
    for (const suffix of gone) system.fs.unlink(pathOf(0, suffix))
    t.is((await readAll(tinyContext(system))).length, sizeOfLog(system))
    const log = Log.open(tinyContext(system, { indexIntervalBytes: 100 }))
    await log.append(batch(['more'], START_MS + 100))
    await log.sync()
    await log.close()
    for (const [n, suffix] of suffixes.entries()) {
      const rebuilt = readFile(system, pathOf(0, suffix)).subarray(0, before[n]?.length)
      t.deepEqual(rebuilt, before[n])
    }
    await judgeIndexes(context)
  }
})

function sizeOfLog(system: FakeSystem): number {
  const fd = system.fs.open(pathOf(0), 'read')
  const batches = [...new BatchPlaces(system.fs, fd).from(0)]
  system.fs.close(fd)
  return (batches.at(-1)?.lastOffset ?? -1) + 1
}

test('Log.open() of a partition that is not there says that the topic was removed', (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  removePartitionDirectory(system, DIRECTORY)
  const error = t.throws(() => Log.open(context))
  t.true(isLogqError(error, 'LOGQ_TOPIC_REMOVED'))
})

test('a lock file that somebody deleted is made anew, and the log is recovered', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  await fill(context, [['a'], ['b']])
  system.fs.unlink(`${DIRECTORY}/lock`)
  await fill(context, [['c']])
  t.deepEqual(await readAll(context), ['0:a', '1:b', '2:c'])
})

test('Log.append() and sync() refuse a partition that was removed, also when another stands in its place', async (t) => {
  for (const recreate of [false, true]) {
    const system = createFakeSystem()
    const context = createTiny(system)
    const log = Log.open(context)
    await log.append(batch(['a']))
    const other = beside(system)
    await markPartitionDeleted(other, DIRECTORY, {})
    other.fs.rename(DIRECTORY, '/store/.removed-0')
    if (recreate) createPartition(other, DIRECTORY, OWNERSHIP)
    t.true(isLogqError(await t.throwsAsync(log.append(batch(['b']))), 'LOGQ_TOPIC_REMOVED'))
    t.true(isLogqError(await t.throwsAsync(log.sync()), 'LOGQ_TOPIC_REMOVED'))
    await log.close()
    if (recreate) t.deepEqual(await readAll(tinyContext(other)), [])
  }
})

test('an append that waits while the partition is removed finds it removed', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  const log = Log.open(context)
  const other = beside(system)
  const lock = PartitionLock.open(other, DIRECTORY)
  await lock.acquire({})
  const waiting = log.append(batch(['a']))
  const state = lock.readState()
  if (state === undefined) return t.fail()
  lock.writeState({ ...state, status: 'deleted', valid: false })
  other.fs.rename(DIRECTORY, '/store/.removed-0')
  createPartition(other, DIRECTORY, OWNERSHIP)
  lock.release()
  t.true(isLogqError(await t.throwsAsync(waiting), 'LOGQ_TOPIC_REMOVED'))
})

const REFUSALS: readonly (readonly [PartitionStatus, 'LOGQ_CONFLICT' | 'LOGQ_SYNC_FAILED'])[] = [
  ['follower', 'LOGQ_CONFLICT'],
  ['sealed', 'LOGQ_CONFLICT'],
  ['sync-failed', 'LOGQ_SYNC_FAILED'],
]

for (const [status, code] of REFUSALS) {
  test(`Log.append() to a partition that is ${status} throws ${code}, also in a process that has it open`, async (t) => {
    const system = createFakeSystem()
    const context = createTiny(system)
    const open = Log.open(context)
    await open.append(batch(['a']))
    await open.sync()
    const lock = PartitionLock.open(system, DIRECTORY)
    const state = lock.readState()
    if (state === undefined) return t.fail()
    for (const valid of [true, false]) {
      lock.writeState({ ...state, status, valid })
      for (const log of [open, Log.open(tinyContext(beside(system)))]) {
        t.true(isLogqError(await t.throwsAsync(log.append(batch(['b']))), code))
      }
    }
    t.deepEqual(await readAll(context), ['0:a'])
  })
}

test('Log.append() with wait no says who holds the lock, and with a signal stops waiting', async (t) => {
  const system = createFakeSystem({ pid: 41 })
  const context = createTiny(system)
  const holder = PartitionLock.open(system, DIRECTORY)
  await holder.acquire({})
  holder.noteHolder(undefined)
  const log = Log.open(tinyContext(beside(system, { pid: 42 })))
  const busy = await t.throwsAsync(log.append(batch(['a']), { wait: 'no' }))
  t.true(isLogqError(busy, 'LOGQ_BUSY'))
  t.regex(busy.message, /process 41$/)

  const stop = new AbortController()
  const waited = log.append(batch(['a']), { signal: stop.signal })
  stop.abort()
  t.true(isLogqError(await t.throwsAsync(waited), 'LOGQ_ABORTED'))
  t.true(isLogqError(await t.throwsAsync(log.append(batch(['a']), { signal: AbortSignal.abort() })), 'LOGQ_ABORTED'))

  holder.release()
  await system.clock.sleep(1)
  t.deepEqual(await log.append(batch(['b'])), { baseOffset: 0, lastOffset: 0 })
  t.deepEqual(await readAll(context), ['0:b'])
})

test('Log.append() names the holder once it has waited 5 s, and goes on when the lock is free', async (t) => {
  const system = createFakeSystem({ pid: 41 })
  createTiny(system)
  const holder = PartitionLock.open(system, DIRECTORY)
  await holder.acquire({})
  holder.noteHolder(undefined)
  system.clock.advancesByItself = false
  const named: number[] = []
  const log = Log.open(tinyContext(beside(system, { pid: 42 })))
  const waiting = log.append(batch(['a']), { onLongWait: (pid) => named.push(pid) })
  await system.clock.advance(4999)
  t.deepEqual(named, [])
  await system.clock.advance(1)
  t.deepEqual(named, [41])
  await system.clock.advance(60_000)
  holder.release()
  t.is((await waiting).baseOffset, 0)
  t.deepEqual(named, [41])
})

test('a process that is killed while it holds the lock does not keep others from it', async (t) => {
  const system = createFakeSystem()
  createTiny(system)
  const dying = beside(system)
  await PartitionLock.open(dying, DIRECTORY).acquire({})
  const waiting = Log.open(tinyContext(system)).append(batch(['a']))
  dying.process.kill()
  t.is((await waiting).baseOffset, 0)
})

test('the state block says after each append where the log ends', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  const log = Log.open(context)
  await log.append(
    batchOfRecords([
      { value: null, timestampMs: START_MS + 5 },
      { value: null, timestampMs: START_MS },
    ]),
  )
  const state = readStateBlock(context)
  t.like(state, {
    status: 'live',
    valid: true,
    logEndOffset: 2,
    syncedOffset: 0,
    maxTimestampMs: START_MS + 5,
    maxTimestampOffset: 1,
    firstTimestampMs: START_MS + 5,
    logBytes: sizeOf(system, pathOf(0)),
    holderPid: system.self.pid,
  })
  await log.sync()
  t.is(readStateBlock(context)?.syncedOffset, 2)
})

test('Log.close() leaves no descriptor open, whatever was done before', async (t) => {
  const system = createFakeSystem()
  createTiny(system, { segmentBytes: 200 })
  const log = Log.open(tinyContext(system, { segmentBytes: 200 }))
  for (let n = 0; n < 5; n += 1) {
    await log.append(batch(['x']))
    await fill(tinyContext(beside(system), { segmentBytes: 200 }), [['y']])
  }
  await log.sync()
  await log.close()
  t.is(system.process.openDescriptors, 0)
})
