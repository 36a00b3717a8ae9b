import test from 'ava'
import fc from 'fast-check'
import { isLogqError } from '../../lib/errors.js'
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX } from '../../lib/log/file-names.js'
import { listSegments, logEndOffset, offsetForTimestamp, openAtOffset, readStateBlock } from '../../lib/log/log-view.js'
import type { LogContext } from '../../lib/log/log-context.js'
import { Log } from '../../lib/log/log.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { craftBatch } from '../record/craft-batch.js'
import {
  DIRECTORY,
  START_MS,
  appendBytes,
  bases,
  batch,
  batchOfRecords,
  beside,
  createTiny,
  fill,
  overwrite,
  pathOf,
  readFile,
  sizeOf,
  tinyContext,
} from './tiny-log.js'

/** Batches of the given timestamps, one record each timestamp, with small segments and sparse indexes. */
async function logOf(timestamps: readonly (readonly number[])[], segmentBytes: number): Promise<LogContext> {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes, indexIntervalBytes: 150 })
  const log = Log.open(context)
  for (const times of timestamps) {
    await log.append(batchOfRecords(times.map((timestampMs) => ({ value: Buffer.from('x'), timestampMs }))))
  }
  await log.sync()
  await log.close()
  return context
}

/** By walking over everything: the first record whose timestamp is at least that. */
function byWalking(timestamps: readonly (readonly number[])[], timestampMs: number): number | undefined {
  const found = timestamps.flat().findIndex((one) => one >= timestampMs)
  return found < 0 ? undefined : found
}

const timestamps = fc.array(
  fc.array(fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 30 }) }, { weight: 1, arbitrary: fc.constant(-1) }), {
    minLength: 1,
    maxLength: 3,
  }),
  { minLength: 1, maxLength: 25 },
)

test('offsetForTimestamp() gives the first record of that time or later, whatever the order of timestamps', async (t) => {
  await fc.assert(
    fc.asyncProperty(timestamps, fc.constantFrom(300, 900, 1 << 20), async (times, segmentBytes) => {
      const context = await logOf(times, segmentBytes)
      for (let timestampMs = 0; timestampMs <= 31; timestampMs += 1) {
        const found = await offsetForTimestamp(context, listSegments(context), timestampMs)
        t.is(found, byWalking(times, timestampMs))
      }
    }),
    { numRuns: 60 },
  )
})

/** The indexes of every segment, one thing wrong with one of them. */
function damages(system: FakeSystem): (readonly [string, (target: FakeSystem) => void])[] {
  const all: (readonly [string, (target: FakeSystem) => void])[] = []
  for (const base of bases(system)) {
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const) {
      const path = pathOf(base, suffix)
      const bytes = readFile(system, path)
      for (const at of bytes.keys()) {
        const wrong = bytes.slice()
        wrong[at] = (wrong[at] ?? 0) ^ (1 << ((at * 5) % 8))
        all.push([`byte ${at} of ${path}`, (target) => overwrite(target, path, wrong)])
      }
      // Offsets that look right: those of the batch before, and of the one behind.
      const [last, width] = suffix === OFFSET_INDEX_SUFFIX ? [3, 8] : [11, 12]
      for (let at = last; at < bytes.length; at += width) {
        for (const change of [-2, 2]) {
          const wrong = bytes.slice()
          wrong[at] = (wrong[at] ?? 0) + change
          all.push([`byte ${at} of ${path}, by ${change}`, (target) => overwrite(target, path, wrong)])
        }
      }
      const entry = suffix === OFFSET_INDEX_SUFFIX ? 8 : 12
      for (let length = 0; length < bytes.length; length += entry / 2) {
        all.push([`${length} bytes of ${path}`, (target) => overwrite(target, path, bytes.subarray(0, length))])
      }
      all.push([`no ${path}`, (target) => target.fs.unlink(path)])
    }
  }
  return all
}

test('look-ups give the same answers with any byte of any index wrong, and with any index cut short or gone', async (t) => {
  // Every timestamp is the record's own, so that a wrong answer shows.
  const times = Array.from({ length: 16 }, (_, n) => [n * 10, n * 10 + ((n * 7) % 5)])
  const context = await logOf(times, 500)
  const system = context.system as FakeSystem
  t.true(bases(system).length >= 3)
  for (const [what, harm] of damages(system)) {
    const harmed = beside(system, { disk: system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'all' }) })
    harm(harmed)
    const view = tinyContext(harmed)
    const segments = listSegments(view)
    t.is(logEndOffset(view, segments), 32, what)
    for (let offset = 0; offset < 32; offset += 1) {
      const opened = openAtOffset(view, segments, offset)
      const intact = openAtOffset(context, segments, offset)
      t.is(`${opened?.segmentBaseOffset}/${opened?.position}`, `${intact?.segmentBaseOffset}/${intact?.position}`, what)
      harmed.fs.close(opened?.fd ?? -1)
      system.fs.close(intact?.fd ?? -1)
    }
    for (let timestampMs = 0; timestampMs < 170; timestampMs += 3) {
      t.is(await offsetForTimestamp(view, segments, timestampMs), byWalking(times, timestampMs), `${what}, time ${timestampMs}`)
    }
  }
})

