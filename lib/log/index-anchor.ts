/**
 * From where the end of a segment has to be walked: the last index entry below a position, believed only after the batch that it
 * points at was looked at. Saves recovery and readers the walk from the segment's first byte.
 */
import type { FileSystem } from '../system/file-system.js'
import { BatchPlaces, type BatchPlace } from './batch-places.js'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndexReader, type OffsetIndexEntry } from './offset-index.js'
import { SegmentTail } from './segment-tail.js'
import { TIME_INDEX_ENTRY_BYTES, TimeIndexReader, type TimeIndexEntry } from './time-index.js'

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
  const places = new BatchPlaces(fs, segment.logFd)
  const slot = offsetIndex.slotForPosition(position - 1)
  const entry = offsetIndex.entry(slot)
  if (entry === undefined) return fromStart
  const batch = batchOfEntry(places, entry)
  const first = places.at(0)
  if (batch === undefined || first === undefined) return fromStart

  const tail = new SegmentTail(segment.baseOffset)
  const timeSlot = timeIndex.slotForOffset(entry.offset)
  const timeEntry = timeIndex.entry(timeSlot)
  // A log whose records have no timestamps has an empty time index; otherwise an empty one was deleted and is built anew.
  if (timeEntry === undefined && first.maxTimestampMs >= 0) return fromStart
  if (timeEntry !== undefined) {
    if (!isTrue(places, offsetIndex, timeEntry)) return fromStart
    tail.maxTimestampMs = timeEntry.timestampMs
    tail.maxTimestampOffset = timeEntry.offset
    tail.timeIndexTimestampMs = timeEntry.timestampMs
  }
  tail.offsetIndexBytes = (slot + 1) * OFFSET_INDEX_ENTRY_BYTES
  tail.timeIndexBytes = (timeSlot + 1) * TIME_INDEX_ENTRY_BYTES
  tail.firstTimestampMs = first.maxTimestampMs
  tail.bytesSinceIndexEntry = batch.sizeBytes
  tail.logBytes = entry.position + batch.sizeBytes
  tail.logEndOffset = entry.offset + 1
  return tail
}

/** The batch that an offset-index entry points at, when it is there and has that last offset. */
export function batchOfEntry(places: BatchPlaces, entry: OffsetIndexEntry): BatchPlace | undefined {
  const batch = places.at(entry.position)
  return batch?.lastOffset === entry.offset ? batch : undefined
}

/** The last entry at or below an offset that can be believed; undefined when there is none, and the segment's start has to do. */
export function believableEntry(places: BatchPlaces, index: OffsetIndexReader, offset: number): BatchPlace | undefined {
  const entry = index.entry(index.slotFor(offset))
  return entry === undefined ? undefined : batchOfEntry(places, entry)
}

/** Whether the batch that a time-index entry names is there and has that timestamp. A damaged entry must not hide records. */
export function isTrue(places: BatchPlaces, offsetIndex: OffsetIndexReader | undefined, entry: TimeIndexEntry): boolean {
  const from = offsetIndex === undefined ? undefined : believableEntry(places, offsetIndex, entry.offset)
  for (const place of places.from(from?.position ?? 0)) {
    if (place.lastOffset >= entry.offset) {
      return place.lastOffset === entry.offset && place.maxTimestampMs === entry.timestampMs
    }
  }
  return false
}
