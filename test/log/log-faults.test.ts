import test from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { listSegments, logEndOffset } from '../../lib/log/log-view.js'
import { Log, UncertainAppendError } from '../../lib/log/log.js'
import { readRecoveryPoint } from '../../lib/log/recovery-point-file.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import type { Fault } from '../helpers/faulty-file-system.js'
import { appendOnce, judgeIndexes, judgeLitter } from '../crash/judge-log.js'
import { check } from '../maintain/damaged-partition.js'
import {
  DIRECTORY,
  START_MS,
  batch,
  beside,
  createTiny,
  fill,
  names,
  readAll,
  sizeOf,
  pathOf,
  tinyContext,
} from './tiny-log.js'

const CONFIG = { segmentBytes: 400 }

/** Appends and syncs value by value, over whatever fails. Gives what was acknowledged, and by which call. */
async function struggle(system: FakeSystem): Promise<{ appended: string[]; synced: string[]; failures: unknown[] }> {
  const appended: string[] = []
  let synced: string[] = []
  const failures: unknown[] = []
  const log = Log.open(tinyContext(system, CONFIG))
  for (let n = 0; n < 10; n += 1) {
    try {
      const { baseOffset } = await log.append(batch([`v${n}`], START_MS + n))
      appended.push(`${baseOffset}:v${n}`)
      if (n % 2 === 1) {
        const before = [...appended]
        await log.sync()
        synced = before
      }
    } catch (error) {
      failures.push(error)
    }
  }
  await log.close()
  return { appended, synced, failures }
}

const FILES = [
  ['.log', 10],
  ['.index', 8],
  ['.timeindex', 8],
  ['/lock', 20],
  ['/recovery-point', 5],
] as const

const WAYS: readonly (readonly [string, Partial<Fault>])[] = [
  ['ENOSPC', { code: 'ENOSPC' }],
  ['EIO', { code: 'EIO' }],
  ['a short write, then ENOSPC', { code: 'ENOSPC', shortBy: 3 }],
]

for (const [file, most] of FILES) {
  for (const [what, way] of WAYS) {
    test(`${what} at any write to *${file}: what failed is not there, what was acknowledged is, and the log goes on`, async (t) => {
      for (let nth = 1; nth <= most; nth += 1) {
        const system = createFakeSystem()
        await fill(createTiny(system, CONFIG), [['first']])
        const writer = beside(system)
        writer.fs.failNth({ operation: 'write', pathIncludes: file, nth, code: 'EIO', ...way })
        const { appended, synced, failures } = await struggle(writer)
        for (const failure of failures) {
          t.true(isLogqError(failure), `write ${nth}: ${String(failure)}`)
        }
        const context = tinyContext(beside(system, { pid: 1500 }), CONFIG)
        t.deepEqual(await readAll(context), ['0:first', ...appended], `write ${nth}`)
        t.is(await appendOnce(context), 1 + appended.length, `write ${nth}`)
        await judgeIndexes(context)
        judgeLitter(system)
        const disk = system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'none' })
        const rebooted = tinyContext(beside(system, { disk, rebooted: true, pid: 1600 }), CONFIG)
        const left = new Set(await readAll(rebooted))
        t.deepEqual(
          synced.filter((record) => !left.has(record)),
          [],
          `write ${nth}`,
        )
      }
    })
  }
}

test('a full disk refuses an append with the reason and what to do, and takes the next one when there is room', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  const log = Log.open(context)
  await log.append(batch(['a']))
  system.fs.failNth({ operation: 'write', pathIncludes: '.log', code: 'ENOSPC', persistent: true })
  const before = sizeOf(system, pathOf(0))
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const error = await t.throwsAsync(log.append(batch(['b'])))
    t.true(isLogqError(error, 'LOGQ_IO'))
    t.regex(error.message, /^cannot append to '[^']*\.log': no space left on device$/)
    t.regex(isLogqError(error) ? (error.hint ?? '') : '', /free space/)
    t.is(sizeOf(system, pathOf(0)), before)
  }
  system.fs.reset()
  t.deepEqual(await log.append(batch(['c'])), { baseOffset: 1, lastOffset: 1 })
  await log.close()
  t.deepEqual(await readAll(context), ['0:a', '1:c'])
})

test('a short write that cannot be cut off again is cut by the next append', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  const log = Log.open(context)
  await log.append(batch(['a']))
  system.fs.failNth({ operation: 'write', pathIncludes: '.log', code: 'ENOSPC', shortBy: 20 })
  system.fs.failNth({ operation: 'truncate', pathIncludes: '.log', code: 'EIO' })
  const error = await t.throwsAsync(log.append(batch(['b'])))
  t.false(error instanceof UncertainAppendError, 'it is not whole')
  system.fs.reset()
  t.deepEqual(await readAll(context), ['0:a'])
  t.deepEqual(await log.append(batch(['c'])), { baseOffset: 1, lastOffset: 1 })
  await log.close()
  t.deepEqual(await readAll(context), ['0:a', '1:c'])
})

