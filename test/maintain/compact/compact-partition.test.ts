/**
 * Compaction against a model that fits in a few lines: the last record of each key, tombstones until their horizon, everything at its
 * offset; over small segments, in one pass and in many.
 */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { readCleanerOffsets } from '../../../lib/log/cleaner-file.js'
import type { LogContext } from '../../../lib/log/log-context.js'
import { listSegments } from '../../../lib/log/log-view.js'
import { Log } from '../../../lib/log/log.js'
import { PartitionLock } from '../../../lib/log/partition-lock.js'
import { readPartition } from '../../../lib/log/read-partition.js'
import { readRecoveryPoint } from '../../../lib/log/recovery-point-file.js'
import { compactPartition, type CompactionSettings } from '../../../lib/maintain/compact/compact-partition.js'
import { inspectPartition } from '../../../lib/maintain/inspect-partition.js'
import { logEndOffset } from '../../../lib/log/log-view.js'
import { createFakeSystem } from '../../helpers/fake-system.js'
import { START_MS, batchOfRecords, createTiny, names, overwrite, pathOf, readFile, tinyContext } from '../../log/tiny-log.js'

const SETTINGS: CompactionSettings = {
  minDirtyRatio: 0,
  minLagMs: 0,
  maxLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 1000,
  keepCount: 1,
  memoryBytes: 1 << 16,
  includesActive: true,
  segmentMs: 1e12,
}

interface Item {
  readonly key: string | null
  readonly value: string | null
}

const item: fc.Arbitrary<Item> = fc.record({
  key: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', '', 'long key '.repeat(10)), { freq: 20 }),
  value: fc.option(fc.string({ maxLength: 30 }), { freq: 4 }),
})

async function append(context: LogContext, batches: readonly (readonly Item[])[]): Promise<void> {
  const log = Log.open(context)
  for (const items of batches) {
    const records = items.map(({ key, value }) => ({
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestampMs: START_MS,
    }))
    await log.append(batchOfRecords(records))
  }
  await log.sync()
  await log.close()
}

async function readItems(context: LogContext): Promise<(Item & { offset: number })[]> {
  const found: (Item & { offset: number })[] = []
  for await (const { batch } of readPartition(context, 0, logEndOffset(context, listSegments(context)))) {
    for (const { offset, key, value } of batch.records())
      found.push({
        offset,
        key: key === null ? null : Buffer.from(key).toString(),
        value: value === null ? null : Buffer.from(value).toString(),
      })
  }
  return found
}

/** What is to be left: `gone` says of tombstones whether their horizon has passed. */
function model(items: readonly Item[], keepCount: number, gone: boolean): (Item & { offset: number })[] {
  return items.flatMap((one, offset) => {
    const { key, value } = one
    if (key === null) return []
    const later = items.slice(offset + 1).filter((other) => other.key === key)
    if (later.length >= keepCount || later.some((other) => other.value === null)) return []
    return value === null && gone ? [] : [{ ...one, offset }]
  })
}

async function isWhole(t: ExecutionContext, context: LogContext, gapsAreNormal = true): Promise<void> {
  const { check } = await inspectPartition(context, { gapsAreNormal, isOwn: true })
  t.deepEqual(check.findings, [])
}

test('the last records of each key are left, in one pass or many, and tombstones go in a later one', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(item, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 3 }),
      // The least has notes of 34 records: several segments of a log are dealt with one after the other.
      fc.constantFrom(17, 51, 85, 1 << 16),
      fc.constantFrom(150, 400, 1 << 20),
      async (batches, keepCount, memoryBytes, segmentBytes) => {
        const system = createFakeSystem()
        const context = createTiny(system, { segmentBytes })
        await append(context, batches)
        const items = batches.flat()
        const settings = { ...SETTINGS, keepCount, memoryBytes }

        const dry = await compactPartition(context, context, settings, { dryRun: true })
        t.deepEqual((await readItems(context)).length, items.length, 'a dry run changes nothing')
        const done = await compactPartition(context, context, settings)
        t.is(dry.recordsAfter, done.recordsAfter)
        t.is(dry.keyCount, done.keyCount)
        const expected = model(items, keepCount, false)
        t.deepEqual(await readItems(context), expected)
        t.is(done.recordsAfter, expected.length)
        t.is(done.recordsBefore, items.length)
        t.is(done.unkeyedCount, items.filter(({ key }) => key === null).length)
        t.is(done.keyCount, new Set(items.flatMap(({ key }) => key ?? [])).size)
        if (memoryBytes === 51 && done.keyCount > 3) t.true(done.passCount > 1)
        await isWhole(t, context)
        t.is(readCleanerOffsets(context).cleanedOffset, items.length)
        t.is(listSegments(context).at(-1), items.length)

        await compactPartition(context, context, settings)
        t.deepEqual(await readItems(context), expected, 'before its horizon no tombstone goes')
        await system.clock.advance(2000)
        await compactPartition(context, context, settings)
        t.deepEqual(await readItems(context), model(items, keepCount, true))
        await isWhole(t, context)
        t.false(names(system).includes('cleaner'))

        await append(context, [[{ key: 'z', value: 'more' }]])
        t.deepEqual((await readItems(context)).at(-1), { key: 'z', value: 'more', offset: items.length })
      },
    ),
    { numRuns: 60 },
  )
})