test('offsetForTimestamp() passes over closed segments without reading them', async (t) => {
  const context = await logOf(
    Array.from({ length: 240 }, (_, n) => [n * 10]),
    8000,
  )
  const system = context.system as FakeSystem
  const segments = listSegments(context)
  t.true(segments.length >= 3)
  const from = system.fs.operations.length
  t.is(await offsetForTimestamp(context, segments, 2390), 239)
  const first = system.fs.operations.slice(from).filter(({ operation, path }) => operation === 'read' && path === pathOf(0))
  t.true(first.reduce((sum, { length }) => sum + (length ?? 0), 0) < 1500, 'a few headers')
})

test('offsetForTimestamp() gives the offset of damage that it cannot look behind', async (t) => {
  const context = await logOf([[10], [20], [30], [40], [50], [60]], 250)
  const system = context.system as FakeSystem
  const bytes = readFile(system, pathOf(0))
  bytes[16] = 9
  overwrite(system, pathOf(0), bytes)
  t.is(await offsetForTimestamp(context, listSegments(context), 55), 0)
})

test('logEndOffset() is the end of what is whole, with and without a state block', async (t) => {
  for (const harm of ['none', 'no lock', 'invalid', 'other boot'] as const) {
    const system = createFakeSystem()
    const context = createTiny(system)
    await fill(context, [['a'], ['b']])
    const log = Log.open(context)
    await log.append(batch(['c']))
    await log.close()
    // Another process is half-way in.
    appendBytes(system, pathOf(0), craftBatch({ baseOffset: 3 }).subarray(0, 50))
    if (harm === 'no lock') system.fs.unlink(`${DIRECTORY}/lock`)
    if (harm === 'invalid') overwrite(system, `${DIRECTORY}/lock`, new Uint8Array(300))
    const view = harm === 'other boot' ? tinyContext(beside(system, { rebooted: true })) : context
    t.is(logEndOffset(view, listSegments(view)), 3, harm)
  }
})

test('logEndOffset() counts a batch that was written after the state block', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  await fill(context, [['a']])
  const next = batch(['b']).bytes
  new DataView(next.buffer, next.byteOffset).setBigInt64(0, 1n)
  appendBytes(system, pathOf(0), next)
  t.is(logEndOffset(context, listSegments(context)), 2)
})

test('logEndOffset() of a state block that is newer than the data is what the data say', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  await fill(context, [['a']])
  const size = sizeOf(system, pathOf(0))
  const log = Log.open(context)
  await log.append(batch(['b']))
  await log.close()
  // The pages of the batch were lost, its length was not.
  const rebooted = beside(system, { rebooted: true })
  const bytes = readFile(system, pathOf(0))
  overwrite(rebooted, pathOf(0), bytes.fill(0, size))
  const view = tinyContext(rebooted)
  t.is(logEndOffset(view, listSegments(view)), 1)
})

test('logEndOffset() of a log that Kafka wrote goes by its index, and stops at preallocated zeros', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { indexIntervalBytes: 100 })
  await fill(context, [['a'], ['b'], ['c'], ['d'], ['e']])
  for (const name of ['lock', 'recovery-point']) system.fs.unlink(`${DIRECTORY}/${name}`)
  appendBytes(system, pathOf(0), new Uint8Array(10_000))
  appendBytes(system, pathOf(0, OFFSET_INDEX_SUFFIX), new Uint8Array(800))
  appendBytes(system, pathOf(0, TIME_INDEX_SUFFIX), new Uint8Array(1200))
  t.is(logEndOffset(context, listSegments(context)), 5)
  t.is(await offsetForTimestamp(context, listSegments(context), START_MS + 3), 3)
})

test('listSegments() of a directory that is gone says that the topic was removed', (t) => {
  const system = createFakeSystem()
  const context = { ...createTiny(system), directory: '/store/gone-0' }
  t.true(
    isLogqError(
      t.throws(() => listSegments(context)),
      'LOGQ_TOPIC_REMOVED',
    ),
  )
})

test('readStateBlock() is undefined without a lock file, and when it is damaged', (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  t.is(readStateBlock(context)?.status, 'live')
  overwrite(system, `${DIRECTORY}/lock`, new Uint8Array(200))
  t.is(readStateBlock(context), undefined)
  system.fs.unlink(`${DIRECTORY}/lock`)
  t.is(readStateBlock(context), undefined)
})

test('look-ups by time stay right when recovery goes on from a damaged time index', async (t) => {
  // The largest timestamp comes early, so that a wrong entry for it would hide it.
  const times = [[10], [20], [1000], [30], [40], [50], [60], [70]]
  const context = await logOf(times, 1 << 20)
  const system = context.system as FakeSystem
  const path = pathOf(0, TIME_INDEX_SUFFIX)
  const bytes = readFile(system, path)
  t.true(bytes.length > 0)
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const harmed = beside(system, { disk: system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'all' }) })
    const wrong = bytes.slice()
    wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    overwrite(harmed, path, wrong)
    harmed.fs.unlink(`${DIRECTORY}/lock`)
    const view = tinyContext(harmed, { indexIntervalBytes: 150 })
    const log = Log.open(view)
    const all = [...times]
    for (const timestampMs of [80, 500, 90, 600, 700]) {
      await log.append(batchOfRecords([{ value: null, timestampMs }]))
      all.push([timestampMs])
    }
    await log.close()
    for (const timestampMs of [5, 25, 75, 300, 501, 650, 900, 1001]) {
      t.is(
        await offsetForTimestamp(view, listSegments(view), timestampMs),
        byWalking(all, timestampMs),
        `bit ${bit}, time ${timestampMs}`,
      )
    }
  }
})
