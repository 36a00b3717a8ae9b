import test from 'ava'
import fc from 'fast-check'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndexReader, encodeOffsetIndexEntry } from '../../lib/log/offset-index.js'
import { SegmentTail, type IndexSink } from '../../lib/log/segment-tail.js'
import { TIME_INDEX_ENTRY_BYTES, TimeIndexReader, encodeTimeIndexEntry } from '../../lib/log/time-index.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { overwrite } from './tiny-log.js'

const BASE = 1000

function offsetIndex(bytes: Uint8Array): OffsetIndexReader {
  const system = createFakeSystem()
  overwrite(system, '/index', bytes)
  return new OffsetIndexReader(system.fs, system.fs.open('/index', 'read'), BASE)
}

function timeIndex(bytes: Uint8Array): TimeIndexReader {
  const system = createFakeSystem()
  overwrite(system, '/timeindex', bytes)
  return new TimeIndexReader(system.fs, system.fs.open('/timeindex', 'read'), BASE)
}

const OFFSETS = [
  { offset: 1000, position: 0 },
  { offset: 1007, position: 500 },
  { offset: 1020, position: 5000 },
  { offset: 1500, position: 0x7fff_fff0 },
]
const TIMES = [
  { timestampMs: 50, offset: 1003 },
  { timestampMs: 51, offset: 1010 },
  { timestampMs: 9_007_199_254_740_991, offset: 1011 },
]
const offsetBytes = Buffer.concat(OFFSETS.map((entry) => encodeOffsetIndexEntry(entry, BASE)))
const timeBytes = Buffer.concat(TIMES.map((entry) => encodeTimeIndexEntry(entry, BASE)))

/** What stands behind the entries: nothing, the tail that Kafka preallocates, or half an entry. */
const TAILS: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', new Uint8Array(0)],
  ['a short preallocated tail', new Uint8Array(24)],
  ['a long preallocated tail', new Uint8Array(24_000)],
  ['half an entry', new Uint8Array([0, 0, 9])],
]

for (const [what, tail] of TAILS) {
  test(`an offset index with ${what} behind its entries is looked up by offset and by position`, (t) => {
    const index = offsetIndex(Buffer.concat([offsetBytes, tail]))
    const slots = [999, 1000, 1006, 1007, 1008, 1019, 1020, 1499, 1500, 10_000].map((offset) => index.slotFor(offset))
    t.deepEqual(slots, [-1, 0, 0, 1, 1, 1, 2, 2, 3, 3])
    const byPosition = [-1, 0, 499, 500, 4999, 5000, 2 ** 40].map((position) => index.slotForPosition(position))
    t.deepEqual(byPosition, [-1, 0, 0, 1, 1, 2, 3])
    for (const [n, entry] of OFFSETS.entries()) t.deepEqual(index.entry(n), entry)
    t.is(index.entry(4), undefined)
    t.is(index.entry(-1), undefined)
  })

  test(`a time index with ${what} behind its entries is looked up by timestamp and by offset`, (t) => {
    const index = timeIndex(Buffer.concat([timeBytes, tail]))
    const slots = [-1, 49, 50, 51, 52, Number.MAX_SAFE_INTEGER].map((timestampMs) => index.slotForTimestamp(timestampMs))
    t.deepEqual(slots, [-1, -1, 0, 1, 1, 2])
    const byOffset = [1002, 1003, 1009, 1010, 1011, 5000].map((offset) => index.slotForOffset(offset))
    t.deepEqual(byOffset, [-1, 0, 0, 1, 2, 2])
    for (const [n, entry] of TIMES.entries()) t.deepEqual(index.entry(n), entry)
    t.is(index.entry(3), undefined)
  })
}

test('a first entry of relative offset 0 is an entry, a later one is not', (t) => {
  const first = encodeOffsetIndexEntry({ offset: BASE, position: 0 }, BASE)
  const index = offsetIndex(Buffer.concat([first, first]))
  t.deepEqual(index.entry(0), { offset: BASE, position: 0 })
  t.is(index.entry(1), undefined)
})

