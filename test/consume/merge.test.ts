import test from 'ava'
import fc from 'fast-check'
import { lastRange, mergeLast } from '../../lib/consume/last-records.js'
import { mergeRecords, type MergedRecord, type MergeOptions } from '../../lib/consume/merge.js'
import type { PartitionRange } from '../../lib/consume/partition-source.js'
import { readMerged, readRecords } from '../../lib/consume/read.js'
import { CODECS } from '../../lib/record/codec.js'
import { loadCodec } from '../../lib/record/compression.js'
import { compileRecordFilter } from '../../lib/record/expression.js'
import type { RecordPredicate } from '../../lib/record/record-predicate.js'
import { viewContext } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { createTopic } from '../../lib/store/topics.js'
import { START_MS } from '../log/tiny-log.js'
import { produce, text, tinyStore } from '../store/tiny-store.js'

/** What a test knows of a record; `value` names it. */
interface Known {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly value: string
}

const PARTITIONS = 4

/** For each partition the timestamps and sizes of its records. */
const logs = fc.array(
  fc.array(fc.record({ ms: fc.integer({ min: 0, max: 12 }), padding: fc.constantFrom(0, 0, 3, 400) }), { maxLength: 14 }),
  { minLength: PARTITIONS, maxLength: PARTITIONS },
)

async function storeOf(lists: readonly (readonly { ms: number; padding: number }[])[], codec: (typeof CODECS)[number]) {
  const { store } = await tinyStore({ partitions: PARTITIONS })
  const known: Known[][] = []
  for (const [partition, list] of lists.entries()) {
    const records = list.map(({ ms, padding }, offset) => {
      const value = `${partition}/${offset}${'.'.repeat(padding)}`
      return { partition, offset, timestampMs: START_MS + ms, value }
    })
    known.push(records)
    const inputs = records.map(({ value, timestampMs }) => ({ value: text(value), timestampMs }))
    await produce(store, 't', inputs, { partition, batchBytes: 200, codec })
  }
  return { store, known }
}

function rangesOf(store: Store, known: readonly (readonly Known[])[]): PartitionRange[] {
  return known.map((list, partition) => ({
    context: viewContext(store, 't', partition),
    fromOffset: 0,
    toOffset: list.length,
  }))
}

/** Of the next records of all partitions, again and again the oldest; backwards, the newest. */
function naiveMerge(lists: readonly (readonly Known[])[], direction: 'forwards' | 'backwards'): Known[] {
  const sign = direction === 'forwards' ? 1 : -1
  const queues = lists.map((list) => (sign === 1 ? [...list] : [...list].reverse()))
  const merged: Known[] = []
  for (;;) {
    const heads = queues.flatMap(([head]) => (head === undefined ? [] : [head]))
    heads.sort((a, b) => sign * (a.timestampMs - b.timestampMs || a.partition - b.partition))
    const [first] = heads
    if (first === undefined) return merged
    queues[first.partition]?.shift()
    merged.push(first)
  }
}

async function valuesOf(records: AsyncIterable<MergedRecord>): Promise<string[]> {
  const values: string[] = []
  for await (const { record } of records) values.push(Buffer.from(record.value ?? []).toString())
  return values
}

const isEven: RecordPredicate = (_topic, _partition, record) => record.offset % 2 === 0
const budgets = fc.constantFrom<Pick<MergeOptions, 'openBytes' | 'keptBytes'>>(
  {},
  // All are open; one is; each keeps a few records, or one, or the place of one.
  { openBytes: 1e9 },
  { openBytes: 1, keptBytes: 1e6 },
  { openBytes: 1, keptBytes: 4 * 1_600 },
  { openBytes: 1, keptBytes: 4 * 510 },
  { openBytes: 1, keptBytes: 0 },
  { openBytes: 600_000, keptBytes: 3_000 },
)

