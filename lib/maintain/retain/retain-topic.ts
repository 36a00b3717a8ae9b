/**
 * Retention: removes the oldest segments of a topic, by age or by size (format-spec/retention.md). One partition after the other: the
 * active segment is closed when it is old, so that the number means what it says; then the log start offset moves, and what lies below
 * goes (log/advance-log-start.ts). Killed anywhere, the next run goes on.
 */
import { LogqError, systemErrorCode } from '../../errors.js'
import { advanceLogStart } from '../../log/advance-log-start.js'
import { LOG_SUFFIX, segmentFileName } from '../../log/file-names.js'
import { Log } from '../../log/log.js'
import type { LogContext } from '../../log/log-context.js'
import { listSegments, logStartOffset, readStateBlock, type ViewContext } from '../../log/log-view.js'
import { segmentTimes, writtenMs, type SegmentTimes } from '../../log/segment-times.js'
import { archivedUpTo } from '../../store/archive/archived-files.js'
import { topicOffsets, type TopicOffsets } from '../../store/group/read-offsets.js'
import { readLastRetain } from '../../store/last-retain.js'
import { appendContext, viewContext } from '../../store/partition.js'
import { requireWritable, type Store } from '../../store/store.js'
import { TopicConfig } from '../../store/topic-config.js'
import type { TopicFile } from '../../store/topic-file.js'
import { getTopic } from '../../store/topics.js'
import type { LockWait } from '../../system/lock-wait.js'
import { planRetention, type RetentionLimits, type RetentionPlan, type RetentionSegment } from './retention-plan.js'

export interface RetainOptions extends LockWait {
  /** In place of retention.ms, in ms; -1 for never. */
  readonly olderMs?: number
  /** In place of retention.bytes; -1 for no limit. */
  readonly maxBytes?: number
  /** Records that these groups have not committed stay; '*' for every group that has committed anything of the topic. */
  readonly keepUntilAckedBy?: readonly string[]
  /** What is kept for groups goes all the same at this age in ms, or above this size of a partition. */
  readonly hardMs?: number
  readonly hardBytes?: number
  /** Says what would go, and changes nothing. */
  readonly dryRun?: boolean
  /** Also when the clock looks wrong. */
  readonly force?: boolean
  /** Called after each partition. */
  readonly onPartition?: (done: PartitionRetention) => Promise<void>
}

export interface PartitionRetention {
  readonly topic: string
  readonly partition: number
  readonly removedSegments: number
  readonly removedBytes: number
  /** Offsets that are not there any more: from, and up to, the end excluded. */
  readonly fromOffset: number
  readonly logStartOffset: number
  /** Age in ms of the oldest segment that is left, by its newest record; undefined for an empty partition. */
  readonly oldestAgeMs: number | undefined
  /** Segments that would have gone, and are held. */
  readonly heldSegments: number
  readonly heldBy: readonly string[]
  /** Groups that had not read all of what went, and how many offsets were before them. */
  readonly lostBy: readonly { readonly group: string; readonly offsetCount: number }[]
}

/** A topic whose records may not be removed by age or size. */
export function isRetained(file: TopicFile): boolean {
  return new TopicConfig(file.config).choice('cleanup.policy').includes('delete')
}

/**
 * Throws LOGQ_CONFLICT for a topic that is compacted only, or when the clock looks wrong and most of the topic would go (then nothing is
 * removed); LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_GROUP, LOGQ_READ_ONLY_STORE, LOGQ_BUSY, LOGQ_ABORTED, LOGQ_CORRUPT, or a system error.
 */
export async function retainTopic(store: Store, topic: string, options: RetainOptions = {}): Promise<PartitionRetention[]> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const file = getTopic(store, topic)
  if (!isRetained(file)) {
    throw new LogqError('LOGQ_CONFLICT', `topic '${topic}' is compacted: retention would remove the last value of keys`, {
      hint: `to have both: logq topic set ${topic} cleanup.policy=compact,delete`,
    })
  }
  return await new TopicRetention(store, file, options).run()
}

/** Above this part of a topic's bytes, what would go is suspicious where the clock is. */
const SUSPICIOUS_PART = 0.9

interface PartitionWork {
  readonly partition: number
  readonly view: ViewContext
  readonly context: LogContext
  closed: readonly RetentionSegment[]
  active: SegmentTimes | undefined
  plan: RetentionPlan
}

class TopicRetention {
  readonly #config: TopicConfig
  readonly #nowMs: number
  #groups: readonly TopicOffsets[] | undefined

  constructor(
    private readonly store: Store,
    private readonly file: TopicFile,
    private readonly options: RetainOptions,
  ) {
    this.#config = new TopicConfig(file.config)
    this.#nowMs = store.system.clock.nowMs()
  }

