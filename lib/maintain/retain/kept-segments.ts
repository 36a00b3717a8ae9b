/** Why each segment of a partition is still there, or goes, and when it is due: for those who explain retention. Pure. */
import { writtenMs } from '../../log/segment-times.js'
import type { PartitionOutlook } from './retention-look.js'
import { bytesOf, isRemoval, type RemovalReason, type StayReason } from './retention-plan.js'

export interface SegmentOutlook {
  readonly baseOffset: number
  /** The end of it, excluded; null for the active segment. */
  readonly toOffset: number | null
  readonly sizeBytes: number
  /** Largest timestamp, -1 for none; and when it was written last. */
  readonly maxTimestampMs: number
  readonly modifiedMs: number
  /** 'active': it is being written, and is not looked at before it is closed. */
  readonly reason: RemovalReason | StayReason | 'active'
  /** When it is due by its age, in ms since the Unix epoch; null for never, and for what is due already. */
  readonly dueMs: number | null
  /** It is due, too, when so many bytes more are appended; null for never. */
  readonly dueAfterBytes: number | null
}

/** A run of segments that have one reason. */
export interface KeptSegments {
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

/** In the order of the offsets; an active segment in which there is nothing is none. */
export function segmentOutlooks({ closed, active, plan, limits, rollMs }: PartitionOutlook): SegmentOutlook[] {
  const { retentionMs, retentionBytes, hardMs, hardBytes } = limits
  const activeBytes = active?.sizeBytes ?? 0
  let leftBytes = bytesOf(closed) + activeBytes
  // Segments go in order: none before those that are older.
  let latestMs = -Infinity
  const outlooks = closed.map((segment, n): SegmentOutlook => {
    const { baseOffset, nextOffset, sizeBytes, maxTimestampMs, modifiedMs } = segment
    const reason = plan.reasons[n] ?? 'not-due'
    // What is due but for a group or an archive waits for no time, unless a hard limit ends that.
    const limitMs = reason === 'not-due' ? retentionMs : reason === 'held' ? hardMs : -1
    const limitBytes = reason === 'not-due' ? retentionBytes : reason === 'held' ? hardBytes : -1
    latestMs = Math.max(latestMs, writtenMs(segment))
    const dueMs = limitMs < 0 ? null : latestMs + limitMs
    const dueAfterBytes = limitBytes < 0 ? null : Math.max(0, limitBytes - leftBytes) + 1
    leftBytes -= sizeBytes
    return { baseOffset, toOffset: nextOffset, sizeBytes, maxTimestampMs, modifiedMs, reason, dueMs, dueAfterBytes }
  })
  if (active === undefined || activeBytes === 0) return outlooks
  const { baseOffset, sizeBytes, maxTimestampMs, modifiedMs } = active
  const expiredMs = Math.max(latestMs, writtenMs(active)) + retentionMs
  const dueMs = retentionMs < 0 || rollMs === undefined ? null : Math.max(rollMs, expiredMs)
  const what = { baseOffset, toOffset: null, sizeBytes, maxTimestampMs, modifiedMs }
  return [...outlooks, { ...what, reason: 'active', dueMs, dueAfterBytes: null }]
}

/** What stays, in the order of the offsets. */
export function keptSegments(outlook: PartitionOutlook): KeptSegments[] {
  const runs: { readonly reason: KeptSegments['reason']; readonly segments: SegmentOutlook[] }[] = []
  for (const segment of segmentOutlooks(outlook)) {
    const { reason } = segment
    if (reason !== 'active' && isRemoval(reason)) continue
    const last = runs.at(-1)
    if (last?.reason === reason) last.segments.push(segment)
    else runs.push({ reason, segments: [segment] })
  }
  return runs.map(({ reason, segments }) => ({
    reason,
    segments: segments.map(({ baseOffset }) => baseOffset),
    sizeBytes: bytesOf(segments),
    fromOffset: segments[0]?.baseOffset ?? 0,
    toOffset: segments.at(-1)?.toOffset ?? null,
    dueMs: segments[0]?.dueMs ?? null,
    lastDueMs: segments.at(-1)?.dueMs ?? null,
    dueAfterBytes: segments[0]?.dueAfterBytes ?? null,
    heldBy: reason === 'held' ? outlook.held.by : [],
  }))
}
