/** Which segments of a manifest are asked for by offsets or times. Segments are restored as wholes. */
import type { ArchivedSegment } from '../store/archive/manifest.js'

/** Ends are excluded; what is left out is no limit. Offsets below 0 count from the end of the archive. */
export interface RestoreRange {
  readonly fromOffset?: number | undefined
  readonly toOffset?: number | undefined
  /** Segments with a record that is not older, and not as young: ms since the Unix epoch. */
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
  const { fromMs = -Infinity, toMs = Infinity } = range
  const segments = all.filter(
    ({ baseOffset, endOffset, firstTimestampMs, largestTimestampMs }) =>
      endOffset > from && baseOffset < to && largestTimestampMs >= fromMs && firstTimestampMs < toMs,
  )
  const [first] = segments
  return first === undefined ? undefined : { segments, startOffset: Math.max(first.baseOffset, from) }
}