test('a whole batch that cannot be cut off again after a failure is said to be there, perhaps', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  const log = Log.open(context)
  for (const value of ['a', 'b']) await log.append(batch([value]))
  system.fs.failNth({ operation: 'write', pathIncludes: '/lock', code: 'EIO' })
  system.fs.failNth({ operation: 'truncate', pathIncludes: '.log', code: 'EIO' })
  const error = await t.throwsAsync(log.append(batch(['c'])), { message: /; the records may have been appended all the same$/ })
  t.true(isLogqError(error, 'LOGQ_IO') && error instanceof UncertainAppendError)
  system.fs.reset()
  t.deepEqual(await log.append(batch(['d'])), { baseOffset: 3, lastOffset: 3 })
  await log.close()
  t.deepEqual(await readAll(context), ['0:a', '1:b', '2:c', '3:d'])
})

test('what was refused is nowhere: not in the recovery point, not in the indexes', async (t) => {
  for (const file of ['/lock', '.log']) {
    const system = createFakeSystem()
    const context = createTiny(system)
    const log = Log.open(context)
    await log.append(batch(['a']))
    system.fs.failNth({ operation: 'write', pathIncludes: file, code: 'ENOSPC' })
    t.true(isLogqError(await t.throwsAsync(log.append(batch(['b']))), 'LOGQ_IO'))
    // As a command does at its end, for what was appended before.
    await log.sync()
    await log.close()
    t.is(readRecoveryPoint(context)?.offset, 1, file)
    t.deepEqual(await readAll(context), ['0:a'], file)
    t.deepEqual((await check(system)).findings, [], file)
    t.is(await appendOnce(tinyContext(beside(system))), 1, file)
  }
})

const ROLL_FAULTS: readonly Fault[] = [
  { operation: 'open', pathIncludes: '0003.log', code: 'ENOSPC' },
  { operation: 'open', pathIncludes: '0003.index', code: 'EMFILE' },
  { operation: 'open', pathIncludes: '0003.timeindex', code: 'EACCES' },
  { operation: 'syncDirectory', code: 'EIO' },
]

for (const fault of ROLL_FAULTS) {
  test(`a roll that fails in ${fault.operation} of ${fault.pathIncludes ?? 'the directory'} appends nothing, and the next append goes on`, async (t) => {
    const system = createFakeSystem()
    const config = { segmentBytes: 220 }
    const context = createTiny(system, config)
    const log = Log.open(context)
    for (const value of ['a', 'b', 'c']) await log.append(batch([value]))
    system.fs.failNth(fault)
    await t.throwsAsync(log.append(batch(['d'])))
    t.deepEqual(await log.append(batch(['e'])), { baseOffset: 3, lastOffset: 3 })
    await log.sync()
    await log.close()
    t.deepEqual(await readAll(context), ['0:a', '1:b', '2:c', '3:e'])
    judgeLitter(system)
  })
}

/** Two processes with unsynced records; the fsync of the first fails, and every later one "succeeds". */
async function syncFails(): Promise<{ first: FakeSystem; second: FakeSystem; logs: [Log, Log]; failure: unknown }> {
  const first = createFakeSystem()
  await fill(createTiny(first), [['synced']])
  const second = beside(first)
  const logs: [Log, Log] = [Log.open(tinyContext(first)), Log.open(tinyContext(second))]
  await logs[0].append(batch(['a']))
  await logs[1].append(batch(['b']))
  first.fs.failNth({ operation: 'fdatasync', code: 'EIO' })
  const failure: unknown = await logs[0].sync().catch((error: unknown) => error)
  return { first, second, logs, failure }
}

test('Log.sync() that fails fails for good, and is never acknowledged by a repeated one', async (t) => {
  const { logs, failure } = await syncFails()
  t.true(isLogqError(failure, 'LOGQ_SYNC_FAILED'))
  for (let attempt = 0; attempt < 2; attempt += 1) {
    t.is(await logs[0].sync().catch((error: unknown) => error), failure)
    t.is(await logs[0].append(batch(['c'])).catch((error: unknown) => error), failure)
  }
})

test('after a failed fsync other processes neither append nor acknowledge, though their own fsync succeeds', async (t) => {
  const { first, logs } = await syncFails()
  const error = await t.throwsAsync(logs[1].sync())
  t.true(isLogqError(error, 'LOGQ_SYNC_FAILED'), error.message)
  t.true(isLogqError(await t.throwsAsync(logs[1].append(batch(['c']))), 'LOGQ_SYNC_FAILED'))
  const third = Log.open(tinyContext(beside(first, { pid: 1500 })))
  const refused = await t.throwsAsync(third.append(batch(['d'])))
  t.true(isLogqError(refused, 'LOGQ_SYNC_FAILED'))
  t.regex(isLogqError(refused) ? (refused.hint ?? '') : '', /fsck/)
})