test('a damaged batch ends a compaction, and nothing of its segment is changed', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await append(
    context,
    Array.from({ length: 12 }, (_, n) => [{ key: `k${n % 3}`, value: `value ${n}` }]),
  )
  const second = listSegments(context)[1] ?? 0
  const bytes = readFile(system, pathOf(second))
  const damaged = bytes.with(bytes.length - 3, (bytes.at(-3) ?? 0) ^ 1)
  overwrite(system, pathOf(second), damaged)
  const error = await t.throwsAsync(compactPartition(context, context, SETTINGS))
  t.regex(error.message, /CRC of a batch does not match/)
  t.deepEqual(readFile(system, pathOf(second)), damaged)
})

test('a segment that is another one by now is left alone', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await append(
    context,
    Array.from({ length: 12 }, (_, n) => [{ key: `k${n % 3}`, value: `value ${n}` }]),
  )
  const before = await readItems(context)
  // What a repair does that comes between the reading and the swap.
  system.failpoints.set('segment.after-create', () => {
    if (!names(system).includes('cleaner') || names(system, `${context.directory}/cleaner`).length === 0) return
    const bytes = readFile(system, pathOf(0))
    system.fs.unlink(pathOf(0))
    overwrite(system, pathOf(0), bytes)
  })
  const error = await t.throwsAsync(compactPartition(context, context, SETTINGS))
  t.regex(error.message, /was changed by another command while it was compacted, 5 times in a row/)
  t.deepEqual(await readItems(context), before)
})

test('whatever check finds before the first or any other change ends a compaction, and nothing is changed after that', async (t) => {
  const batches = Array.from({ length: 12 }, (_, n) => [{ key: `k${n % 3}`, value: `value ${n}` }])
  for (let nth = 1; ; nth += 1) {
    const system = createFakeSystem()
    const context = createTiny(system, { segmentBytes: 200 })
    await append(context, batches)
    let calls = 0
    let mutations = 0
    const check = () => {
      calls += 1
      if (calls !== nth) return
      mutations = system.fs.mutations
      throw new Error('not any more')
    }
    const compacted = compactPartition(context, context, { ...SETTINGS, includesActive: false }, { check })
    if (await compacted.catch(() => undefined)) break
    // What was written beside the log is swept.
    const after = system.fs.operations.filter(({ mutation = 0 }) => mutation > mutations).map(({ path }) => path)
    t.deepEqual(
      [...new Set(after)].filter((path) => !path.startsWith(`${context.directory}/cleaner`)),
      [],
      `call ${nth}`,
    )
    t.deepEqual(
      (await readItems(context)).slice(-3).map(({ offset }) => offset),
      [9, 10, 11],
    )
  }
})

test('a partition that is removed meanwhile gets no notes', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await append(
    context,
    Array.from({ length: 12 }, (_, n) => [{ key: `k${n % 3}`, value: `value ${n}` }]),
  )
  const lock = PartitionLock.open(system, context.directory)
  const state = lock.readState()
  const check = () => {
    if (state !== undefined) lock.writeState({ ...state, status: 'deleted' })
  }
  await t.throwsAsync(compactPartition(context, context, { ...SETTINGS, includesActive: false }, { check }), {
    code: 'LOGQ_TOPIC_REMOVED',
  })
  lock.close()
  t.is(readCleanerOffsets(context).gapsOffset, 0)
})

test('a segment that retention removes between the counting and the writing costs no key its last record', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await append(
    context,
    Array.from({ length: 12 }, (_, n) => [{ key: 'k', value: `value ${n}` }]),
  )
  // The first look that is not a counting one finds the first segment gone.
  let isGone = false
  const onProgress = (doneBytes: number, totalBytes: number) => {
    if (isGone || doneBytes * 2 < totalBytes) return
    isGone = true
    system.fs.unlink(pathOf(0))
  }
  await compactPartition(context, context, SETTINGS, { onProgress })
  t.true(isGone)
  t.deepEqual(await readItems(context), [{ key: 'k', value: 'value 11', offset: 11 }])
})

test('no recovery point is left in a segment that is written anew, in neither slot', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await append(
    context,
    Array.from({ length: 12 }, (_, n) => [{ key: 'k', value: `value ${n}` }]),
  )
  await compactPartition(context, context, { ...SETTINGS, includesActive: false })
  const active = listSegments(context).at(-1)
  t.is(readRecoveryPoint(context)?.segmentBaseOffset, active)
  const slots = readFile(system, `${context.directory}/recovery-point`)
  for (const slot of [slots.subarray(0, 32), slots.subarray(32)]) {
    overwrite(system, `${context.directory}/recovery-point`, Buffer.concat([slot, new Uint8Array(32)]))
    t.true((readRecoveryPoint(context)?.segmentBaseOffset ?? active) === active)
  }
})

test('what is missing is no loss where compaction was, also when the topic is not a compacted one any more', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await append(
    context,
    Array.from({ length: 12 }, (_, n) => [{ key: `k${n % 3}`, value: `value ${n}` }]),
  )
  await compactPartition(context, context, SETTINGS)
  await append(context, [[{ key: 'new', value: 'one' }]])
  await isWhole(t, tinyContext(system, { segmentBytes: 200 }), false)
  const strict = { ...context, isContiguous: true }
  const found: number[] = []
  for await (const { batch } of readPartition(strict, 0, 13)) found.push(...[...batch.records()].map(({ offset }) => offset))
  t.deepEqual(found, [9, 10, 11, 12])
})
