/** Which segments of a manifest are asked for by offsets or times. Segments are restored as wholes. */
import type { ArchivedSegment } from '../store/archive/manifest.js'

/** Ends are excluded; what is left out is no limit. Offsets below 0 count from the end of the archive. */
export interface RestoreRange {
  readonly fromOffset?: number | undefined
  readonly toOffset?: number | undefined
  /** From the first record that is not older, up to the first that is not younger, as in a log: ms since the Unix epoch. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

export interface ChosenSegments {
  readonly segments: readonly ArchivedSegment[]
  /** Where the restored log is to start: the offset asked for, where a segment holds it. */
  readonly startOffset: number
}

/** Undefined when the archive holds nothing of that. */
export function chooseSegments(all: readonly ArchivedSegment[], range: RestoreRange): ChosenSegments | undefined {
  const end = all.at(-1)?.endOffset ?? 0
  const absolute = (offset: number | undefined) => (offset !== undefined && offset < 0 ? Math.max(0, end + offset) : offset)
  const from = absolute(range.fromOffset) ?? 0
  const to = absolute(range.toOffset) ?? Infinity
  const inTime = chooseByTime(
    all.filter(({ baseOffset, endOffset }) => endOffset > from && baseOffset < to),
    range.fromMs ?? -Infinity,
    range.toMs ?? Infinity,
  )
  const [first] = inTime
  return first === undefined ? undefined : { segments: inTime, startOffset: Math.max(first.baseOffset, from) }
}

/**
 * One segment after the other, without a gap. Of the times in a segment the manifest knows the largest, and the largest of its first batch,
 * but not the smallest: so the segment in which the end is reached comes along, and so do later ones that begin with older records.
 */
function chooseByTime(segments: readonly ArchivedSegment[], fromMs: number, toMs: number): readonly ArchivedSegment[] {
  const first = segments.findIndex(({ largestTimestampMs }) => largestTimestampMs >= fromMs)
  if (first < 0 || toMs <= fromMs) return []
  const reached = segments.findIndex(({ largestTimestampMs }) => largestTimestampMs >= toMs)
  const older = segments.findLastIndex(
    ({ firstTimestampMs, largestTimestampMs }) => firstTimestampMs < toMs && largestTimestampMs >= fromMs,
  )
  return segments.slice(first, reached < 0 ? undefined : Math.max(reached, older) + 1)
}
