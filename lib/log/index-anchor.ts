/**
 * From where the end of a segment has to be walked: the last index entry below a position, believed only after the batch that it
 * points at was looked at. Saves recovery and readers the walk from the segment's first byte.
 */
import type { FileSystem } from '../system/file-system.js'
import { BatchPlaces, type BatchPlace } from './batch-places.js'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndexReader } from './offset-index.js'
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
  const batch = batchOfSlot(places, offsetIndex, slot)
  const first = places.at(0)
  if (batch === undefined || first === undefined) return fromStart

  const tail = new SegmentTail(segment.baseOffset)
  const timeSlot = timeIndex.slotForOffset(batch.lastOffset)
  const timeEntry = timeIndex.entry(timeSlot)
  // A log whose records have no timestamps has an empty time index; otherwise an empty one was deleted and is built anew.
  if (timeEntry === undefined && first.maxTimestampMs >= 0) return fromStart
  if (timeEntry !== undefined) {
    if (!isTrue(places, offsetIndex, timeIndex, timeSlot)) return fromStart
    // A power cut may have taken the entries behind it: a largest timestamp that is too small would make all later entries wrong.
    if (!isLargestUpTo(places, offsetIndex, timeEntry, batch)) return fromStart
    tail.maxTimestampMs = timeEntry.timestampMs
    tail.maxTimestampOffset = timeEntry.offset
    tail.timeIndexTimestampMs = timeEntry.timestampMs
  }
  tail.offsetIndexBytes = (slot + 1) * OFFSET_INDEX_ENTRY_BYTES
  tail.timeIndexBytes = (timeSlot + 1) * TIME_INDEX_ENTRY_BYTES
  tail.firstTimestampMs = first.maxTimestampMs
  tail.bytesSinceIndexEntry = batch.sizeBytes
  tail.logBytes = batch.position + batch.sizeBytes
  tail.logEndOffset = batch.lastOffset + 1
  return tail
}

/** Whether no batch has a later timestamp than an entry of the time index says, up to and with a batch that is indexed. */
function isLargestUpTo(
  places: BatchPlaces,
  offsetIndex: OffsetIndexReader,
  { timestampMs, offset }: TimeIndexEntry,
  last: BatchPlace,
): boolean {
  for (const place of places.from(believableEntry(places, offsetIndex, offset)?.position ?? 0)) {
    if (place.position > last.position) return true
    if (place.maxTimestampMs > timestampMs) return false
  }
  return true
}

/**
 * The batch that an entry of the offset index points at, when it is there, has that last offset, and is reached by walking from the
 * entry before: bytes that look like a batch may also be the value of a record.
 */
export function batchOfSlot(places: BatchPlaces, index: OffsetIndexReader, slot: number): BatchPlace | undefined {
  const entry = index.entry(slot)
  const start = slot === 0 ? 0 : index.entry(slot - 1)?.position
  if (entry === undefined || start === undefined || start > entry.position) return undefined
  const batch = places.at(entry.position)
  if (batch?.lastOffset !== entry.offset) return undefined
  for (const { position } of places.from(start))
    if (position >= entry.position) return position === entry.position ? batch : undefined
  return undefined
}

/** Entries that cannot be believed and are passed over in one look-up. Behind so many the walk from the segment's start costs less. */
const MOST_TRIES = 8

/** The last entry at or below an offset that can be believed; undefined when there is none, and the segment's start has to do. */
export function believableEntry(places: BatchPlaces, index: OffsetIndexReader, offset: number): BatchPlace | undefined {
  const last = index.slotFor(offset)
  for (let slot = last; slot >= 0 && slot > last - MOST_TRIES; slot -= 1) {
    const batch = batchOfSlot(places, index, slot)
    if (batch !== undefined && batch.lastOffset <= offset) return batch
  }
  return undefined
}

/**
 * Whether the batch that a time-index entry names is there, has that timestamp, and is the first since the entry before to have it or a
 * later one. A damaged entry must not hide records.
 */
export function isTrue(
  places: BatchPlaces,
  offsetIndex: OffsetIndexReader | undefined,
  timeIndex: TimeIndexReader,
  slot: number,
): boolean {
  const entry = timeIndex.entry(slot)
  const before = slot === 0 ? { timestampMs: -1, offset: -1 } : timeIndex.entry(slot - 1)
  if (entry === undefined || before === undefined) return false
  if (before.timestampMs >= entry.timestampMs || before.offset >= entry.offset) return false
  const from = offsetIndex === undefined ? undefined : believableEntry(places, offsetIndex, before.offset)
  for (const place of places.from(from?.position ?? 0)) {
    if (place.lastOffset >= entry.offset) {
      return place.lastOffset === entry.offset && place.maxTimestampMs === entry.timestampMs
    }
    if (place.maxTimestampMs >= entry.timestampMs) return false
  }
  return false
}
