/** Why what is still there of a partition is there: runs of segments that have one reason, for those who explain it. Pure. */
import { writtenMs } from '../../log/segment-times.js'
import type { PartitionOutlook } from './retention-look.js'
import { bytesOf, isRemoval, type RetentionSegment, type StayReason } from './retention-plan.js'

export interface KeptSegments {
  /** 'active': it is being written, and is not looked at before it is closed. */
  readonly reason: StayReason | 'active'
  /** Base offsets, ascending. */
  readonly segments: readonly number[]
  readonly sizeBytes: number
  readonly fromOffset: number
  /** The end is excluded; null for the active segment. */
  readonly toOffset: number | null
  /** When the first of them is due by its age, and the last, in ms since the Unix epoch; null for never. */
  readonly dueMs: number | null
  readonly lastDueMs: number | null
  /** The first is due, too, when so many bytes more are appended; null for never. */
  readonly dueAfterBytes: number | null
  /** Groups that hold it. */
  readonly heldBy: readonly string[]
}

/** In the order of the offsets. */
export function keptSegments({ closed, active, plan, limits, held, rollMs }: PartitionOutlook): KeptSegments[] {
  const { retentionMs, retentionBytes, hardMs, hardBytes } = limits
  const activeBytes = active?.sizeBytes ?? 0
  const runs: { readonly reason: StayReason; readonly from: number; to: number }[] = []
  for (const [n, reason] of plan.reasons.entries()) {
    if (isRemoval(reason)) continue
    const last = runs.at(-1)
    if (last?.reason === reason) last.to = n + 1
    else runs.push({ reason, from: n, to: n + 1 })
  }
  // Segments go in order: none before those that are older.
  let latestMs = -Infinity
  const dueMsOf = (segment: RetentionSegment, limitMs: number) => {
    latestMs = Math.max(latestMs, writtenMs(segment))
    return limitMs < 0 ? null : latestMs + limitMs
  }
  const kept = runs.map(({ reason, from, to }): KeptSegments => {
    const segments = closed.slice(from, to)
    // What is due but for a group or an archive waits for no time, unless a hard limit ends that.
    const limitMs = reason === 'not-due' ? retentionMs : reason === 'held' ? hardMs : -1
    const limitBytes = reason === 'not-due' ? retentionBytes : reason === 'held' ? hardBytes : -1
    const dues = segments.map((segment) => dueMsOf(segment, limitMs))
    const leftBytes = bytesOf(closed.slice(from)) + activeBytes
    return {
      reason,
      segments: segments.map(({ baseOffset }) => baseOffset),
      sizeBytes: bytesOf(segments),
      fromOffset: segments[0]?.baseOffset ?? 0,
      toOffset: segments.at(-1)?.nextOffset ?? 0,
      dueMs: dues[0] ?? null,
      lastDueMs: dues.at(-1) ?? null,
      dueAfterBytes: limitBytes < 0 ? null : Math.max(0, limitBytes - leftBytes) + 1,
      heldBy: reason === 'held' ? held.by : [],
    }
  })
  if (active === undefined || active.sizeBytes === 0) return kept
  const closedMs = Math.max(latestMs, writtenMs(active))
  const activeDueMs = retentionMs < 0 || rollMs === undefined ? null : Math.max(rollMs, closedMs + retentionMs)
  return [
    ...kept,
    {
      reason: 'active',
      segments: [active.baseOffset],
      sizeBytes: active.sizeBytes,
      fromOffset: active.baseOffset,
      toOffset: null,
      dueMs: activeDueMs,
      lastDueMs: activeDueMs,
      dueAfterBytes: null,
      heldBy: [],
    },
  ]
}