test('after a failed fsync readers stop at the synced offset', async (t) => {
  const { first } = await syncFails()
  const context = tinyContext(beside(first, { pid: 1500 }))
  t.is(logEndOffset(context, listSegments(context)), 1)
  t.deepEqual(await readAll(context), ['0:synced'])
  t.deepEqual(await readAll(context, 0, 3), ['0:synced'], 'also when they ask for more')
})

test('a failed fsync survives a power cut as such', async (t) => {
  const { first } = await syncFails()
  const disk = first.disk.afterPowerCut({ seed: 1, keepUnsynced: 'none' })
  const log = Log.open(tinyContext(beside(first, { disk, rebooted: true })))
  t.true(isLogqError(await t.throwsAsync(log.append(batch(['x']))), 'LOGQ_SYNC_FAILED'))
})

test('an fsync that fails in a roll refuses from then on, and appends nothing', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 220 })
  const log = Log.open(context)
  for (const value of ['a', 'b', 'c']) await log.append(batch([value]))
  system.fs.failNth({ operation: 'fdatasyncBlocking', pathIncludes: '.log', code: 'EIO' })
  t.true(isLogqError(await t.throwsAsync(log.append(batch(['d']))), 'LOGQ_SYNC_FAILED'))
  t.true(isLogqError(await t.throwsAsync(log.append(batch(['d']))), 'LOGQ_SYNC_FAILED'))
  const next = Log.open(tinyContext(beside(system)))
  t.true(isLogqError(await t.throwsAsync(next.append(batch(['d']))), 'LOGQ_SYNC_FAILED'))
  t.deepEqual(await readAll(context), [])
})

test('an fsync that fails in recovery refuses from then on', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  await fill(context, [['a']])
  const log = Log.open(context)
  await log.append(batch(['b']))
  await log.close()
  const fd = system.fs.open(pathOf(0), 'read-write')
  system.fs.truncate(fd, sizeOf(system, pathOf(0)) - 3)
  system.fs.close(fd)
  const second = beside(system)
  second.fs.failNth({ operation: 'fdatasyncBlocking', pathIncludes: '.log', code: 'EIO' })
  const recovering = Log.open(tinyContext(second))
  t.true(isLogqError(await t.throwsAsync(recovering.append(batch(['c']))), 'LOGQ_SYNC_FAILED'))
  const third = Log.open(tinyContext(beside(system, { pid: 1500 })))
  t.true(isLogqError(await t.throwsAsync(third.append(batch(['c']))), 'LOGQ_SYNC_FAILED'))
})

test('a sync begun in the background that fails is thrown by the next append and the next sync', async (t) => {
  const system = createFakeSystem()
  const log = Log.open(createTiny(system, { segmentBytes: 1 << 26 }))
  system.fs.failNth({ operation: 'fdatasync', code: 'EIO' })
  await log.append(batch(['x'.repeat(9 << 20)]))
  await system.clock.sleep(1)
  t.true(isLogqError(await t.throwsAsync(log.append(batch(['y']))), 'LOGQ_SYNC_FAILED'))
  t.true(isLogqError(await t.throwsAsync(log.sync()), 'LOGQ_SYNC_FAILED'))
})

test('a sync whose lock file cannot be read afterwards is not acknowledged, now or later', async (t) => {
  const system = createFakeSystem()
  const log = Log.open(createTiny(system))
  await log.append(batch(['a']))
  system.fs.failNth({ operation: 'read', pathIncludes: '/lock', code: 'EIO' })
  await t.throwsAsync(log.sync())
  await t.throwsAsync(log.sync())
})

test('records that this process appended and a recovery cut are not acknowledged', async (t) => {
  const system = createFakeSystem()
  await fill(createTiny(system), [['first']])
  const log = Log.open(tinyContext(system))
  await log.append(batch(['mine']))
  // The page goes bad before it was synced; another process notices, and cuts.
  const fd = system.fs.open(pathOf(0), 'read-write')
  system.fs.write(fd, Buffer.of(0), 0, 1, sizeOf(system, pathOf(0)) - 2)
  system.fs.close(fd)
  await appendOnce(tinyContext(beside(system)), true)
  const error = await t.throwsAsync(log.sync())
  t.true(isLogqError(error, 'LOGQ_CORRUPT'), error.message)
  t.regex(error.message, /from offset 1 on/)
  t.true(names(system, `${DIRECTORY}/quarantine`).length === 1)
})

test('EIO on reading the log is an error that says so, not the end', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  await fill(context, [['a'], ['b']])
  const reader = beside(system)
  reader.fs.failNth({ operation: 'read', pathIncludes: '.log', code: 'EIO', persistent: true })
  await t.throwsAsync(readAll(tinyContext(reader)), { message: /EIO/ })
})
