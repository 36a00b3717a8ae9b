/**
 * Which segments retention removes, from what is known of them: pure, so that every rule has a row in a table
 * (test/maintain/retention-plan.test.ts). The rules are in format-spec/retention.md.
 */
import { writtenMs, type SegmentTimes } from '../../log/segment-times.js'

export interface RetentionSegment extends SegmentTimes {
  /** Where the next segment begins. The active one has none, and is never removed. */
  readonly nextOffset: number
}

export interface RetentionLimits {
  readonly nowMs: number
  /** Age of its newest record at which a segment goes; -1 for never. */
  readonly retentionMs: number
  /** Size of the partition above which its oldest segments go; -1 for no limit. */
  readonly retentionBytes: number
  /** Records from here on are wanted by a group, and stay until a hard limit is reached. */
  readonly heldFromOffset: number
  /** Records from here on are not archived, and stay. */
  readonly unarchivedFromOffset: number
  /** Age or size at which what is held goes all the same; -1 for never. */
  readonly hardMs: number
  readonly hardBytes: number
}

export interface RetentionPlan {
  /** How many of the oldest closed segments go. */
  readonly removeCount: number
  /** Segments that would go, were they not held. */
  readonly heldCount: number
}

/** `closed`: oldest first. `activeBytes`: size of the active segment. */
export function planRetention(
  closed: readonly RetentionSegment[],
  activeBytes: number,
  limits: RetentionLimits,
): RetentionPlan {
  const { retentionMs, retentionBytes, heldFromOffset, unarchivedFromOffset, hardMs, hardBytes } = limits
  let leftBytes = closed.reduce((sum, { sizeBytes }) => sum + sizeBytes, activeBytes)
  let removeCount = 0
  let heldCount = 0
  for (const [n, segment] of closed.entries()) {
    // The newest records stay, whatever the size: with nothing in the active segment those are in the last closed one.
    const isNewest = activeBytes === 0 && n === closed.length - 1
    const isDue = (ms: number, bytes: number) =>
      isExpired(segment, ms, limits.nowMs) || (!isNewest && bytes >= 0 && leftBytes > bytes)
    if (!isDue(retentionMs, retentionBytes) && !isDue(hardMs, hardBytes)) break
    const isWanted = segment.nextOffset > heldFromOffset && !isDue(hardMs, hardBytes)
    const isHeld = isWanted || segment.nextOffset > unarchivedFromOffset
    // What follows a segment that stays, stays.
    if (isHeld || heldCount > 0) heldCount += 1
    else removeCount += 1
    leftBytes -= segment.sizeBytes
  }
  return { removeCount, heldCount }
}

export function isExpired(
  segment: Pick<SegmentTimes, 'maxTimestampMs' | 'modifiedMs'>,
  retentionMs: number,
  nowMs: number,
): boolean {
  return retentionMs >= 0 && nowMs - writtenMs(segment) > retentionMs
}