  async run(): Promise<PartitionRetention[]> {
    const works: PartitionWork[] = []
    for (let partition = 0; partition < this.file.partitions; partition += 1) {
      const { signal } = this.options
      if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped before anything was removed')
      works.push(await this.#look(partition))
    }
    this.#refuseStrangeClock(works)
    const done: PartitionRetention[] = []
    for (const work of works) {
      if (this.options.signal?.aborted === true) break
      const one = await this.#remove(work)
      done.push(one)
      await this.options.onPartition?.(one)
    }
    return done
  }

  async #look(partition: number): Promise<PartitionWork> {
    const { store, file, options } = this
    const view = viewContext(store, file.topic, partition)
    const context = appendContext(store, file.topic, partition, () => this.#config)
    let work = { partition, view, context, ...this.#segments(view), plan: NOTHING }
    if (work.active !== undefined && this.#isRollDue(work.active)) {
      if (options.dryRun === true) work = { ...work, ...closedToo(work.closed, work.active, view) }
      else if (await roll(context, options)) work = { ...work, ...this.#segments(view) }
    }
    return { ...work, plan: this.#planOf(work) }
  }

  #segments(view: ViewContext): Pick<PartitionWork, 'closed' | 'active'> {
    for (;;) {
      try {
        const bases = listSegments(view)
        const times = bases.map((base) => segmentTimes(view, base, 'quickly'))
        const closed = times.slice(0, -1).map((segment, n) => ({ ...segment, nextOffset: bases[n + 1] ?? 0 }))
        return { closed, active: times.at(-1) }
      } catch (error) {
        // Removed by another run since the listing: look again.
        if (systemErrorCode(error) !== 'ENOENT') throw error
      }
    }
  }

  /** Else an active segment that nobody appends to any more would keep its records for ever. */
  #isRollDue(active: SegmentTimes): boolean {
    if (active.sizeBytes === 0) return false
    const { retentionMs, retentionBytes, hardBytes } = this.#limits(Infinity)
    const ageLimitMs =
      retentionMs < 0 ? this.#config.number('segment.ms') : Math.min(retentionMs, this.#config.number('segment.ms'))
    const firstMs = active.firstTimestampMs < 0 ? active.modifiedMs : active.firstTimestampMs
    if (this.#nowMs - Math.min(firstMs, active.modifiedMs) > ageLimitMs) return true
    return [retentionBytes, hardBytes].some((bytes) => bytes >= 0 && active.sizeBytes * 2 > bytes)
  }

  #planOf({ partition, view, closed, active }: PartitionWork): RetentionPlan {
    const activeBytes = active?.sizeBytes ?? 0
    const free = planRetention(closed, activeBytes, this.#limits(Infinity))
    if (free.removeCount === 0) return free
    // The indexes said so; before anything goes, the log itself is asked.
    const sure = closed.map((segment, n) =>
      n < free.removeCount ? { ...segment, ...segmentTimes(view, segment.baseOffset, 'surely') } : segment,
    )
    return planRetention(sure, activeBytes, this.#limits(this.#heldFrom(partition).offset, this.#unarchivedFrom(partition)))
  }

  #unarchivedFrom(partition: number): number {
    return this.#config.choice('archive.required') === 'true' ? archivedUpTo(this.store, this.file, partition) : Infinity
  }

  #limits(heldFromOffset: number, unarchivedFromOffset = Infinity): RetentionLimits {
    const { olderMs, maxBytes, hardMs = -1, hardBytes = -1 } = this.options
    return {
      nowMs: this.#nowMs,
      retentionMs: olderMs ?? this.#config.number('retention.ms'),
      retentionBytes: maxBytes ?? this.#config.number('retention.bytes'),
      heldFromOffset,
      unarchivedFromOffset,
      hardMs,
      hardBytes,
    }
  }

  /** Where the records begin that somebody has not read, and who that is. */
  #heldFrom(partition: number): { readonly offset: number; readonly by: readonly string[] } {
    const { keepUntilAckedBy = [] } = this.options
    if (keepUntilAckedBy.length === 0) return { offset: Infinity, by: [] }
    const wanted = this.#offsetsOfGroups().filter(
      ({ group }) => keepUntilAckedBy.includes('*') || keepUntilAckedBy.includes(group),
    )
    const offsets = wanted.map(({ group, committed }) => ({ group, offset: committed.get(partition) ?? 0 }))
    const offset = Math.min(Infinity, ...offsets.map((one) => one.offset))
    return { offset, by: offsets.filter((one) => one.offset === offset).map(({ group }) => group) }
  }

  #offsetsOfGroups(): readonly TopicOffsets[] {
    const named = (this.options.keepUntilAckedBy ?? []).filter((group) => group !== '*')
    return (this.#groups ??= topicOffsets(this.store, this.file, named))
  }

