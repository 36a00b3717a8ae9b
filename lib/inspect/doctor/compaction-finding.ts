/** How much of a compacted partition is dirty, and when a pass is due: by the plan that compaction goes by. */
import type { ViewContext } from '../../log/log-view.js'
import { lookAtCompaction } from '../../maintain/compact/compaction-look.js'
import { bytesOf } from '../../maintain/retain/retention-plan.js'
import type { TopicConfig } from '../../store/topic-config.js'
import type { DoctorFinding } from './doctor-finding.js'

/** Throws LOGQ_TOPIC_REMOVED, or a system error. */
export function compactionFinding(view: ViewContext, config: TopicConfig, nowMs: number): DoctorFinding {
  const { topic, partition } = view
  const minDirtyRatio = config.number('min.cleanable.dirty.ratio')
  const maxLagMs = config.number('max.compaction.lag.ms')
  const limits = { nowMs, minDirtyRatio, minLagMs: config.number('min.compaction.lag.ms'), maxLagMs }
  const { plan, active, closed } = lookAtCompaction(view, limits, false)
  const { segments, firstDirtyOffset, dirtyBytes, cleanBytes, isDue } = plan
  const dirty = segments.filter(({ baseOffset, firstTimestampMs }) => baseOffset >= firstDirtyOffset && firstTimestampMs > 0)
  const firstMs = dirty.reduce((first, { firstTimestampMs }) => Math.min(first, firstTimestampMs), Infinity)
  const dueMs = firstMs + maxLagMs
  return {
    kind: 'compaction',
    severity: 'ok',
    topic,
    partition,
    dirtyBytes,
    cleanBytes,
    activeBytes: active?.sizeBytes ?? 0,
    youngBytes: bytesOf(closed.slice(segments.length)),
    minDirtyRatio,
    isDue,
    dueMs: Number.isSafeInteger(dueMs) ? dueMs : null,
  }
}
