/** Timestamps that cannot be right, or that make retention do what nobody expects: by the times of the segments. */
import { writtenMs, type SegmentTimes } from '../../log/segment-times.js'
import { bytesOf } from '../../maintain/retain/retention-plan.js'
import type { DoctorFinding } from './doctor-finding.js'

/** Clocks differ a little, and a file is written a little after its records were made. */
export const CLOCK_SLACK_MS = 60_000
/** What was written so long after its timestamps was not written as it came up. */
export const LATE_MS = 86_400_000

/** `retentionMs`: -1 for never. */
export function timestampFindings(
  segments: readonly SegmentTimes[],
  at: { readonly topic: string; readonly partition: number },
  nowMs: number,
  retentionMs: number,
): DoctorFinding[] {
  // Of what is damaged they are not known.
  const dated = segments.filter(({ maxTimestampMs, isDamaged }) => maxTimestampMs >= 0 && !isDamaged)
  const future = dated.filter(({ maxTimestampMs, modifiedMs }) => maxTimestampMs > Math.min(nowMs, modifiedMs) + CLOCK_SLACK_MS)
  const late = dated.filter(({ maxTimestampMs, modifiedMs }) => modifiedMs - maxTimestampMs > LATE_MS)
  // Written a moment ago, and old enough to go.
  const goesEarly = late.some(
    (segment) => retentionMs >= 0 && nowMs - writtenMs(segment) > retentionMs && nowMs - segment.modifiedMs <= retentionMs,
  )
  return [
    ...findingOf('future-timestamps', 'notice', future, at),
    ...findingOf('late-timestamps', goesEarly ? 'notice' : 'ok', late, at),
  ]
}

function findingOf(
  kind: 'future-timestamps' | 'late-timestamps',
  severity: 'ok' | 'notice',
  segments: readonly SegmentTimes[],
  at: { readonly topic: string; readonly partition: number },
): DoctorFinding[] {
  const offBy = ({ maxTimestampMs, modifiedMs }: SegmentTimes) => Math.abs(maxTimestampMs - modifiedMs)
  const [first, ...others] = segments
  if (first === undefined) return []
  const { maxTimestampMs, modifiedMs } = others.reduce((worst, one) => (offBy(one) > offBy(worst) ? one : worst), first)
  const sizeBytes = bytesOf(segments)
  return [
    { kind, severity, ...at, segments: segments.map(({ baseOffset }) => baseOffset), sizeBytes, maxTimestampMs, modifiedMs },
  ]
}