  #refuseStrangeClock(works: readonly PartitionWork[]): void {
    if (this.options.force === true) return
    const lastMs = readLastRetain(this.store).get(this.file.topicId)
    if (lastMs === undefined) return
    const { retentionMs } = this.#limits(Infinity)
    const isBack = this.#nowMs < lastMs
    const isFar = retentionMs >= 0 && this.#nowMs - lastMs > retentionMs
    if (!isBack && !isFar) return
    const total = works.reduce((sum, { closed, active }) => sum + bytesOf(closed) + (active?.sizeBytes ?? 0), 0)
    const leaving = works.reduce((sum, { closed, plan }) => sum + bytesOf(closed.slice(0, plan.removeCount)), 0)
    if (leaving <= total * SUSPICIOUS_PART) return
    const since = `the last run was at ${new Date(lastMs).toISOString()}, now it is ${new Date(this.#nowMs).toISOString()}`
    throw new LogqError(
      'LOGQ_CONFLICT',
      `retention would remove ${leaving} of the ${total} bytes of '${this.file.topic}': ${since}`,
      {
        hint: 'when the clock of this machine is right, run it once with --force',
      },
    )
  }

  async #remove(work: PartitionWork): Promise<PartitionRetention> {
    const { partition, view, context, closed, active, plan } = work
    const { topic } = this.file
    const heldBy = plan.heldCount > 0 ? this.#heldFrom(partition).by : []
    const leaving = closed.slice(0, plan.removeCount)
    const target = leaving.at(-1)?.nextOffset ?? 0
    const left = [...closed.slice(plan.removeCount), ...(active === undefined || active.sizeBytes === 0 ? [] : [active])]
    const base = {
      topic,
      partition,
      oldestAgeMs: left[0] === undefined ? undefined : Math.max(0, this.#nowMs - writtenMs(left[0])),
      heldSegments: plan.heldCount,
      heldBy,
    }
    const startOffset = logStartOffset(view, closed[0] === undefined ? [active?.baseOffset ?? 0] : [closed[0].baseOffset])
    const isLeftOver = (closed[0]?.nextOffset ?? Infinity) <= startOffset
    if ((leaving.length === 0 && !isLeftOver) || this.options.dryRun === true) {
      const to = Math.max(startOffset, target)
      return {
        ...base,
        removedSegments: leaving.length,
        removedBytes: bytesOf(leaving),
        fromOffset: startOffset,
        logStartOffset: to,
        lostBy: this.#lostBy(partition, startOffset, to),
      }
    }
    const inodes = new Map(leaving.map(({ baseOffset, inode }) => [baseOffset, inode]))
    const moved = await advanceLogStart(context, (segments) => stillThere(context, segments, inodes, target), this.options)
    const { removedSegments, removedBytes, fromOffset, toOffset } = moved
    return {
      ...base,
      removedSegments,
      removedBytes,
      fromOffset,
      logStartOffset: toOffset,
      lostBy: this.#lostBy(partition, fromOffset, toOffset),
    }
  }

  #lostBy(partition: number, fromOffset: number, toOffset: number): PartitionRetention['lostBy'] {
    if (toOffset <= fromOffset) return []
    return this.#offsetsOfGroups().flatMap(({ group, committed }) => {
      const offset = Math.max(committed.get(partition) ?? fromOffset, fromOffset)
      return offset < toOffset ? [{ group, offsetCount: toOffset - offset }] : []
    })
  }
}

const NOTHING: RetentionPlan = { removeCount: 0, heldCount: 0 }

/** Whatever stands in the place of a segment that was looked at, by now, was not: then the log start stays. */
function stillThere(
  context: LogContext,
  segments: readonly number[],
  inodes: ReadonlyMap<number, number>,
  target: number,
): number {
  for (const base of segments) {
    if (base >= target) break
    const status = context.system.fs.pathStatus(`${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`)
    if (status?.inode !== inodes.get(base)) return 0
  }
  return target
}

async function roll(context: LogContext, wait: LockWait): Promise<boolean> {
  const log = Log.open(context)
  try {
    return await log.rollIf(() => true, wait)
  } finally {
    await log.close()
  }
}

/** As it would be once the active segment is closed. */
function closedToo(
  closed: readonly RetentionSegment[],
  active: SegmentTimes,
  view: ViewContext,
): Pick<PartitionWork, 'closed' | 'active'> {
  const endOffset = readStateBlock(view)?.logEndOffset ?? active.baseOffset + 1
  return { closed: [...closed, { ...active, nextOffset: endOffset }], active: undefined }
}

function bytesOf(segments: readonly SegmentTimes[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
