/** Why what is there of a topic is there, and what retention does next: by the plan that retention itself goes by. */
import { isLogqError } from '../../errors.js'
import { logStartOffset } from '../../log/log-view.js'
import { LOG_SUFFIX, segmentFileName } from '../../log/file-names.js'
import { writtenMs } from '../../log/segment-times.js'
import { doubtfulClock } from '../../maintain/retain/doubtful-clock.js'
import { keptSegments, segmentOutlooks } from '../../maintain/retain/kept-segments.js'
import type { PartitionOutlook, RetentionLook } from '../../maintain/retain/retention-look.js'
import { bytesOf, isRemoval } from '../../maintain/retain/retention-plan.js'
import type { TopicFile } from '../../store/topic-file.js'
import type { DoctorFinding } from './doctor-finding.js'

/** So long is something due before it is said that nobody removes it: what runs once a day has run by then. */
export const FORGOTTEN_MS = 2 * 86_400_000

export function partitionRetention(outlook: PartitionOutlook, topic: string, perSegment: boolean): DoctorFinding[] {
  const { partition, plan, closed } = outlook
  const at = { topic, partition }
  const findings: DoctorFinding[] = []
  const leaving = closed.slice(0, plan.removeCount)
  const start = startOf(outlook)
  const segmentCount = closed.filter(({ nextOffset }) => nextOffset <= start).length
  if (segmentCount > 0)
    findings.push({ kind: 'below-log-start', severity: 'notice', ...at, segmentCount, logStartOffset: start })
  if (leaving.length > 0) {
    findings.push({
      kind: 'removable',
      severity: 'ok',
      ...at,
      reasons: [...new Set(plan.reasons.filter(isRemoval))],
      segments: leaving.map(({ baseOffset }) => baseOffset),
      sizeBytes: bytesOf(leaving),
      fromOffset: Math.max(leaving[0]?.baseOffset ?? 0, start),
      toOffset: leaving.at(-1)?.nextOffset ?? 0,
      sharedBytes: bytesOf(leaving.filter(({ baseOffset }) => isShared(outlook, baseOffset))),
    })
  }
  for (const kept of keptSegments(outlook)) {
    const isHeld = kept.reason === 'held' || kept.reason === 'not-archived'
    findings.push({ kind: 'kept', severity: isHeld ? 'notice' : 'ok', ...at, ...kept })
  }
  if (perSegment) {
    for (const segment of segmentOutlooks(outlook)) findings.push({ kind: 'segment', severity: 'ok', ...at, ...segment })
  }
  return findings
}

/** What a topic's partitions come to. Memory: some numbers. */
export class TopicRetentionSum {
  #removableSegments = 0
  #removableBytes = 0
  #totalBytes = 0
  #nextDueMs: number | null = null
  #dueSinceMs: number | null = null

  add(outlook: PartitionOutlook): void {
    const { closed, active, plan, limits } = outlook
    const leaving = closed.slice(0, plan.removeCount)
    this.#removableSegments += leaving.length
    this.#removableBytes += bytesOf(leaving)
    this.#totalBytes += bytesOf(closed) + (active?.sizeBytes ?? 0)
    for (const { dueMs, reason } of segmentOutlooks(outlook)) {
      if (dueMs !== null && (reason === 'not-due' || reason === 'active') && dueMs < (this.#nextDueMs ?? Infinity))
        this.#nextDueMs = dueMs
    }
    const [oldest] = leaving
    if (oldest !== undefined && plan.reasons[0] === 'expired') {
      // What was old when it was written could not go before.
      const sinceMs = Math.max(writtenMs(oldest) + limits.retentionMs, oldest.modifiedMs)
      this.#dueSinceMs = Math.min(this.#dueSinceMs ?? Infinity, sinceMs)
    }
  }

  findings(look: RetentionLook, { topic }: TopicFile, lastRunMs: number | undefined): DoctorFinding[] {
    const { nowMs, retentionMs, retentionBytes } = look
    const doubt = doubtfulClock(lastRunMs, nowMs, retentionMs, {
      leavingBytes: this.#removableBytes,
      totalBytes: this.#totalBytes,
    })
    const isForgotten = this.#dueSinceMs !== null && nowMs - Math.max(this.#dueSinceMs, lastRunMs ?? -Infinity) > FORGOTTEN_MS
    const retention: DoctorFinding = {
      kind: 'retention',
      severity: isForgotten ? 'warning' : 'ok',
      topic,
      retentionMs,
      retentionBytes,
      lastRunMs: lastRunMs ?? null,
      removableSegments: this.#removableSegments,
      removableBytes: this.#removableBytes,
      nextDueMs: this.#nextDueMs,
      dueSinceMs: this.#dueSinceMs,
    }
    if (doubt === undefined) return [retention]
    const { lastMs, leavingBytes, totalBytes } = doubt
    return [retention, { kind: 'clock', severity: 'warning', topic, lastRunMs: lastMs, leavingBytes, totalBytes }]
  }
}

/** A log start offset that is damaged is told of as a file. */
function startOf({ view, closed, active }: PartitionOutlook): number {
  const bases = [...closed.map(({ baseOffset }) => baseOffset), ...(active === undefined ? [] : [active.baseOffset])]
  try {
    return logStartOffset(view, bases)
  } catch (error) {
    if (isLogqError(error, 'LOGQ_CORRUPT')) return 0
    throw error
  }
}

function isShared({ view: { system, directory } }: PartitionOutlook, baseOffset: number): boolean {
  return (system.fs.pathStatus(`${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`)?.links ?? 1) > 1
}
