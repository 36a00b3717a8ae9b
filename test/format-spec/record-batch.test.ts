import test from 'ava'
import { BatchBuilder } from '../../lib/record/batch-builder.js'
import { RecordBatch, stampBatch } from '../../lib/record/batch.js'
import { readWorkedExamples } from './worked-examples.js'

interface DescribedRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly { readonly key: string; readonly value: string | null }[]
}

interface DescribedBatch {
  readonly baseOffset: number
  readonly partitionLeaderEpoch: number
  readonly records: readonly DescribedRecord[]
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
const bytesOf = (value: string | null) => (value === null ? null : Uint8Array.from(Buffer.from(value)))

for (const { title, bytes, expected } of readWorkedExamples('record-batch.md')) {
  test(`record-batch.md, '${title}': the bytes decode to what the page says`, (t) => {
    const batch = new RecordBatch(bytes)
    t.true(batch.crcMatches())
    const described = {
      baseOffset: batch.baseOffset,
      sizeBytes: batch.sizeBytes,
      partitionLeaderEpoch: batch.partitionLeaderEpoch,
      magic: batch.magic,
      crc: batch.crc,
      codec: batch.codec,
      timestampType: batch.timestampType,
      isTransactional: batch.isTransactional,
      isControl: batch.isControl,
      hasDeleteHorizon: batch.hasDeleteHorizon,
      lastOffset: batch.lastOffset,
      baseTimestampMs: batch.baseTimestampMs,
      maxTimestampMs: batch.maxTimestampMs,
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      recordCount: batch.recordCount,
      records: [...batch.records()].map((record) => ({
        offset: record.offset,
        timestampMs: record.timestampMs,
        key: text(record.key),
        value: text(record.value),
        headers: record.headers.map((header) => ({ key: header.key, value: text(header.value) })),
      })),
    }
    t.deepEqual(described, expected)
  })

  test(`record-batch.md, '${title}': what the page says encodes to the bytes`, (t) => {
    const described = expected as DescribedBatch
    const builder = new BatchBuilder({ codec: 'none' })
    for (const record of described.records) {
      builder.append({
        key: bytesOf(record.key),
        value: bytesOf(record.value),
        headers: record.headers.map((header) => ({ key: header.key, value: bytesOf(header.value) })),
        timestampMs: record.timestampMs,
      })
    }
    const sealed = builder.seal()
    stampBatch(sealed.bytes, described.baseOffset, described.partitionLeaderEpoch)
    t.is(Buffer.from(sealed.bytes).toString('hex'), Buffer.from(bytes).toString('hex'))
  })
}
