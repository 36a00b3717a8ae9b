/**
 * The records of one partition, one after the other, as the merge of many partitions asks for them. While it is open, a source lends
 * its records from the batch that was read, and holds that batch. When all sources together hold too much, one is parked: it keeps
 * the bytes of its next few records and lets go of the batch, which is read again when those are used up. So a merge of any number of
 * partitions with batches of any size holds a bounded number of bytes, and what it costs is reading: the batch of a source that is
 * parked again and again is read about as often as it is larger than what may be kept of it.
 */
import type { ViewContext } from '../log/log-view.js'
import { readPartitionBackwards } from '../log/read-backwards.js'
import { readPartition, type BatchSlice } from '../log/read-partition.js'
import { SliceWalk, type Direction } from '../log/slice-walk.js'
import { partOfBatch } from '../record/batch-part.js'
import type { LentRecord } from '../record/lent-record.js'
import type { RecordPredicate } from '../record/record-predicate.js'

/** The records in [fromOffset, toOffset) of one partition. */
export interface PartitionRange {
  readonly context: ViewContext
  readonly fromOffset: number
  readonly toOffset: number
}

export interface SourceOptions {
  readonly direction: Direction
  readonly matches: RecordPredicate | undefined
  readonly signal: AbortSignal | undefined
}

/** What a reader has in memory beside a batch: what it read ahead. */
const READ_AHEAD_BYTES = 256 << 10

export class PartitionSource {
  readonly context: ViewContext
  /** Of the current record, once `next` was true. */
  timestampMs: number | bigint = -1
  /** Bytes that it holds while open, about; 0 when parked. */
  heldBytes = 0

  #slices: AsyncGenerator<BatchSlice, void, undefined> | undefined
  #slice: BatchSlice | undefined
  #walk: SliceWalk | undefined
  /** Whether the slice is a part that was kept: of the batch, more may follow. */
  #isPart = false
  /** Undefined while its place alone is kept. */
  #current: LentRecord | undefined
  /** What is not read yet. */
  #fromOffset: number
  #toOffset: number
  /** Offset of a record that was read, found to match, and not kept. */
  #knownOffset: number | undefined

  constructor(
    range: PartitionRange,
    /** Its place among the sources: of equal timestamps, the lower one comes first. */
    readonly index: number,
    private readonly options: SourceOptions,
  ) {
    this.context = range.context
    this.#fromOffset = range.fromOffset
    this.#toOffset = range.toOffset
  }

  /** Moves to the next record, when that is held already; else false, and `next` is to be called. */
  nextHeld(): boolean {
    return this.#moveTo(this.#readInSlice())
  }

  /** Moves to the next record; false after the last one. Throws what reading throws, and what `matches` throws. */
  async next(): Promise<boolean> {
    return this.nextHeld() || this.#moveTo(await this.#read())
  }

  /** The current record, when it is held: lent, until the next call. Else `readAgain` is to be called. */
  get record(): LentRecord | undefined {
    return this.#current
  }

  /** The current record, of which the place alone was kept. Undefined when it is gone by now, and all that followed. */
  async readAgain(): Promise<LentRecord | undefined> {
    this.#current = await this.#read()
    return this.#current
  }

  /** Lets go of the batch, and keeps the current record and the next few, of so many bytes; of a larger one its place alone. */
  async park(keepBytes: number): Promise<void> {
    const { direction } = this.options
    const [current, slice] = [this.#current, this.#slice]
    if (current === undefined || slice === undefined) return
    const { offset } = current
    const part = partOfBatch(slice.batch, offset, direction, keepBytes)
    await this.close()
    this.#unread(offset)
    this.#current = undefined
    if (part === undefined) return
    this.#slice = { ...slice, batch: part }
    this.#walk = new SliceWalk(this.#slice, direction)
    this.#isPart = true
    this.#current = this.#readInSlice()
  }

  /** Gives up what is open; reading on opens it again. */
  async close(): Promise<void> {
    await this.#slices?.return()
    this.#slices = undefined
    this.#slice = undefined
    this.#walk = undefined
    this.heldBytes = 0
  }

  #moveTo(record: LentRecord | undefined): boolean {
    this.#current = record
    if (record === undefined) return false
    this.timestampMs = record.timestampMs
    return true
  }

  async #read(): Promise<LentRecord | undefined> {
    for (;;) {
      const record = this.#readInSlice()
      if (record !== undefined) return record
      if (!(await this.#nextSlice())) return undefined
    }
  }

  async #nextSlice(): Promise<boolean> {
    const { direction, signal } = this.options
    const readRange = direction === 'forwards' ? readPartition : readPartitionBackwards
    this.#slices ??= readRange(this.context, this.#fromOffset, this.#toOffset, signal)
    const step = await this.#slices.next()
    if (step.done === true) {
      await this.close()
      return false
    }
    const slice = step.value
    const { batch } = slice
    this.#slice = slice
    this.#isPart = false
    let decompressedBytes = 0
    try {
      this.#walk = new SliceWalk(slice, direction)
      if (batch.codec !== 'none') decompressedBytes = batch.recordsArea().bytes.length
    } catch (error) {
      slice.failed(error)
    }
    this.heldBytes = Math.max(READ_AHEAD_BYTES, batch.sizeBytes) + decompressedBytes
    return true
  }

  /** The next record of the slice that matches. */
  #readInSlice(): LentRecord | undefined {
    const [slice, walk] = [this.#slice, this.#walk]
    if (slice === undefined || walk === undefined) return undefined
    try {
      while (walk.next()) {
        const { record } = walk
        this.#noteRead(record.offset)
        if (this.#isWanted(record)) return record
      }
    } catch (error) {
      slice.failed(error)
    }
    if (!this.#isPart) this.#noteRead(this.options.direction === 'forwards' ? slice.batch.lastOffset : slice.batch.baseOffset)
    this.#walk = undefined
    return undefined
  }

  #isWanted(record: LentRecord): boolean {
    const { matches } = this.options
    if (record.offset === this.#knownOffset) {
      this.#knownOffset = undefined
      return true
    }
    return matches === undefined || matches(this.context.topic, this.context.partition, record)
  }

  #noteRead(offset: number): void {
    if (this.options.direction === 'forwards') this.#fromOffset = offset + 1
    else this.#toOffset = offset
  }

  #unread(offset: number): void {
    this.#knownOffset = offset
    if (this.options.direction === 'forwards') this.#fromOffset = offset
    else this.#toOffset = offset + 1
  }
}
