/**
 * What has to be known of the end of the active segment to append to it, and how a batch changes that: length, end offset, largest
 * timestamp, and when the next index entries are due. Append, recovery and index rebuild all go through `advance`, so that
 * they cannot come to different indexes. The rules are Kafka's (format-spec/offset-index.md, time-index.md).
 */
import { OFFSET_INDEX_ENTRY_BYTES, encodeOffsetIndexEntry } from './offset-index.js'
import { TIME_INDEX_ENTRY_BYTES, encodeTimeIndexEntry } from './time-index.js'

export interface AppendedBatch {
  readonly lastOffset: number
  readonly maxTimestampMs: number
  readonly sizeBytes: number
}

/** Where index entries go. Both may fail: an index is a cache, and a log that was written is not undone for it. */
export interface IndexSink {
  /** True when the entry was written. */
  writeOffsetEntry(bytes: Uint8Array, position: number): boolean
  writeTimeEntry(bytes: Uint8Array, position: number): boolean
}

export class SegmentTail {
  logBytes = 0
  logEndOffset: number
  maxTimestampMs = -1
  maxTimestampOffset: number
  firstTimestampMs = -1
  bytesSinceIndexEntry = 0
  offsetIndexBytes = 0
  timeIndexBytes = 0
  timeIndexTimestampMs = -1

  constructor(readonly baseOffset: number) {
    this.logEndOffset = baseOffset
    this.maxTimestampOffset = baseOffset
  }

  /** Takes in a batch that now stands at the end of the .log, and writes the index entries that are due. */
  advance(batch: AppendedBatch, indexIntervalBytes: number, sink: IndexSink): void {
    const position = this.logBytes
    if (position === 0) this.firstTimestampMs = batch.maxTimestampMs
    if (batch.maxTimestampMs > this.maxTimestampMs) {
      this.maxTimestampMs = batch.maxTimestampMs
      this.maxTimestampOffset = batch.lastOffset
    }
    // The time entry first: who finds an offset entry may rely on the time index being as far (index-anchor.ts).
    if (this.bytesSinceIndexEntry > indexIntervalBytes && this.#writeTimeEntry(sink)) {
      const entry = encodeOffsetIndexEntry({ offset: batch.lastOffset, position }, this.baseOffset)
      if (sink.writeOffsetEntry(entry, this.offsetIndexBytes)) {
        this.offsetIndexBytes += OFFSET_INDEX_ENTRY_BYTES
        this.bytesSinceIndexEntry = 0
      }
    }
    this.bytesSinceIndexEntry += batch.sizeBytes
    this.logBytes += batch.sizeBytes
    this.logEndOffset = batch.lastOffset + 1
  }

  /** At roll the time index gets the segment's largest timestamp, whatever the interval. */
  finish(sink: IndexSink): void {
    this.#writeTimeEntry(sink)
  }

  /** False when an entry was due and could not be written. */
  #writeTimeEntry(sink: IndexSink): boolean {
    if (this.maxTimestampMs <= this.timeIndexTimestampMs) return true
    const entry = encodeTimeIndexEntry({ timestampMs: this.maxTimestampMs, offset: this.maxTimestampOffset }, this.baseOffset)
    if (!sink.writeTimeEntry(entry, this.timeIndexBytes)) return false
    this.timeIndexBytes += TIME_INDEX_ENTRY_BYTES
    this.timeIndexTimestampMs = this.maxTimestampMs
    return true
  }
}
