import test from 'ava'
import fc from 'fast-check'
import { RecordBatch, stampBatch } from '../../lib/record/batch.js'
import { CODECS } from '../../lib/record/codec.js'
import { loadCodec } from '../../lib/record/compression.js'
import { filterBatch } from '../../lib/record/filter-batch.js'
import { arbitraryRecords, batchOf, content } from './arbitrary-records.js'

const HORIZON_MS = 1_700_000_050_000

test('records that stay are as they were, at their offsets; the header is that of the batch', async (t) => {
  for (const codec of CODECS) await loadCodec(codec)
  fc.assert(
    fc.property(
      arbitraryRecords,
      fc.constantFrom(...CODECS),
      fc.infiniteStream(fc.boolean()),
      fc.integer({ min: 0, max: 2 ** 50 }),
      (records, codec, choices, baseOffset) => {
        const bytes = batchOf(records, { codec })
        stampBatch(bytes, baseOffset, 7)
        const batch = new RecordBatch(bytes)
        const before = [...batch.records()]
        const choice = [...choices.take(records.length)]
        let n = 0
        const { bytes: out, keptCount, droppedCount } = filterBatch(batch, () => choice[n++] === true, HORIZON_MS)
        const expected = before.filter((_, place) => choice[place] === true)
        t.is(keptCount, expected.length)
        t.is(keptCount + droppedCount, before.length)
        t.is(out === undefined, expected.length === 0)
        if (out === undefined) return
        const hasTombstone = expected.some(({ value }) => value === null)
        t.is(out === bytes, droppedCount === 0 && !hasTombstone, 'the very same when nothing changed')
        const after = new RecordBatch(out)
        t.true(after.crcMatches())
        t.deepEqual([...after.records()].map(content), expected.map(content))
        t.deepEqual(
          [...after.records()].map(({ offset }) => offset),
          expected.map(({ offset }) => offset),
        )
        const header = ({ baseOffset: base, lastOffset, partitionLeaderEpoch, timestampType, codec: with_ }: RecordBatch) => [
          base,
          lastOffset,
          partitionLeaderEpoch,
          timestampType,
          with_,
        ]
        t.deepEqual(header(after), header(batch))
        t.is(after.recordCount, expected.length)
        const largest = expected.reduce<number | bigint>(
          (most, { timestampMs }) => (timestampMs > most ? timestampMs : most),
          -1,
        )
        if (out !== bytes) t.is(after.maxTimestampMs, largest)
        t.is(after.hasDeleteHorizon, hasTombstone)
        if (hasTombstone) t.is(after.baseTimestampMs, HORIZON_MS)

        // A horizon that is set stays, whoever filters again.
        const again = filterBatch(after, () => true, HORIZON_MS + 5)
        t.is(again.bytes, out)
      },
    ),
    { numRuns: 200 },
  )
})
