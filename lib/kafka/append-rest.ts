/** Takes a topic back from Kafka: what both have is compared, what Kafka appended is appended (format-spec/kafka.md, "The way back"). */
import { LogqError } from '../errors.js'
import { indexableTimestamp } from '../log/batch-places.js'
import { Log } from '../log/log.js'
import { partitionName } from '../log/log-context.js'
import { readBatchesWhole, syncedLogEnd, type StoredBatch } from '../log/read-batches.js'
import { CRC_POSITION } from '../record/batch-layout.js'
import { LiveTopic } from '../store/live-topic.js'
import { appendContext, partitionOffsets, viewContext } from '../store/partition.js'
import type { Store } from '../store/store.js'
import { refuseOpen, type ImportedPartition, type SourcePartition } from './import-source.js'
import { OpenTransactions } from './open-transactions.js'

/**
 * Compares what both logs have, and returns where the rest begins. Throws LOGQ_CONFLICT, naming the first offset at which they differ,
 * and CorruptionError.
 */
export async function compareWithSource(
  store: Store,
  topic: string,
  partition: number,
  source: SourcePartition,
  signal?: AbortSignal,
): Promise<number> {
  const context = viewContext(store, topic, partition)
  const name = partitionName(context)
  const end = await syncedLogEnd(context)
  const { logStartOffset } = partitionOffsets(context)
  const from = Math.max(logStartOffset, source.startOffset)
  if (source.endOffset < end) {
    throw differ(`'${name}' goes on to offset ${end - 1}, and ends at offset ${source.endOffset} in Kafka`)
  }
  if (from >= end && end > logStartOffset && source.endOffset > end) {
    throw differ(`Kafka has '${name}' from offset ${source.startOffset} on, and no record below offset ${end} to compare`)
  }
  if (source.startOffset > end) throw differ(`offsets ${end} to ${source.startOffset - 1} of '${name}' are gone in Kafka`)
  const transactions = new OpenTransactions()
  const own = readBatchesWhole(context, from, end, signal)
  try {
    for await (const theirs of readBatchesWhole(source.context, source.startOffset, source.endOffset, signal)) {
      transactions.add(theirs.batch)
      if (theirs.batch.nextOffset <= from || theirs.batch.baseOffset >= end) continue
      const next = await own.next()
      const ours = next.done === true ? undefined : next.value
      if (!isSame(ours, theirs)) {
        const offset = Math.min(ours?.batch.baseOffset ?? Infinity, theirs.batch.baseOffset)
        throw differ(`'${name}' differs from Kafka's log at offset ${offset}`)
      }
    }
    const rest = await own.next()
    if (rest.done !== true) throw differ(`'${name}' differs from Kafka's log at offset ${rest.value.batch.baseOffset}`)
  } finally {
    await own.return()
  }
  refuseOpen(source.context, transactions)
  return end
}

/** Everything but the leader epoch. */
function isSame(ours: StoredBatch | undefined, theirs: StoredBatch): boolean {
  if (ours === undefined || ours.batch.baseOffset !== theirs.batch.baseOffset) return false
  return Buffer.compare(ours.batch.bytes.subarray(CRC_POSITION), theirs.batch.bytes.subarray(CRC_POSITION)) === 0
}

function differ(message: string): LogqError {
  return new LogqError('LOGQ_CONFLICT', message, {
    hint: 'nothing was appended; import it under another name: logq import --kafka NAME DIR --from-topic TOPIC',
  })
}

/** Appends each batch where it stands in Kafka, or nothing more: LOGQ_CONFLICT when others appended, or an offset is missing. */
export async function appendRest(
  store: Store,
  topic: string,
  partition: number,
  { context, endOffset }: SourcePartition,
  fromOffset: number,
  signal?: AbortSignal,
): Promise<ImportedPartition> {
  const live = new LiveTopic(store, topic)
  const target = appendContext(store, topic, partition, () => live.config)
  const wait = signal === undefined ? {} : { signal }
  let batchCount = 0
  let sizeBytes = 0
  if (fromOffset < endOffset) {
    const log = Log.open(target)
    try {
      for await (const { batch } of readBatchesWhole(context, fromOffset, endOffset, signal)) {
        const { baseOffset, lastOffsetDelta } = batch
        const bytes = batch.bytes.slice()
        await log.append({ bytes, lastOffsetDelta, maxTimestampMs: indexableTimestamp(batch) }, wait, baseOffset)
        store.system.failpoint('kafka-import.after-append')
        batchCount += 1
        sizeBytes += batch.sizeBytes
      }
      await log.sync()
    } finally {
      await log.close()
    }
  }
  return { partition, fromOffset, logEndOffset: endOffset, batchCount, sizeBytes }
}
