/** Whether the clock looks wrong to retention: what it goes by is the clock; when that jumped, everything looks old. */

/** Above this part of a topic's bytes, what would go is suspicious where the clock is. */
const SUSPICIOUS_PART = 0.9

export interface DoubtfulClock {
  /** When retention looked at the topic last. */
  readonly lastMs: number
  readonly leavingBytes: number
  readonly totalBytes: number
}

/**
 * Undefined when nothing is wrong with it, or little would go. `lastMs`: the last run on the topic, if any; `leavingBytes`: what would go
 * of the topic's `totalBytes`.
 */
export function doubtfulClock(
  lastMs: number | undefined,
  nowMs: number,
  retentionMs: number,
  { leavingBytes, totalBytes }: Pick<DoubtfulClock, 'leavingBytes' | 'totalBytes'>,
): DoubtfulClock | undefined {
  if (lastMs === undefined) return undefined
  const isBack = nowMs < lastMs
  const isFar = retentionMs >= 0 && nowMs - lastMs > retentionMs
  const isSuspicious = leavingBytes > totalBytes * SUSPICIOUS_PART
  return (isBack || isFar) && isSuspicious ? { lastMs, leavingBytes, totalBytes } : undefined
}
