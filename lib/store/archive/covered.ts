/** Looking through the segments of a manifest, which are in the order of their offsets and do not overlap (format-spec/archive.md). */
import type { ArchivedSegment } from './manifest.js'

/** How far the segments reach from an offset on without a gap, as far as `enough`; the offset itself where none has it. */
export function coveredUpTo(segments: readonly ArchivedSegment[], fromOffset: number, enough = Infinity): number {
  let upTo = fromOffset
  for (let n = firstEndingAbove(segments, fromOffset); upTo < enough; n += 1) {
    const segment = segments[n]
    if (segment === undefined || segment.baseOffset > upTo) break
    upTo = segment.endOffset
  }
  return upTo
}

/** Index of the first segment that ends above an offset; their number when none does. */
export function firstEndingAbove(segments: readonly ArchivedSegment[], offset: number): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((segments[middle]?.endOffset ?? Infinity) > offset) high = middle
    else low = middle + 1
  }
  return low
}
