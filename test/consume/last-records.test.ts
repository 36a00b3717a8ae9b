import test from 'ava'
import fc from 'fast-check'
import { lastRange, mergeLast } from '../../lib/consume/last-records.js'
import type { MergedRecord } from '../../lib/consume/merge.js'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { viewContext } from '../../lib/store/partition.js'
import { craftBatch, craftRecord } from '../record/craft-batch.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { START_MS, createTiny, fill, overwrite, pathOf, tinyContext } from '../log/tiny-log.js'
import { produce, text, tinyStore } from '../store/tiny-store.js'

interface Seen {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number | bigint
}

async function collect(records: AsyncIterable<MergedRecord>): Promise<Seen[]> {
  const all: Seen[] = []
  for await (const { partition, record } of records)
    all.push({ partition, offset: record.offset, timestampMs: record.timestampMs })
  return all
}

test('lastRange() is the last records, however many there are', async (t) => {
  const context = createTiny(createFakeSystem(), { segmentBytes: 300 })
  t.like(await lastRange(context, 5), { fromOffset: 0, toOffset: 0, recordCount: 0 })
  await fill(context, [['a', 'b', 'c'], ['d'], ['e', 'f', 'g', 'h'], ['i', 'j']])
  t.like(await lastRange(context, 0), { fromOffset: 10, toOffset: 10, recordCount: 0 })
  t.like(await lastRange(context, 3), { fromOffset: 7, toOffset: 10, recordCount: 3 })
  t.like(await lastRange(context, 10), { fromOffset: 0, toOffset: 10, recordCount: 10 })
  t.like(await lastRange(context, 99), { fromOffset: 0, toOffset: 10, recordCount: 10 })
  writeLogStartOffset(context, 6)
  t.like(await lastRange(context, 99), { fromOffset: 6, toOffset: 10, recordCount: 4 })
})

test('lastRange() counts records where offsets are missing', async (t) => {
  const system = createFakeSystem()
  createTiny(system)
  // Kafka compacted this: 100 offsets, of which the even ones up to 10, and 99, are there.
  const batches = [0, 2, 4, 6, 8, 10, 99].map((baseOffset) => craftBatch({ baseOffset }))
  const sparse = craftBatch({
    baseOffset: 100,
    lastOffsetDelta: 9,
    recordCount: 2,
    records: Buffer.concat([craftRecord({ offsetDelta: 3 }), craftRecord({ offsetDelta: 5 })]),
  })
  overwrite(system, pathOf(0), Buffer.concat([...batches, sparse]))
  for (const name of ['lock', 'recovery-point']) system.fs.unlink(`/store/tiny-0/${name}`)
  const context = tinyContext(system)
  for (const [count, expected] of [
    [1, 1],
    [2, 2],
    [3, 3],
    [5, 5],
    [9, 9],
    [50, 9],
  ] as const) {
    const range = await lastRange(context, count)
    t.true(range.recordCount >= expected, `${count}: ${range.recordCount}`)
    const records = await collect(mergeLast([range], count))
    t.deepEqual(
      records.map(({ offset }) => offset),
      [0, 2, 4, 6, 8, 10, 99, 103, 105].slice(-count),
    )
  }
})

test('mergeLast() gives the newest records of all partitions, oldest first, each partition in its own order', async (t) => {
  const timestamps = fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 12 }), { minLength: 3, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(timestamps, fc.integer({ min: 0, max: 15 }), async (byPartition, count) => {
      const { store } = await tinyStore({ partitions: 3 })
      for (const [partition, list] of byPartition.entries()) {
        const records = list.map((ms, n) => ({ value: text(`${partition}/${n}`), timestampMs: START_MS + ms }))
        await produce(store, 't', records, { partition, batchBytes: 150 })
      }
      const ranges = await Promise.all([0, 1, 2].map((partition) => lastRange(viewContext(store, 't', partition), count)))
      const merged = await collect(mergeLast(ranges, count))
      t.is(
        merged.length,
        Math.min(
          count,
          ranges.reduce((sum, { recordCount }) => sum + recordCount, 0),
        ),
      )
      for (const partition of [0, 1, 2]) {
        const offsets = merged.filter((record) => record.partition === partition).map(({ offset }) => offset)
        t.deepEqual(
          offsets,
          [...offsets].sort((a, b) => a - b),
        )
      }
      const isSorted = byPartition.every((list) => list.every((ms, n) => n === 0 || (list[n - 1] ?? 0) <= ms))
      if (!isSorted) return
      const times = merged.map(({ timestampMs }) => Number(timestampMs) - START_MS)
      t.deepEqual(
        times,
        byPartition
          .flat()
          .sort((a, b) => a - b)
          .slice(-count || Infinity),
      )
    }),
    { numRuns: 40 },
  )
})
