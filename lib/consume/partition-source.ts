/**
 * The records of one partition, one after the other, as the merge of many partitions asks for them. While it is open, a source lends
 * its records from the batch that was read, and holds that batch. When all sources together hold too much, one is parked: it keeps
 * copies of its next few records and lets go of the batch, which is read again when those are used up. So a merge of any number of
 * partitions with batches of any size holds a bounded number of bytes, and what it costs is reading: a parked source reads a batch
 * about as often as its records are many times what it may keep.
 */
import type { ViewContext } from '../log/log-view.js'
import { readPartitionBackwards } from '../log/read-backwards.js'
import { readPartition, type BatchSlice } from '../log/read-partition.js'
import { SliceWalk, type Direction } from '../log/slice-walk.js'
import { copyRecord, type LentRecord } from '../record/lent-record.js'
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
/** What a copied record costs beside its bytes. */
const RECORD_OVERHEAD_BYTES = 500

export class PartitionSource {
  readonly context: ViewContext
  /** Of the current record, once `next` was true. */
  timestampMs: number | bigint = -1
  /** Bytes that it holds while open, about; 0 when parked. */
  heldBytes = 0

  #slices: AsyncGenerator<BatchSlice, void, undefined> | undefined
  #slice: BatchSlice | undefined
  #walk: SliceWalk | undefined
  /** Lent, or a copy; undefined while its place alone is kept. */
  #current: LentRecord | undefined
  /** Copies of the records that come next, the first one last. */
  #kept: LentRecord[] = []
  /** What is not read yet, but for what is kept. */
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
    return this.#moveTo(this.#kept.pop() ?? this.#readInSlice())
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

  /** Lets go of the batch, and keeps copies of records of about so many bytes; of a larger current one its place alone. */
  async park(keepBytes: number): Promise<void> {
    let leftBytes = keepBytes
    const kept: LentRecord[] = []
    for (let record = this.#current; record !== undefined; record = this.#readInSlice()) {
      leftBytes -= bytesOf(record)
      if (leftBytes < 0) {
        this.#unread(record.offset)
        break
      }
      kept.push(copyRecord(record))
    }
    await this.close()
    this.#current = kept.shift()
    this.#kept = kept.reverse()
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
    this.#noteRead(this.options.direction === 'forwards' ? slice.batch.lastOffset : slice.batch.baseOffset)
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

function bytesOf(record: LentRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const { key, value } of record.headers) bytes += RECORD_OVERHEAD_BYTES + key.length + (value?.length ?? 0)
  return bytes
}
