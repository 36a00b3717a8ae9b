/**
 * Retention: removes the oldest segments of a topic, by age or by size (format-spec/retention.md). One partition after the other: the
 * active segment is closed when it is old, so that the number means what it says; then the log start offset moves, and what lies below
 * goes (log/advance-log-start.ts). Killed anywhere, the next run goes on.
 */
import { LogqError } from '../../errors.js'
import { advanceLogStart } from '../../log/advance-log-start.js'
import { LOG_SUFFIX, segmentFileName } from '../../log/file-names.js'
import { Log } from '../../log/log.js'
import type { LogContext } from '../../log/log-context.js'
import { logStartOffset } from '../../log/log-view.js'
import { writtenMs } from '../../log/segment-times.js'
import { readLastRetain } from '../../store/last-retain.js'
import { appendContext } from '../../store/partition.js'
import { requireWritable, type Store } from '../../store/store.js'
import { TopicConfig } from '../../store/topic-config.js'
import type { TopicFile } from '../../store/topic-file.js'
import { getTopic } from '../../store/topics.js'
import type { LockWait } from '../../system/lock-wait.js'
import { doubtfulClock } from './doubtful-clock.js'
import { keptSegments, type KeptSegments } from './kept-segments.js'
import { RetentionLook, type PartitionOutlook, type RetentionWishes } from './retention-look.js'
import { bytesOf } from './retention-plan.js'

export interface RetainOptions extends LockWait, RetentionWishes {
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
  /** Base offsets of closed segments that are damaged, and count as written when their files were; see 'logq fsck'. */
  readonly damagedSegments: readonly number[]
  /** What is left, and why. */
  readonly kept: readonly KeptSegments[]
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

interface PartitionWork extends PartitionOutlook {
  readonly context: LogContext
}

class TopicRetention {
  readonly #config: TopicConfig
  readonly #look: RetentionLook

  constructor(
    private readonly store: Store,
    private readonly file: TopicFile,
    private readonly options: RetainOptions,
  ) {
    this.#config = new TopicConfig(file.config)
    this.#look = new RetentionLook(store, file, options)
  }

  async run(): Promise<PartitionRetention[]> {
    const works: PartitionWork[] = []
    for (let partition = 0; partition < this.file.partitions; partition += 1) {
      const { signal } = this.options
      if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped before anything was removed')
      works.push(await this.#workOn(partition))
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

  async #workOn(partition: number): Promise<PartitionWork> {
    const look = this.#look
    const context = appendContext(this.store, this.file.topic, partition, () => this.#config)
    if (this.options.dryRun === true) return { context, ...look.outlook(partition) }
    const seen = look.see(partition)
    const isRolled = seen.isRollDue && (await roll(context, this.options))
    return { context, ...look.planned(partition, isRolled ? look.see(partition) : seen) }
  }

  #refuseStrangeClock(works: readonly PartitionWork[]): void {
    if (this.options.force === true) return
    const { nowMs, retentionMs } = this.#look
    const totalBytes = works.reduce((sum, { closed, active }) => sum + bytesOf(closed) + (active?.sizeBytes ?? 0), 0)
    const leavingBytes = works.reduce((sum, { closed, plan }) => sum + bytesOf(closed.slice(0, plan.removeCount)), 0)
    const lastRunMs = readLastRetain(this.store).get(this.file.topicId)
    const doubt = doubtfulClock(lastRunMs, nowMs, retentionMs, { leavingBytes, totalBytes })
    if (doubt === undefined) return
    const since = `the last run was at ${new Date(doubt.lastMs).toISOString()}, now it is ${new Date(nowMs).toISOString()}`
    throw new LogqError(
      'LOGQ_CONFLICT',
      `retention would remove ${leavingBytes} of the ${totalBytes} bytes of '${this.file.topic}': ${since}`,
      {
        hint: 'when the clock of this machine is right, run it once with --force',
      },
    )
  }

  async #remove(work: PartitionWork): Promise<PartitionRetention> {
    const { partition, view, context, closed, active, plan, held } = work
    const { topic } = this.file
    const leaving = closed.slice(0, plan.removeCount)
    const target = leaving.at(-1)?.nextOffset ?? 0
    const left = [...closed.slice(plan.removeCount), ...(active === undefined || active.sizeBytes === 0 ? [] : [active])]
    const base = {
      topic,
      partition,
      oldestAgeMs: left[0] === undefined ? undefined : Math.max(0, this.#look.nowMs - writtenMs(left[0])),
      heldSegments: plan.heldCount,
      heldBy: plan.heldCount > 0 ? held.by : [],
      damagedSegments: closed.filter(({ isDamaged }) => isDamaged).map(({ baseOffset }) => baseOffset),
      kept: keptSegments(work),
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
    return this.#look.offsetsOfGroups().flatMap(({ group, committed }) => {
      const offset = Math.max(committed.get(partition) ?? fromOffset, fromOffset)
      return offset < toOffset ? [{ group, offsetCount: toOffset - offset }] : []
    })
  }
}

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
