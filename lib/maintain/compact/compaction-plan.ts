/**
 * What of a partition is to be compacted, and whether it is worth it: Kafka's rules (format-spec/compaction.md), from what is known of the
 * segments. Pure.
 */
import { writtenMs, type SegmentTimes } from '../../log/segment-times.js'

export interface CompactionLimits {
  readonly nowMs: number
  /** Part of the cleanable bytes that must be dirty, 0 to 1. */
  readonly minDirtyRatio: number
  /** Age that the newest record of a segment must have. */
  readonly minLagMs: number
  /** Age of a dirty record at which a pass is due whatever the ratio. */
  readonly maxLagMs: number
}

export interface CompactionPlan {
  /** The closed segments that a pass goes over: from the first one to the last that is old enough. */
  readonly segments: readonly SegmentTimes[]
  /** Where the first of them begins that no pass has been over. */
  readonly firstDirtyOffset: number
  /** Where the pass ends, excluded. */
  readonly endOffset: number
  readonly cleanBytes: number
  readonly dirtyBytes: number
  readonly isDue: boolean
}

/** `closed`: oldest first; `activeBaseOffset`: where they end. `cleanedOffset`: where the last pass ended. */
export function planCompaction(
  closed: readonly SegmentTimes[],
  activeBaseOffset: number,
  cleanedOffset: number,
  limits: CompactionLimits,
): CompactionPlan {
  const { nowMs, minDirtyRatio, minLagMs, maxLagMs } = limits
  // What was cut off since, and written again, was not cleaned.
  const firstDirtyOffset = cleanedOffset > activeBaseOffset ? 0 : cleanedOffset
  const isDirty = ({ baseOffset }: SegmentTimes) => baseOffset >= firstDirtyOffset
  const young = minLagMs > 0 ? closed.findIndex((segment) => isDirty(segment) && nowMs - writtenMs(segment) < minLagMs) : -1
  const segments = young < 0 ? closed : closed.slice(0, young)
  const endOffset = (young < 0 ? undefined : closed[young]?.baseOffset) ?? activeBaseOffset
  const dirty = segments.filter(isDirty)
  const dirtyBytes = bytesOf(dirty)
  const cleanBytes = bytesOf(segments) - dirtyBytes
  const ratio = dirtyBytes + cleanBytes === 0 ? 0 : dirtyBytes / (dirtyBytes + cleanBytes)
  const isOverdue = dirty.some(({ firstTimestampMs }) => firstTimestampMs > 0 && nowMs - firstTimestampMs > maxLagMs)
  const isDue = dirtyBytes + cleanBytes > 0 && ((isOverdue && dirtyBytes > 0) || ratio > minDirtyRatio || minDirtyRatio === 0)
  return { segments, firstDirtyOffset, endOffset, cleanBytes, dirtyBytes, isDue }
}

function bytesOf(segments: readonly SegmentTimes[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
