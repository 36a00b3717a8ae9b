/**
 * Which segments retention removes, and why each of the others stays, from what is known of them: pure, so that every rule has a row in
 * a table (test/maintain/retention-plan.test.ts). The rules are in format-spec/retention.md. What retention does and what is said of it
 * come from here alike.
 */
import { writtenMs, type SegmentTimes, type WrittenTimes } from '../../log/segment-times.js'

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

/** Why a closed segment goes. */
export type RemovalReason =
  | 'expired' // it is older than retentionMs
  | 'excess' // with it, the partition is larger than retentionBytes
  | 'hard-limit' // the same of a hard limit, which nothing but a missing archive withstands

/** Why a closed segment stays. */
export type StayReason =
  | 'not-due' // no limit is reached
  | 'newest' // it is too much, but the newest records stay whatever the size
  | 'held' // it is due, and a group has not read all of it
  | 'not-archived' // it is due, and not in the archive
  | 'behind' // it is due, but segments go in order, and an older one stays

export interface RetentionPlan {
  /** How many of the oldest closed segments go. */
  readonly removeCount: number
  /** Segments that would go, were they not held. */
  readonly heldCount: number
  /** Of each closed segment. */
  readonly reasons: readonly (RemovalReason | StayReason)[]
}

/** `closed`: oldest first. `activeBytes`: size of the active segment. */
export function planRetention(
  closed: readonly RetentionSegment[],
  activeBytes: number,
  limits: RetentionLimits,
): RetentionPlan {
  const { nowMs, retentionMs, retentionBytes, heldFromOffset, unarchivedFromOffset, hardMs, hardBytes } = limits
  let leftBytes = closed.reduce((sum, { sizeBytes }) => sum + sizeBytes, activeBytes)
  let removeCount = 0
  let heldCount = 0
  const reasons: (RemovalReason | StayReason)[] = []
  for (const [n, segment] of closed.entries()) {
    // The newest records stay, whatever the size: with nothing in the active segment those are in the last closed one.
    const isNewest = activeBytes === 0 && n === closed.length - 1
    const isAbove = (bytes: number) => bytes >= 0 && leftBytes > bytes
    const isDue = (ms: number, bytes: number) => isExpired(segment, ms, nowMs) || (!isNewest && isAbove(bytes))
    const isHardDue = isDue(hardMs, hardBytes)
    // What follows a segment that is not due, or that is held, stays.
    const isBlocked = reasons.length > removeCount
    if (!isDue(retentionMs, retentionBytes) && !isHardDue) {
      reasons.push(isAbove(retentionBytes) || isAbove(hardBytes) ? 'newest' : 'not-due')
      // Nothing behind it is due by size; what is by age waits for it.
      for (const later of closed.slice(n + 1)) {
        const isOld = isExpired(later, retentionMs, nowMs) || isExpired(later, hardMs, nowMs)
        reasons.push(isOld ? 'behind' : 'not-due')
      }
      break
    }
    const isWanted = segment.nextOffset > heldFromOffset
    if (segment.nextOffset > unarchivedFromOffset) reasons.push('not-archived')
    else if (isWanted && !isHardDue) reasons.push('held')
    else if (isBlocked) reasons.push('behind')
    else if (isWanted || !isDue(retentionMs, retentionBytes)) reasons.push('hard-limit')
    else reasons.push(isExpired(segment, retentionMs, nowMs) ? 'expired' : 'excess')
    if (isRemoval(reasons.at(-1))) removeCount += 1
    else heldCount += 1
    leftBytes -= segment.sizeBytes
  }
  return { removeCount, heldCount, reasons }
}

export function isRemoval(reason: RemovalReason | StayReason | undefined): reason is RemovalReason {
  return reason === 'expired' || reason === 'excess' || reason === 'hard-limit'
}

export function isExpired(segment: WrittenTimes, retentionMs: number, nowMs: number): boolean {
  return retentionMs >= 0 && nowMs - writtenMs(segment) > retentionMs
}

export function bytesOf(segments: readonly Pick<SegmentTimes, 'sizeBytes'>[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
