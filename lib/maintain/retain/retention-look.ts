/**
 * What retention finds in the partitions of a topic, and what it would do: looked at here for those who do it (retain-topic.ts) and those
 * who explain it. Reads only, and takes no lock.
 */
import { systemErrorCode } from '../../errors.js'
import { listSegments, readStateBlock, type ViewContext } from '../../log/log-view.js'
import { segmentTimes, type SegmentTimes } from '../../log/segment-times.js'
import { archivedUpTo } from '../../store/archive/archived-files.js'
import { topicOffsets, type TopicOffsets } from '../../store/group/read-offsets.js'
import { viewContext } from '../../store/partition.js'
import type { Store } from '../../store/store.js'
import { TopicConfig } from '../../store/topic-config.js'
import type { TopicFile } from '../../store/topic-file.js'
import { planRetention, type RetentionLimits, type RetentionPlan, type RetentionSegment } from './retention-plan.js'

/** What is asked for in place of, or beside, what the topic says. */
export interface RetentionWishes {
  /** In place of retention.ms, in ms; -1 for never. */
  readonly olderMs?: number
  /** In place of retention.bytes; -1 for no limit. */
  readonly maxBytes?: number
  /** Records that these groups have not committed stay; '*' for every group that has committed anything of the topic. */
  readonly keepUntilAckedBy?: readonly string[]
  /** What is kept for groups goes all the same at this age in ms, or above this size of a partition. */
  readonly hardMs?: number
  readonly hardBytes?: number
}

/** The segments of a partition as they are. */
export interface SeenSegments {
  readonly view: ViewContext
  /** Oldest first. */
  readonly closed: readonly RetentionSegment[]
  readonly active: SegmentTimes | undefined
  /** When a run of retention closes the active segment, at the latest; undefined while it is empty. */
  readonly rollMs: number | undefined
  readonly isRollDue: boolean
}

export interface PartitionOutlook extends SeenSegments {
  readonly partition: number
  readonly plan: RetentionPlan
  /** Where the records begin that somebody has not read, and who that is; Infinity for nowhere. */
  readonly held: { readonly offset: number; readonly by: readonly string[] }
  readonly limits: RetentionLimits
}

export class RetentionLook {
  readonly nowMs: number
  readonly #config: TopicConfig
  #groups: readonly TopicOffsets[] | undefined

  constructor(
    private readonly store: Store,
    private readonly file: TopicFile,
    private readonly wishes: RetentionWishes = {},
  ) {
    this.#config = new TopicConfig(file.config)
    this.nowMs = store.system.clock.nowMs()
  }

  get retentionMs(): number {
    return this.wishes.olderMs ?? this.#config.number('retention.ms')
  }

  get retentionBytes(): number {
    return this.wishes.maxBytes ?? this.#config.number('retention.bytes')
  }

  /**
   * What a run would do now. Throws LOGQ_TOPIC_REMOVED, LOGQ_CORRUPT, LOGQ_UNKNOWN_GROUP, LOGQ_NEWER_FORMAT, or a system error.
   */
  outlook(partition: number): PartitionOutlook {
    const seen = this.see(partition)
    return this.planned(partition, seen.isRollDue && seen.active !== undefined ? { ...seen, ...closedToo(seen) } : seen)
  }

