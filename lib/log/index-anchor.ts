/**
 * From where the end of a segment has to be walked: the last index entry below a position, believed only after the batch that it
 * points at was looked at. Saves recovery and readers the walk from the segment's first byte.
 */
import type { FileSystem } from '../system/file-system.js'
import type { RecordBatch } from '../record/batch.js'
import { BatchScanner } from './batch-scanner.js'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndexReader, type OffsetIndexEntry } from './offset-index.js'
import { SegmentTail } from './segment-tail.js'
import { TIME_INDEX_ENTRY_BYTES, TimeIndexReader } from './time-index.js'

export interface SegmentDescriptors {
  readonly baseOffset: number
  readonly logFd: number
  readonly offsetIndexFd: number
  readonly timeIndexFd: number
}

/**
 * What is known of the segment up to the end of the last indexed batch that starts below `position`; a tail at the segment's first
 * byte when the indexes are missing, too short or wrong. The walk goes on from `tail.logBytes`.
 */
export function anchorBelow(fs: FileSystem, segment: SegmentDescriptors, position: number): SegmentTail {
  const fromStart = new SegmentTail(segment.baseOffset)
  const offsetIndex = new OffsetIndexReader(fs, segment.offsetIndexFd, segment.baseOffset)
  const timeIndex = new TimeIndexReader(fs, segment.timeIndexFd, segment.baseOffset)
  const slot = offsetIndex.slotForPosition(position - 1)
  const entry = offsetIndex.entry(slot)
  if (entry === undefined) return fromStart
  const batch = batchOfEntry(fs, segment.logFd, entry)
  const first = batchAt(fs, segment.logFd, 0)
  if (batch === undefined || first === undefined) return fromStart

  const tail = new SegmentTail(segment.baseOffset)
  const timeSlot = timeIndex.slotForOffset(entry.offset)
  const timeEntry = timeIndex.entry(timeSlot)
  // A log whose records have no timestamps has an empty time index; otherwise an empty one was deleted and is built anew.
  if (timeEntry === undefined && indexableTimestamp(first) >= 0) return fromStart
  if (timeEntry !== undefined) {
    const largest = timeEntry.offset === entry.offset ? batch : undefined
    if (largest !== undefined && indexableTimestamp(largest) !== timeEntry.timestampMs) return fromStart
    tail.maxTimestampMs = timeEntry.timestampMs
    tail.maxTimestampOffset = timeEntry.offset
    tail.timeIndexTimestampMs = timeEntry.timestampMs
  }
  tail.offsetIndexBytes = (slot + 1) * OFFSET_INDEX_ENTRY_BYTES
  tail.timeIndexBytes = (timeSlot + 1) * TIME_INDEX_ENTRY_BYTES
  tail.firstTimestampMs = indexableTimestamp(first)
  tail.bytesSinceIndexEntry = batch.sizeBytes
  tail.logBytes = entry.position + batch.sizeBytes
  tail.logEndOffset = entry.offset + 1
  return tail
}

/** The batch that an offset-index entry points at, when it is there and has that last offset. */
export function batchOfEntry(fs: FileSystem, logFd: number, entry: OffsetIndexEntry): RecordBatch | undefined {
  const batch = batchAt(fs, logFd, entry.position)
  return batch?.lastOffset === entry.offset ? batch : undefined
}

/** Timestamps beyond 2^53-1, which only a foreign producer can have written, are indexed as that limit. */
export function indexableTimestamp(batch: Pick<RecordBatch, 'maxTimestampMs'>): number {
  const { maxTimestampMs } = batch
  if (typeof maxTimestampMs === 'number') return maxTimestampMs
  return maxTimestampMs > 0n ? Number.MAX_SAFE_INTEGER : -1
}

function batchAt(fs: FileSystem, logFd: number, position: number): RecordBatch | undefined {
  const step = new BatchScanner(fs, logFd, position, { checkCrc: false, chunkBytes: 4096 }).next()
  return step.kind === 'batch' ? step.batch : undefined
}
