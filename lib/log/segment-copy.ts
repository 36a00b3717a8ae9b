/** Copies the batches of a log into a directory of its own, segment for segment (segment-writer.ts). */
import type { Ownership } from '../system/durable.js'
import type { System } from '../system/system.js'
import type { StoredBatch } from './read-batches.js'
import { SegmentTail } from './segment-tail.js'
import { SegmentWriter } from './segment-writer.js'

export interface CopyPlace {
  /** Exists, and is empty. */
  readonly directory: string
  readonly ownership: Ownership
  readonly indexIntervalBytes: number
}

export class SegmentCopy {
  #writer: SegmentWriter | undefined
  #tail = new SegmentTail(0)
  /** The base offset of the first segment. */
  firstBaseOffset: number | undefined
  segmentCount = 0
  sizeBytes = 0

  /** `onSegment` is called with the base offset of each segment once it is on the device. */
  constructor(
    private readonly system: System,
    private readonly place: CopyPlace,
    private readonly logStartOffset: number,
    private readonly onSegment: (baseOffset: number) => void = () => undefined,
  ) {}

  async add(stored: StoredBatch, leaderEpoch: number): Promise<void> {
    const writer = await this.#writerFor(stored)
    writer.append(stored.batch, leaderEpoch)
    this.sizeBytes += stored.batch.sizeBytes
  }

  /** An empty segment at the end says where the log goes on, when no batch does. Returns the tail of the last segment. */
  async end(logEndOffset: number): Promise<SegmentTail> {
    if (this.#writer?.tail.logEndOffset !== logEndOffset) await this.#begin(logEndOffset)
    await this.#finishSegment()
    return this.#tail
  }

  close(): void {
    this.#writer?.close()
    this.#writer = undefined
  }

  /** The same segments as in the source; one that was merged into an earlier one meanwhile goes on where it is. */
  async #writerFor({ batch, segmentBaseOffset }: StoredBatch): Promise<SegmentWriter> {
    const writer = this.#writer
    // Whole batches below the log start are left out. Kafka starts a log where its first segment begins.
    if (writer === undefined)
      return await this.#begin(Math.min(Math.max(segmentBaseOffset, this.logStartOffset), batch.baseOffset))
    if (segmentBaseOffset > writer.baseOffset) return await this.#begin(segmentBaseOffset)
    return writer.hasRoomFor(batch) ? writer : await this.#begin(batch.baseOffset)
  }

  async #begin(baseOffset: number): Promise<SegmentWriter> {
    await this.#finishSegment()
    const { directory, ownership, indexIntervalBytes } = this.place
    this.system.failpoint('copy.before-segment')
    const writer = SegmentWriter.create(this.system, directory, baseOffset, ownership, indexIntervalBytes)
    this.#writer = writer
    this.firstBaseOffset ??= baseOffset
    this.segmentCount += 1
    return writer
  }

  async #finishSegment(): Promise<void> {
    const writer = this.#writer
    if (writer === undefined) return
    await writer.finish()
    this.#tail = writer.tail
    this.close()
    this.onSegment(writer.baseOffset)
  }
}