test('mergeRecords() is a merge by timestamp, whatever it may hold', async (t) => {
  for (const codec of CODECS) await loadCodec(codec)
  const directions = fc.constantFrom('forwards' as const, 'backwards' as const)
  const property = fc.asyncProperty(
    logs,
    fc.constantFrom(...CODECS),
    directions,
    fc.boolean(),
    budgets,
    async (lists, codec, direction, isFiltered, budget) => {
      const { store, known } = await storeOf(lists, codec)
      const asked: string[] = []
      const matches: RecordPredicate = (topic, partition, record) => {
        asked.push(`${partition}/${record.offset}`)
        return isEven(topic, partition, record)
      }
      const options = { direction, ...budget, ...(isFiltered ? { matches } : {}) }
      const wanted = known.map((list) => (isFiltered ? list.filter(({ offset }) => offset % 2 === 0) : list))
      const expected = naiveMerge(wanted, direction).map(({ value }) => value)
      t.deepEqual(await valuesOf(mergeRecords(rangesOf(store, known), options)), expected)
      // A failure of the filter is counted once for each record.
      t.is(new Set(asked).size, asked.length)
    },
  )
  await fc.assert(property, { numRuns: 80 })
})

test('mergeLast() of lastRange() is the newest records that match, of each partition and of all', async (t) => {
  const property = fc.asyncProperty(
    logs,
    fc.constantFrom('forwards' as const, 'backwards' as const),
    fc.boolean(),
    fc.integer({ min: 0, max: 20 }),
    async (lists, direction, isFiltered, count) => {
      const { store, known } = await storeOf(lists, 'none')
      const matches = isFiltered ? isEven : undefined
      const wanted = known.map((list) =>
        list.filter(({ offset }) => !isFiltered || offset % 2 === 0).slice(-count || list.length),
      )
      const ranges = []
      for (const { context } of rangesOf(store, known)) ranges.push(await lastRange(context, count, matches))
      t.deepEqual(
        ranges.map(({ recordCount }) => recordCount),
        wanted.map((list) => list.length),
      )
      t.deepEqual(
        ranges.map(({ fromOffset }) => fromOffset),
        wanted.map(([first], partition) => first?.offset ?? known[partition]?.length),
      )
      const merged = naiveMerge(wanted, direction).map(({ value }) => value)
      const newest = direction === 'forwards' ? merged.slice(-count || merged.length) : merged.slice(0, count)
      t.deepEqual(await valuesOf(mergeLast(ranges, count, { direction, matches })), newest)
    },
  )
  await fc.assert(property, { numRuns: 60 })
})

test('readMerged() and readRecords() take topics, a filter and a direction', async (t) => {
  const { store } = await tinyStore({ partitions: 2 })
  await createTopic(store, 'u', { partitions: 1 })
  const at = (ms: number, value: string, key: string) => ({ key: text(key), value: text(value), timestampMs: START_MS + ms })
  await produce(store, 't', [at(1, 'a', 'x'), at(4, 'b', 'y')], { partition: 0 })
  await produce(store, 't', [at(2, 'c', 'x')], { partition: 1 })
  await produce(store, 'u', [at(2, 'd', 'x'), at(3, 'e', 'y')], { partition: 0 })
  const values = async (records: AsyncIterable<{ readonly value: Uint8Array | null }>) => {
    const all: string[] = []
    for await (const { value } of records) all.push(Buffer.from(value ?? []).toString())
    return all.join('')
  }
  const filter = await compileRecordFilter('key == "x" || value.missing')
  t.is(await values(readMerged(store, ['t', 'u'])), 'acdeb')
  t.is(await values(readMerged(store, ['u', 't'])), 'adceb')
  t.is(await values(readMerged(store, ['t', 'u'], { direction: 'backwards' })), 'bedca')
  t.is(await values(readMerged(store, ['t', 'u'], { filter })), 'acd')
  t.is(filter.failedCount, 2)
  t.is(await values(readRecords(store, 't', { direction: 'backwards' })), 'cba')
  t.is(await values(readRecords(store, 't', { filter: await compileRecordFilter('partition == 0 && offset == 1') })), 'b')
  const stop = new AbortController()
  const some: string[] = []
  for await (const { topic } of readMerged(store, ['t', 'u'], { signal: stop.signal })) {
    some.push(topic)
    stop.abort()
  }
  t.deepEqual(some, ['t'])
})
