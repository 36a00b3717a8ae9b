import test from 'ava'
import { SegmentTail } from '../../lib/log/segment-tail.js'
import { TimeIndexReader, encodeTimeIndexEntry, type TimeIndexEntry } from '../../lib/log/time-index.js'
import { createPartitionInMemory, hex } from './partition-in-memory.js'
import { readWorkedExamples } from './worked-examples.js'

const [example] = readWorkedExamples('time-index.md')
const bytes = example?.bytes ?? new Uint8Array()
const { baseOffset, entries } = example?.expected as {
  readonly baseOffset: number
  readonly entries: readonly TimeIndexEntry[]
}

test('time-index.md: the bytes decode to what the page says', (t) => {
  const { system, context, put } = createPartitionInMemory()
  put('example', bytes)
  const reader = new TimeIndexReader(system.fs, system.fs.open(`${context.directory}/example`, 'read'), baseOffset)
  t.deepEqual(
    Array.from({ length: reader.entryCount }, (_, slot) => reader.entry(slot)),
    [...entries],
  )
  t.is(reader.entry(reader.slotForTimestamp(1_700_000_001_000))?.offset, 1049)
})

test('time-index.md: what the page says encodes to the bytes', (t) => {
  t.is(hex(Buffer.concat(entries.map((entry) => encodeTimeIndexEntry(entry, baseOffset)))), hex(bytes))
})

test('time-index.md: an entry names the first batch with the largest timestamp, and closing a segment writes one more', (t) => {
  const written: string[] = []
  const sink = { writeOffsetEntry: () => true, writeTimeEntry: (entry: Uint8Array) => written.push(hex(entry)) > 0 }
  const tail = new SegmentTail(1000)
  for (const [lastOffset, maxTimestampMs] of [
    [1001, 70],
    [1002, 90],
    [1003, 80],
    [1004, 90],
    [1005, 95],
  ] as const) {
    // 250 bytes before the fourth batch: the first and only entry before the segment is closed.
    tail.advance({ lastOffset, sizeBytes: 84, maxTimestampMs }, 250, sink)
  }
  const inSegment = encodeTimeIndexEntry({ timestampMs: 90, offset: 1002 }, 1000)
  t.deepEqual(written, [hex(inSegment)])
  tail.finish(sink)
  t.deepEqual(written, [hex(inSegment), hex(encodeTimeIndexEntry({ timestampMs: 95, offset: 1005 }, 1000))])
  tail.finish(sink)
  t.is(written.length, 2)
})