  see(partition: number): SeenSegments {
    const view = viewContext(this.store, this.file.topic, partition, { file: this.file })
    for (;;) {
      try {
        const bases = listSegments(view)
        const times = bases.map((base) => segmentTimes(view, base, 'quickly'))
        const closed = times.slice(0, -1).map((segment, n) => ({ ...segment, nextOffset: bases[n + 1] ?? 0 }))
        const active = times.at(-1)
        return { view, closed, active, ...this.#rollOf(active) }
      } catch (error) {
        // Removed by another run since the listing: look again.
        if (systemErrorCode(error) !== 'ENOENT') throw error
      }
    }
  }

  planned(partition: number, seen: SeenSegments): PartitionOutlook {
    const { view, closed, active } = seen
    const activeBytes = active?.sizeBytes ?? 0
    const free = this.#limits(Infinity)
    const freely = planRetention(closed, activeBytes, free)
    if (freely.removeCount === 0) return { ...seen, partition, plan: freely, held: NOBODY, limits: free }
    // The indexes said so; before anything goes, the log itself is asked.
    const sure = closed.map((segment, n) =>
      n < freely.removeCount ? { ...segment, ...segmentTimes(view, segment.baseOffset, 'surely') } : segment,
    )
    const held = this.#heldFrom(partition)
    const limits = this.#limits(held.offset, this.#unarchivedFrom(partition))
    return { ...seen, closed: sure, partition, plan: planRetention(sure, activeBytes, limits), held, limits }
  }

  /** Of all groups that have committed anything of the topic, and of those that are named. */
  offsetsOfGroups(): readonly TopicOffsets[] {
    const named = (this.wishes.keepUntilAckedBy ?? []).filter((group) => group !== '*')
    return (this.#groups ??= topicOffsets(this.store, this.file, named))
  }

  /** Else an active segment that nobody appends to any more would keep its records for ever. */
  #rollOf(active: SegmentTimes | undefined): Pick<SeenSegments, 'rollMs' | 'isRollDue'> {
    if (active === undefined || active.sizeBytes === 0) return { rollMs: undefined, isRollDue: false }
    const { retentionMs, retentionBytes, hardBytes } = this.#limits(Infinity)
    const segmentMs = this.#config.number('segment.ms')
    const ageLimitMs = retentionMs < 0 ? segmentMs : Math.min(retentionMs, segmentMs)
    const firstMs = active.firstTimestampMs < 0 ? active.modifiedMs : active.firstTimestampMs
    const rollMs = Math.min(firstMs, active.modifiedMs) + ageLimitMs
    const isLarge = [retentionBytes, hardBytes].some((bytes) => bytes >= 0 && active.sizeBytes * 2 > bytes)
    return { rollMs, isRollDue: isLarge || this.nowMs > rollMs }
  }

  #unarchivedFrom(partition: number): number {
    return this.#config.choice('archive.required') === 'true' ? archivedUpTo(this.store, this.file, partition) : Infinity
  }

  #limits(heldFromOffset: number, unarchivedFromOffset = Infinity): RetentionLimits {
    const { hardMs = -1, hardBytes = -1 } = this.wishes
    return {
      nowMs: this.nowMs,
      retentionMs: this.retentionMs,
      retentionBytes: this.retentionBytes,
      heldFromOffset,
      unarchivedFromOffset,
      hardMs,
      hardBytes,
    }
  }

  #heldFrom(partition: number): PartitionOutlook['held'] {
    const { keepUntilAckedBy = [] } = this.wishes
    if (keepUntilAckedBy.length === 0) return NOBODY
    const wanted = this.offsetsOfGroups().filter(
      ({ group }) => keepUntilAckedBy.includes('*') || keepUntilAckedBy.includes(group),
    )
    const offsets = wanted.map(({ group, committed }) => ({ group, offset: committed.get(partition) ?? 0 }))
    const offset = Math.min(Infinity, ...offsets.map((one) => one.offset))
    return { offset, by: offsets.filter((one) => one.offset === offset).map(({ group }) => group) }
  }
}

const NOBODY: PartitionOutlook['held'] = { offset: Infinity, by: [] }

/** As it would be once the active segment is closed. */
function closedToo({ closed, active, view }: SeenSegments): Pick<SeenSegments, 'closed' | 'active'> {
  if (active === undefined) return { closed, active }
  const endOffset = readStateBlock(view)?.logEndOffset ?? active.baseOffset + 1
  return { closed: [...closed, { ...active, nextOffset: endOffset }], active: undefined }
}
