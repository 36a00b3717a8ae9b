/**
 * `produce --format batch`: whole record batches from a stream, appended as they are but for offsets, leader epoch and producer
 * fields. A stream that is damaged cannot be gone on with, since nothing says where the next batch begins: it ends the command.
 */
import { LogqError } from '../../lib/errors.js'
import { tooLarge, type RecordTaker } from '../../lib/produce/producer.js'
import { BATCH_HEADER_BYTES, RecordBatch, clearProducerFields, describeHeader, peekBatchSize } from '../../lib/record/batch.js'
import { loadCodec } from '../../lib/record/compression.js'
import type { ChunkedInput } from './chunked-input.js'
import type { IngestOptions } from './ingest-options.js'
import type { Pace } from './pace.js'

export async function ingestBatches(
  input: ChunkedInput,
  name: string,
  producer: RecordTaker,
  options: IngestOptions,
): Promise<void> {
  const { pace, progress } = options
  const partition = options.partition ?? 0
  for (let batchCount = 0; ; batchCount += 1) {
    const fail = (what: string) =>
      new LogqError('LOGQ_INVALID_RECORD', `${name}: batch ${batchCount + 1}: ${what}`, {
        hint: `${batchCount} batches before it were appended`,
      })
    const bytes = await nextBatch(input, pace, options.recordLimitBytes, fail)
    if (bytes === undefined) return
    progress.itemCount += 1
    const batch = await checkBatch(bytes, fail)
    if (batch.producerId !== -1) clearProducerFields(bytes)
    const { recordCount, maxTimestampMs, lastOffsetDelta } = batch
    if (options.rate !== undefined && !(await options.rate.admit(pace, recordCount))) return
    await producer.appendBatch({ bytes, recordCount, maxTimestampMs, lastOffsetDelta }, partition, progress.itemCount)
    pace.noteTaken()
    options.acknowledgements?.take(partition, recordCount)
  }
}

async function nextBatch(
  input: ChunkedInput,
  pace: Pace,
  limitBytes: () => number,
  fail: (what: string) => LogqError,
): Promise<Uint8Array | undefined> {
  for (;;) {
    const available = input.end - input.start
    const sizeBytes = peekBatchSize(input.buffer, input.start, available)
    if (sizeBytes < 0) throw fail(describeHeader(input.buffer, input.start, available))
    // A record of the largest size has a batch of its own, with a header before it.
    if (sizeBytes > limitBytes() + BATCH_HEADER_BYTES) throw tooLarge(sizeBytes, limitBytes())
    if (sizeBytes > 0 && sizeBytes <= available) {
      const bytes = input.buffer.subarray(input.start, input.start + sizeBytes)
      input.start += sizeBytes
      return bytes
    }
    if (await input.fill(pace)) continue
    if (available > 0 && input.isEnded) throw fail(`the input ends after ${available} bytes of it`)
    return undefined
  }
}

/** The CRC, the kind of batch, and every record in it: what is appended can be read. */
async function checkBatch(bytes: Uint8Array, fail: (what: string) => LogqError): Promise<RecordBatch> {
  try {
    const batch = new RecordBatch(bytes)
    if (!batch.crcMatches()) throw fail('its CRC does not match')
    if (batch.isControl || batch.isTransactional) throw fail('control and transactional batches are not accepted')
    if (batch.hasUnknownAttributes) throw fail(`its attributes (${batch.attributes}) have bits that are not known`)
    await loadCodec(batch.codec)
    const cursor = batch.cursor()
    while (cursor.next()) {
      // Walking is the check.
    }
    return batch
  } catch (error) {
    if (error instanceof LogqError && error.code === 'LOGQ_CORRUPT') throw fail(error.message)
    throw error
  }
}
