import test from 'ava'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PEEK_BYTES, RecordBatch, peekBatchSize } from '../../lib/record/batch.js'
import { CODECS, loadCodec } from '../../lib/record/compression.js'
import type { LogRecord } from '../../lib/record/record.js'
import { fixture, projectRoot } from '../helpers/project.js'

// Segments of test/fixtures/kafka, which Kafka's own LogSegment wrote, beside what it was told to write.

for (const codec of CODECS) {
  test(`the ${codec} segments that Kafka wrote hold the records that it was given`, async (t) => {
    await loadCodec(codec)
    const records = batchesOf(codec)
      .filter((batch) => !batch.isControl)
      .flatMap((batch) => [...batch.records()])
    t.deepEqual(records.map(line), expectedLines(codec))
  })

  test(`the ${codec} batches that Kafka wrote have a sound header each`, async (t) => {
    await loadCodec(codec)
    const batches = batchesOf(codec)
    t.true(batches.every((batch) => batch.crcMatches()))
    t.true(batches.every((batch) => batch.partitionLeaderEpoch === 3))
    t.deepEqual(
      batches.map((batch) => [batch.baseOffset, batch.lastOffset]),
      [
        [40, 45],
        [46, 51],
        [59, 60],
        [61, 61],
        [62, 62],
        [63, 64],
      ],
    )
    t.deepEqual(batches.map((batch) => batch.isTransactional).indexOf(true), 3)
    t.deepEqual(batches.map((batch) => batch.isControl).indexOf(true), 4)
    t.is(batches[3]?.producerId, 9001)
    // A control batch is never compressed.
    t.deepEqual(new Set(batches.filter((batch) => !batch.isControl).map((batch) => batch.codec)), new Set([codec]))
  })
}

/** All batches of both segments; the second has the zero bytes of a preallocated file behind its last one. */
function batchesOf(codec: string): RecordBatch[] {
  const folder = `kafka/kafka-${codec}-0`
  const logs = readdirSync(join(projectRoot, 'test/fixtures', folder)).filter((name) => name.endsWith('.log'))
  return logs.sort().flatMap((name) => {
    const bytes = fixture(`${folder}/${name}`)
    const batches: RecordBatch[] = []
    let position = 0
    while (bytes.length - position >= PEEK_BYTES) {
      const size = peekBatchSize(bytes, position, bytes.length - position)
      if (size <= 0) break
      batches.push(new RecordBatch(bytes.subarray(position, position + size)))
      position += size
    }
    return batches
  })
}

function expectedLines(codec: string): string[] {
  return fixture(`kafka/kafka-${codec}.expected.jsonl`).toString().trimEnd().split('\n')
}

/** A record in the form of the expected lines: bytes as base64, a header as name and value. */
function line({ offset, timestampMs, timestampType, key, value, headers }: LogRecord): string {
  const timestamp = Number(timestampMs)
  const pairs = headers.map((header) => [base64(Buffer.from(header.key)), base64(header.value)])
  return JSON.stringify({ offset, timestamp, timestampType, key: base64(key), value: base64(value), headers: pairs })
}

function base64(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('base64')
}