test('entries that cannot be are none', (t) => {
  const negativeOffset = new Uint8Array(8).fill(0xff, 0, 4)
  const negativePosition = new Uint8Array(8).fill(0xff, 4, 8)
  for (const bytes of [negativeOffset, negativePosition]) t.is(offsetIndex(bytes).entry(0), undefined)
  const negativeTimeOffset = new Uint8Array(12).fill(0xff, 8)
  const hugeTime = Uint8Array.of(0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
  for (const bytes of [negativeTimeOffset, hugeTime]) t.is(timeIndex(bytes).entry(0), undefined)
})

/** Kafka's rules, word for word, over a whole segment: what LogSegment.append and onBecomeInactiveSegment do. */
function kafkasIndexes(
  batches: readonly { records: number; sizeBytes: number; maxTimestampMs: number }[],
  intervalBytes: number,
): { offsets: unknown[]; times: unknown[] } {
  const offsets: unknown[] = []
  const times: { timestampMs: number; offset: number }[] = []
  let position = 0
  let nextOffset = BASE
  let bytesSince = 0
  let largest = { timestampMs: -1, offset: BASE }
  const appendTime = () => {
    if (largest.timestampMs > (times.at(-1)?.timestampMs ?? -1)) times.push({ ...largest })
  }
  for (const { records, sizeBytes, maxTimestampMs } of batches) {
    const lastOffset = nextOffset + records - 1
    if (maxTimestampMs > largest.timestampMs) largest = { timestampMs: maxTimestampMs, offset: lastOffset }
    if (bytesSince > intervalBytes) {
      offsets.push({ offset: lastOffset, position })
      appendTime()
      bytesSince = 0
    }
    bytesSince += sizeBytes
    position += sizeBytes
    nextOffset = lastOffset + 1
  }
  appendTime()
  return { offsets, times }
}

class Collected implements IndexSink {
  offsets = Buffer.alloc(0)
  times = Buffer.alloc(0)
  /** Entries are refused while this is true. */
  isFull = false

  writeOffsetEntry(bytes: Uint8Array, position: number): boolean {
    if (this.isFull) return false
    this.offsets = Buffer.concat([this.offsets.subarray(0, position), bytes])
    return true
  }

  writeTimeEntry(bytes: Uint8Array, position: number): boolean {
    if (this.isFull) return false
    this.times = Buffer.concat([this.times.subarray(0, position), bytes])
    return true
  }
}

const batches = fc.array(
  fc.record({
    records: fc.integer({ min: 1, max: 5 }),
    sizeBytes: fc.integer({ min: 61, max: 3000 }),
    maxTimestampMs: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 50 })),
  }),
  { maxLength: 40 },
)

test('SegmentTail writes the index entries that Kafka writes', (t) => {
  fc.assert(
    fc.property(batches, fc.constantFrom(0, 100, 4096), (appended, intervalBytes) => {
      const tail = new SegmentTail(BASE)
      const sink = new Collected()
      for (const { records, ...batch } of appended) {
        tail.advance({ ...batch, lastOffset: tail.logEndOffset + records - 1 }, intervalBytes, sink)
      }
      tail.finish(sink)
      const expected = kafkasIndexes(appended, intervalBytes)
      const offsets = offsetIndex(sink.offsets)
      const times = timeIndex(sink.times)
      t.deepEqual(
        expected.offsets,
        [...Array(offsets.entryCount).keys()].map((n) => offsets.entry(n)),
      )
      t.deepEqual(
        expected.times,
        [...Array(times.entryCount).keys()].map((n) => times.entry(n)),
      )
      t.is(tail.offsetIndexBytes, offsets.entryCount * OFFSET_INDEX_ENTRY_BYTES)
      t.is(tail.timeIndexBytes, times.entryCount * TIME_INDEX_ENTRY_BYTES)
    }),
  )
})

test('SegmentTail leaves no hole where an entry could not be written, and writes the next one that is due', (t) => {
  const tail = new SegmentTail(BASE)
  const sink = new Collected()
  for (let n = 0; n < 20; n += 1) {
    sink.isFull = n >= 5 && n < 10
    tail.advance({ lastOffset: tail.logEndOffset, sizeBytes: 100, maxTimestampMs: n }, 150, sink)
  }
  const offsets = offsetIndex(sink.offsets)
  const positions = [...Array(offsets.entryCount).keys()].map((n) => offsets.entry(n)?.position)
  t.deepEqual(positions, [200, 400, 1000, 1200, 1400, 1600, 1800])
  const times = timeIndex(sink.times)
  t.is(times.entryCount, positions.length)
})
