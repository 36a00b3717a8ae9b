import test from 'ava'
import { OffsetIndexReader, encodeOffsetIndexEntry, type OffsetIndexEntry } from '../../lib/log/offset-index.js'
import { SegmentTail } from '../../lib/log/segment-tail.js'
import { createPartitionInMemory, hex } from './partition-in-memory.js'
import { readWorkedExamples, type WorkedExample } from './worked-examples.js'

interface DescribedIndex {
  readonly baseOffset: number
  readonly entries: readonly OffsetIndexEntry[]
}

const examples = readWorkedExamples('offset-index.md') as readonly (WorkedExample & { expected: DescribedIndex })[]

function readerOf(bytes: Uint8Array, baseOffset: number): OffsetIndexReader {
  const { system, context, put } = createPartitionInMemory()
  put('example', bytes)
  return new OffsetIndexReader(system.fs, system.fs.open(`${context.directory}/example`, 'read'), baseOffset)
}

for (const [n, { bytes, expected }] of examples.entries()) {
  test(`offset-index.md, example ${n + 1}: the bytes decode to what the page says`, (t) => {
    const reader = readerOf(bytes, expected.baseOffset)
    const entries: OffsetIndexEntry[] = []
    for (let slot = 0, entry = reader.entry(slot); entry !== undefined; slot += 1, entry = reader.entry(slot))
      entries.push(entry)
    t.deepEqual(entries, expected.entries)
  })

  test(`offset-index.md, example ${n + 1}: what the page says encodes to the bytes`, (t) => {
    const encoded = Buffer.concat(expected.entries.map((entry) => encodeOffsetIndexEntry(entry, expected.baseOffset)))
    t.is(hex(encoded), hex(bytes.subarray(0, encoded.length)))
    t.true(bytes.subarray(encoded.length).every((byte) => byte === 0))
  })

  test(`offset-index.md, example ${n + 1}: look-ups begin where the page says`, (t) => {
    const reader = readerOf(bytes, expected.baseOffset)
    const positionFor = (offset: number) => reader.entry(reader.slotFor(offset))?.position ?? 0
    t.deepEqual([1110, 1049, 1020, 9999].map(positionFor), [8455, 4181, 0, 12_644])
  })
}

test('offset-index.md: an entry is due after more than the interval, not counting the batch that it is for', (t) => {
  const written: string[] = []
  const sink = {
    writeOffsetEntry: (bytes: Uint8Array) => written.push(hex(bytes)) > 0,
    writeTimeEntry: () => true,
  }
  const tail = new SegmentTail(1000)
  // 4097 bytes stand before the third batch, 4096 before the second.
  for (const [lastOffset, sizeBytes] of [
    [1009, 4096],
    [1019, 1],
    [1029, 70],
    [1039, 4027],
    [1049, 70],
  ] as const) {
    tail.advance({ lastOffset, sizeBytes, maxTimestampMs: 5 }, 4096, sink)
  }
  const expected = [
    { offset: 1029, position: 4097 },
    { offset: 1049, position: 8194 },
  ]
  t.deepEqual(
    written,
    expected.map((entry) => hex(encodeOffsetIndexEntry(entry, 1000))),
  )
})
