/** Whether the clock looks wrong to retention: what it goes by is the clock; when that jumped, everything looks old. */
import type { PartitionOutlook } from './retention-look.js'
import { bytesOf } from './retention-plan.js'

/** Above this part of a topic's bytes, what would go is suspicious where the clock is. */
const SUSPICIOUS_PART = 0.9

export interface DoubtfulClock {
  /** When retention looked at the topic last. */
  readonly lastMs: number
  readonly leavingBytes: number
  readonly totalBytes: number
}

/** Undefined when nothing is wrong with it, or little would go. `lastMs`: the last run on the topic, if any. */
export function doubtfulClock(
  lastMs: number | undefined,
  nowMs: number,
  retentionMs: number,
  outlooks: readonly Pick<PartitionOutlook, 'closed' | 'active' | 'plan'>[],
): DoubtfulClock | undefined {
  if (lastMs === undefined) return undefined
  const isBack = nowMs < lastMs
  const isFar = retentionMs >= 0 && nowMs - lastMs > retentionMs
  if (!isBack && !isFar) return undefined
  const totalBytes = outlooks.reduce((sum, { closed, active }) => sum + bytesOf(closed) + (active?.sizeBytes ?? 0), 0)
  const leavingBytes = outlooks.reduce((sum, { closed, plan }) => sum + bytesOf(closed.slice(0, plan.removeCount)), 0)
  return leavingBytes > totalBytes * SUSPICIOUS_PART ? { lastMs, leavingBytes, totalBytes } : undefined
}
