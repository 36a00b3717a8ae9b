/** What compaction finds in a partition, for those who do it and those who explain it. Reads only, and takes no lock. */
import { readCleanerOffsets } from '../../log/cleaner-file.js'
import { listSegments, logEndOffset, type ViewContext } from '../../log/log-view.js'
import { segmentTimes, type SegmentTimes } from '../../log/segment-times.js'
import { planCompaction, type CompactionLimits, type CompactionPlan } from './compaction-plan.js'

export interface CompactionOutlook {
  readonly plan: CompactionPlan
  /** Oldest first. */
  readonly closed: readonly SegmentTimes[]
  readonly active: SegmentTimes | undefined
}

/** `withActive`: as it would be once the active segment is closed. Throws LOGQ_TOPIC_REMOVED, or a system error. */
export function lookAtCompaction(view: ViewContext, limits: CompactionLimits, withActive: boolean): CompactionOutlook {
  const bases = listSegments(view)
  const times = bases.map((base) => segmentTimes(view, base, 'quickly'))
  const end = withActive ? logEndOffset(view, bases) : (bases.at(-1) ?? 0)
  const { cleanedOffset } = readCleanerOffsets(view)
  const closed = withActive ? times : times.slice(0, -1)
  return { plan: planCompaction(closed, end, cleanedOffset, limits), closed, active: withActive ? undefined : times.at(-1) }
}
