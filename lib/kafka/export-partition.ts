/** One partition as the directory that a Kafka broker has for it (format-spec/kafka.md, "From logq to Kafka"). */
import { LEADER_EPOCH_CHECKPOINT_FILE, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName } from '../log/file-names.js'
import { formatLeaderEpochCheckpoint } from '../log/leader-epochs.js'
import { listSegments, logStartOffset, type ViewContext } from '../log/log-view.js'
import { readBatchesWhole, syncedLogEnd, type StoredBatch } from '../log/read-batches.js'
import { SegmentCopy, type CopyPlace } from '../log/segment-copy.js'
import { replaceFile } from '../system/durable.js'

/** A batch above it goes into Kafka by a hand-over, but not by way of a producer or a follower. */
export const KAFKA_MAX_MESSAGE_BYTES = 1_048_588

/** Kafka began none of the epochs of a new topic that are above 0, and forgets those that it finds in a log. */
const KAFKA_FIRST_EPOCH = 0

export interface ExportedPartition {
  readonly partition: number
  readonly directory: string
  /** Of the directory: that of logq, but where it lies within a batch the base offset of that batch. */
  readonly startOffset: number
  /** Records below it, and not below `startOffset`, were deleted in logq, and come back in Kafka. */
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly segmentCount: number
  readonly batchCount: number
  readonly sizeBytes: number
  /** Batches above Kafka's default for max.message.bytes. */
  readonly largeBatchCount: number
  /** The largest of all; undefined without any. */
  readonly largestBatch: { readonly baseOffset: number; readonly sizeBytes: number } | undefined
}

/** Everything is on the device on return, but the entry of the directory in its parent. Throws what `exportToKafka` throws. */
export async function exportPartition(
  context: ViewContext,
  place: CopyPlace,
  signal?: AbortSignal,
): Promise<ExportedPartition> {
  const logEndOffset = await syncedLogEnd(context)
  const start = logStartOffset(context, listSegments(context))
  const copy = new PartitionCopy(context, place, start)
  try {
    for await (const stored of readBatchesWhole(context, start, logEndOffset, signal)) await copy.add(stored)
    await copy.end(logEndOffset)
  } finally {
    copy.close()
  }
  return copy.result(logEndOffset)
}

class PartitionCopy {
  readonly #segments: SegmentCopy
  /** Of the present segment: it has ends of transactions. */
  #hasControlBatch = false
  #batchCount = 0
  #largeBatchCount = 0
  #largestBatch: { baseOffset: number; sizeBytes: number } | undefined

  constructor(
    private readonly context: ViewContext,
    private readonly place: CopyPlace,
    private readonly logStartOffset: number,
  ) {
    this.#segments = new SegmentCopy(context.system, place, logStartOffset, (baseOffset) => {
      // Kafka verifies a segment that has no indexes, and builds them, .txnindex too, by which its consumers tell aborted records.
      if (this.#hasControlBatch) this.#unlinkIndexes(baseOffset)
      this.#hasControlBatch = false
    })
  }

  async add(stored: StoredBatch): Promise<void> {
    const { isControl, baseOffset, sizeBytes } = stored.batch
    await this.#segments.add(stored, KAFKA_FIRST_EPOCH)
    this.#hasControlBatch ||= isControl
    this.#batchCount += 1
    if (sizeBytes > KAFKA_MAX_MESSAGE_BYTES) this.#largeBatchCount += 1
    if (sizeBytes > (this.#largestBatch?.sizeBytes ?? 0)) this.#largestBatch = { baseOffset, sizeBytes }
  }

  async end(logEndOffset: number): Promise<void> {
    await this.#segments.end(logEndOffset)
    const { system } = this.context
    const { directory, ownership } = this.place
    const epoch = { epoch: KAFKA_FIRST_EPOCH, startOffset: this.#segments.firstBaseOffset ?? logEndOffset }
    replaceFile(system, `${directory}/${LEADER_EPOCH_CHECKPOINT_FILE}`, formatLeaderEpochCheckpoint([epoch]), ownership)
    system.fs.syncDirectory(directory)
  }

  close(): void {
    this.#segments.close()
  }

  result(logEndOffset: number): ExportedPartition {
    return {
      partition: this.context.partition,
      directory: this.place.directory,
      startOffset: this.#segments.firstBaseOffset ?? logEndOffset,
      logStartOffset: this.logStartOffset,
      logEndOffset,
      segmentCount: this.#segments.segmentCount,
      batchCount: this.#batchCount,
      sizeBytes: this.#segments.sizeBytes,
      largeBatchCount: this.#largeBatchCount,
      largestBatch: this.#largestBatch,
    }
  }

  #unlinkIndexes(baseOffset: number): void {
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const)
      this.context.system.fs.unlink(`${this.place.directory}/${segmentFileName(baseOffset, suffix)}`)
  }
}
