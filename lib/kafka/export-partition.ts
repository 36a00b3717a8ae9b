/** One partition as the directory that a Kafka broker has for it (format-spec/kafka.md, "From logq to Kafka"). */
import { LEADER_EPOCH_CHECKPOINT_FILE, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName } from '../log/file-names.js'
import { formatLeaderEpochCheckpoint } from '../log/leader-epochs.js'
import { listSegments, logStartOffset, type ViewContext } from '../log/log-view.js'
import { readBatchesWhole, syncedLogEnd, type StoredBatch } from '../log/read-batches.js'
import { SegmentWriter } from '../log/segment-writer.js'
import type { RecordBatch } from '../record/batch.js'
import { replaceFile, type Ownership } from '../system/durable.js'

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

export interface ExportPlace {
  /** Exists, and is empty. */
  readonly directory: string
  readonly ownership: Ownership
  readonly indexIntervalBytes: number
}

/** Everything is on the device on return, but the entry of the directory in its parent. Throws what `exportToKafka` throws. */
export async function exportPartition(
  context: ViewContext,
  place: ExportPlace,
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
  #writer: SegmentWriter | undefined
  /** A segment with the ends of transactions; its indexes are left out. */
  #hasControlBatch = false
  #firstBase: number | undefined
  #nextOffset: number | undefined
  #segmentCount = 0
  #batchCount = 0
  #sizeBytes = 0
  #largeBatchCount = 0
  #largestBatch: { baseOffset: number; sizeBytes: number } | undefined

  constructor(
    private readonly context: ViewContext,
    private readonly place: ExportPlace,
    private readonly logStartOffset: number,
  ) {}

  async add({ batch, segmentBaseOffset }: StoredBatch): Promise<void> {
    const writer = await this.#writerFor(batch, segmentBaseOffset)
    writer.append(batch, KAFKA_FIRST_EPOCH)
    this.#hasControlBatch ||= batch.isControl
    this.#nextOffset = batch.nextOffset
    this.#batchCount += 1
    this.#sizeBytes += batch.sizeBytes
    if (batch.sizeBytes > KAFKA_MAX_MESSAGE_BYTES) this.#largeBatchCount += 1
    if (batch.sizeBytes > (this.#largestBatch?.sizeBytes ?? 0))
      this.#largestBatch = { baseOffset: batch.baseOffset, sizeBytes: batch.sizeBytes }
  }

  /** An empty segment at the end says where the log goes on, when no batch does. */
  async end(logEndOffset: number): Promise<void> {
    if (this.#nextOffset !== logEndOffset) await this.#begin(logEndOffset)
    await this.#finishSegment()
    const { system } = this.context
    const { directory, ownership } = this.place
    const epoch = { epoch: KAFKA_FIRST_EPOCH, startOffset: this.#firstBase ?? logEndOffset }
    replaceFile(system, `${directory}/${LEADER_EPOCH_CHECKPOINT_FILE}`, formatLeaderEpochCheckpoint([epoch]), ownership)
    system.fs.syncDirectory(directory)
  }

  close(): void {
    this.#writer?.close()
    this.#writer = undefined
  }

  result(logEndOffset: number): ExportedPartition {
    return {
      partition: this.context.partition,
      directory: this.place.directory,
      startOffset: this.#firstBase ?? logEndOffset,
      logStartOffset: this.logStartOffset,
      logEndOffset,
      segmentCount: this.#segmentCount,
      batchCount: this.#batchCount,
      sizeBytes: this.#sizeBytes,
      largeBatchCount: this.#largeBatchCount,
      largestBatch: this.#largestBatch,
    }
  }

  /** The same segments as in the store; one that was merged into an earlier one meanwhile goes on where it is. */
  async #writerFor(batch: RecordBatch, segmentBaseOffset: number): Promise<SegmentWriter> {
    const writer = this.#writer
    if (writer === undefined) {
      // Whole batches below the log start are left out, and Kafka starts a log where its first segment begins.
      return this.#begin(Math.min(Math.max(segmentBaseOffset, this.logStartOffset), batch.baseOffset))
    }
    if (segmentBaseOffset > writer.baseOffset) return this.#begin(segmentBaseOffset)
    return writer.hasRoomFor(batch) ? writer : this.#begin(batch.baseOffset)
  }

  async #begin(baseOffset: number): Promise<SegmentWriter> {
    await this.#finishSegment()
    const { directory, ownership, indexIntervalBytes } = this.place
    this.context.system.failpoint('kafka-export.before-segment')
    const writer = SegmentWriter.create(this.context.system, directory, baseOffset, ownership, indexIntervalBytes)
    this.#writer = writer
    this.#firstBase ??= baseOffset
    this.#segmentCount += 1
    return writer
  }

  async #finishSegment(): Promise<void> {
    const writer = this.#writer
    if (writer === undefined) return
    await writer.finish()
    this.close()
    // Kafka verifies a segment that has no indexes, and builds them, .txnindex too, by which its consumers tell aborted records.
    if (this.#hasControlBatch) this.#unlinkIndexes(writer.baseOffset)
    this.#hasControlBatch = false
  }

  #unlinkIndexes(baseOffset: number): void {
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const)
      this.context.system.fs.unlink(`${this.place.directory}/${segmentFileName(baseOffset, suffix)}`)
  }
}
