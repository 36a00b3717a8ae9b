/**
 * Compaction: keeps the last record of each key, at its offset (format-spec/compaction.md). Steps:
 *
 *  1. Close the active segment when it is old.
 *  2. Under the append lock: let the recovery point be in the active segment, in both slots, durably. A position in a segment that is then
 *     written anew would say nothing.
 *  3. Note up to where offsets may be missing from now on.
 *  4. Find the records that are dead (find-dead.ts): for each range of hashes whose keys fit in memory, one walk over the log. Then,
 *     segment by segment in ascending order, write anew and swap (swap-segment.ts). When the log has more records than there is memory
 *     for a bit of each, its first segments are dealt with in this way, then those behind them.
 *  5. Note how far the pass was.
 *
 * Killed anywhere, each segment is as before or as after, and the next run begins again. A tombstone goes only when its delete horizon has
 * passed, which an earlier pass set; since older values lie in segments before it or in its own, they go first.
 *
 * Retention may remove segments meanwhile. What was counted and is gone would be waited for, so that the last record of a key was taken for
 * an earlier one: then the pass begins again.
 */
import { LogqError } from '../../errors.js'
import { readCleanerOffsets, writeCleanerOffsets, type CleanerOffsets } from '../../log/cleaner-file.js'
import { CLEANER_DIRECTORY, CLEANER_LOCK_FILE } from '../../log/file-names.js'
import { Log } from '../../log/log.js'
import { partitionName, type LogContext } from '../../log/log-context.js'
import { listSegments, type ViewContext } from '../../log/log-view.js'
import { PartitionLock, topicRemoved, type LockWait } from '../../log/partition-lock.js'
import { pinRecoveryPoint, readRecoveryPoint } from '../../log/recovery-point-file.js'
import type { SegmentTimes } from '../../log/segment-times.js'
import { createDirectory, isTemporaryName, removeQuietly } from '../../system/durable.js'
import { withFileLock } from '../../system/file-lock.js'
import { cleanSegment, type CleanedSegment, type RecordFilter } from './clean-segment.js'
import type { ClosedSegment } from './closed-segment.js'
import { lookAtCompaction } from './compaction-look.js'
import type { CompactionLimits, CompactionPlan } from './compaction-plan.js'
import type { DeadRecords } from './dead-records.js'
import { findDead } from './find-dead.js'
import { Overtaken, SegmentWalks, orOvertaken } from './segment-walks.js'
import { swapSegment } from './swap-segment.js'

export interface CompactionSettings extends Omit<CompactionLimits, 'nowMs'> {
  /** For which a tombstone is kept once a pass has seen it. */
  readonly deleteRetentionMs: number
  /** Records that are kept of each key. */
  readonly keepCount: number
  /** For the table of keys. */
  readonly memoryBytes: number
  /** Closes the active segment first, whatever its age. */
  readonly includesActive: boolean
  readonly segmentMs: number
}

export interface CompactionOptions extends LockWait {
  /** Says what would be done, and changes nothing. */
  readonly dryRun?: boolean
  /** Called under the locks, before anything is changed: throws where the partition is not to be compacted any more. */
  readonly check?: () => void
  /** Called after each segment, with the bytes of the log that were gone over, of how many. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
}

export interface PartitionCompaction {
  readonly topic: string
  readonly partition: number
  /** False when it was not worth it: nothing was done. */
  readonly isDone: boolean
  readonly dirtyBytes: number
  readonly cleanBytes: number
  /** Of the segments that were gone over. After a pass that had to begin again, since segments were removed, what it saved is not in it. */
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly recordsBefore: number
  readonly recordsAfter: number
  readonly keyCount: number
  /** Records without a key, which went: a compacted topic has no place for them. */
  readonly unkeyedCount: number
  /** Passes over the log that the memory made necessary. */
  readonly passCount: number
}

/** Each time anew from the start: more often than segments are removed while a partition is gone over. */
const MOST_TRIES = 5

/**
 * A pass that retention overtakes begins again. Throws LOGQ_CORRUPT at damage (what was swapped before stays), LOGQ_BUSY when another
 * process compacts the partition and waiting was not wanted, LOGQ_CONFLICT when segments were changed again and again, LOGQ_ABORTED,
 * LOGQ_TOPIC_REMOVED, LOGQ_IO, or a system error; and what `check` throws.
 */
export async function compactPartition(
  context: LogContext,
  view: ViewContext,
  settings: CompactionSettings,
  options: CompactionOptions = {},
): Promise<PartitionCompaction> {
  const work = async (checkLock: () => void) => {
    const check = () => {
      checkLock()
      options.check?.()
    }
    for (let tries = 1; ; tries += 1) {
      check()
      try {
        return await new Compaction(context, view, settings, { ...options, check }).run()
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error
        if (tries === MOST_TRIES) throw changedMeanwhile(context)
      }
    }
  }
  if (options.dryRun === true) return await work(() => undefined)
  const { system, directory, ownership } = context
  return await withFileLock(system, `${directory}/${CLEANER_LOCK_FILE}`, ownership, work, options)
}

class Compaction {
  readonly #nowMs: number

  constructor(
    private readonly context: LogContext,
    private readonly view: ViewContext,
    private readonly settings: CompactionSettings,
    private readonly options: CompactionOptions,
  ) {
    this.#nowMs = context.system.clock.nowMs()
  }

  async run(): Promise<PartitionCompaction> {
    const { context, options } = this
    if (options.dryRun !== true) await this.#rollIfDue() // 1
    const plan = this.#plan()
    const { topic, partition } = context
    const { dirtyBytes, cleanBytes } = plan
    const about = { topic, partition, dirtyBytes, cleanBytes }
    if (!plan.isDue) return { ...about, ...NOTHING_DONE, isDone: false }
    const isDry = options.dryRun === true
    if (!isDry) prepare(context)
    try {
      if (!isDry) await this.#begin(plan) // 2, 3
      const done = await this.#passes(plan) // 4
      if (!isDry) await this.#noteOffsets(() => ({ cleanedOffset: plan.endOffset, gapsOffset: plan.endOffset })) // 5
      return { ...about, ...done, isDone: true }
    } finally {
      if (!isDry) sweep(context)
    }
  }

  async #rollIfDue(): Promise<void> {
    const { includesActive, segmentMs, maxLagMs } = this.settings
    const log = Log.open(this.context)
    try {
      const limitMs = Math.min(segmentMs, maxLagMs)
      const isOld = (firstMs: number) => firstMs >= 0 && this.#nowMs - firstMs > limitMs
      await log.rollIf(({ firstTimestampMs }) => includesActive || isOld(firstTimestampMs), this.options)
    } finally {
      await log.close()
    }
  }

  #plan(): CompactionPlan {
    const { view, settings, options } = this
    const isActiveIn = options.dryRun === true && settings.includesActive
    return orOvertaken(() => lookAtCompaction(view, { ...settings, nowMs: this.#nowMs }, isActiveIn)).plan
  }

  async #begin({ endOffset }: CompactionPlan): Promise<void> {
    const { context } = this
    await this.#noteOffsets(({ cleanedOffset, gapsOffset }) => {
      sweepTemporary(context)
      const active = listSegments(this.view).at(-1) ?? 0
      const known = readRecoveryPoint(context)
      const isThere = known?.segmentBaseOffset === active
      pinRecoveryPoint(context, isThere ? known : { offset: active, segmentBaseOffset: active, position: 0 })
      return { cleanedOffset: Math.min(cleanedOffset, endOffset), gapsOffset: Math.max(gapsOffset, endOffset) }
    })
    context.system.failpoint('compact.after-note')
  }

  /** Under the append lock, since whoever recovers the log sweeps temporary files. */
  async #noteOffsets(next: (present: CleanerOffsets) => CleanerOffsets): Promise<void> {
    const { context } = this
    const lock = PartitionLock.open(context.system, context.directory)
    try {
      await lock.acquire(this.options)
      try {
        if (lock.readState()?.status === 'deleted') throw topicRemoved(context.directory)
        this.options.check?.()
        writeCleanerOffsets(context, next(readCleanerOffsets(context)))
      } finally {
        lock.release()
      }
    } finally {
      lock.close()
    }
  }

  async #passes({ segments, endOffset }: CompactionPlan): Promise<Done> {
    const { context, settings, options, view } = this
    const totalBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    // Each record has an offset of its own.
    const mostRecords = endOffset - (segments[0]?.baseOffset ?? 0)
    const walks = new SegmentWalks(view, endOffset, options.signal)
    let done = NOTHING_DONE
    try {
      for (let first = 0; first < segments.length;) {
        const { bytesBefore: doneBytes } = done
        // Each segment is gone over twice.
        const onProgress = (walkedBytes: number) => options.onProgress?.(doneBytes + walkedBytes / 2, totalBytes)
        const search = { ...settings, segments, first, mostRecords, nowMs: this.#nowMs, onProgress }
        const { dead, end, keyCount, walkCount } = await findDead(context.system, walks, search)
        const cleaned = await this.#cleanAll(segments, { first, end }, walks, dead, (cleanedBytes) => {
          options.onProgress?.((totalBytes + doneBytes + cleanedBytes) / 2, totalBytes)
        })
        done = {
          ...sum(done, cleaned),
          keyCount: first === 0 ? keyCount : done.keyCount,
          unkeyedCount: done.unkeyedCount + cleaned.unkeyedCount,
          passCount: done.passCount + walkCount,
        }
        first = end
      }
    } finally {
      walks.close()
    }
    return done
  }

  async #cleanAll(
    segments: readonly SegmentTimes[],
    { first, end }: { readonly first: number; readonly end: number },
    walks: SegmentWalks,
    dead: DeadRecords,
    onProgress: (cleanedBytes: number) => void,
  ): Promise<Totals & { readonly unkeyedCount: number }> {
    let totals = NO_TOTALS
    let unkeyedCount = 0
    let ordinal = 0
    walks.begin()
    for (const { baseOffset } of segments.slice(first, end)) {
      const opened = walks.reopen(baseOffset)
      if (opened === undefined) continue
      const { segment, seen } = opened
      const filter: RecordFilter = {
        newDeleteHorizonMs: this.#nowMs + this.settings.deleteRetentionMs,
        // Batches of which all records stay, or none, are not looked into.
        judge: (batch) => {
          walks.throwIfAborted()
          if (batch.isControl) return 'keep'
          if (walks.isHidden(batch)) return 'drop'
          let next = ordinal
          ordinal += batch.recordCount
          const among = batch.recordCount === 0 ? 'all' : dead.among(next, ordinal)
          if (among === 'all') return 'drop'
          if (among === 'none' && (batch.hasDeleteHorizon || !seen.hasTombstone)) return 'keep'
          return () => !dead.has(next++)
        },
      }
      try {
        totals = sum(totals, await this.#cleanOne(segment, filter, baseOffset === segments[0]?.baseOffset))
        walks.throwIfAborted()
        unkeyedCount += seen.unkeyedCount
        onProgress(totals.bytesBefore)
      } finally {
        segment.close()
      }
    }
    return { ...totals, unkeyedCount }
  }

  async #cleanOne(segment: ClosedSegment, filter: RecordFilter, isFirst: boolean): Promise<CleanedSegment> {
    const { context, options } = this
    const isDry = options.dryRun === true
    const cleaned = await cleanSegment(context, segment, filter, isDry)
    if (isDry || cleaned.outcome === 'unchanged') return cleaned
    // The first segment says where the log begins, and stays though it is empty.
    const outcome = isFirst ? 'rewritten' : cleaned.outcome
    if (await swapSegment(context, segment, outcome, options)) return cleaned
    throw new Overtaken()
  }
}

function changedMeanwhile(context: LogContext): LogqError {
  return new LogqError(
    'LOGQ_CONFLICT',
    `'${partitionName(context)}' was changed by another command while it was compacted, ${MOST_TRIES} times in a row`,
    { hint: "run the command again; 'logq retain', 'logq trim' and 'logq fsck --repair' change segments" },
  )
}

type Totals = Pick<PartitionCompaction, 'bytesBefore' | 'bytesAfter' | 'recordsBefore' | 'recordsAfter'>

type Done = Totals & Pick<PartitionCompaction, 'keyCount' | 'unkeyedCount' | 'passCount'>

const NO_TOTALS: Totals = { bytesBefore: 0, bytesAfter: 0, recordsBefore: 0, recordsAfter: 0 }

function sum(a: Totals, b: Totals): Totals {
  return {
    bytesBefore: a.bytesBefore + b.bytesBefore,
    bytesAfter: a.bytesAfter + b.bytesAfter,
    recordsBefore: a.recordsBefore + b.recordsBefore,
    recordsAfter: a.recordsAfter + b.recordsAfter,
  }
}

const NOTHING_DONE: Done = { ...NO_TOTALS, keyCount: 0, unkeyedCount: 0, passCount: 0 }

/** What commands left that were killed while they replaced a small file. */
function sweepTemporary({ system: { fs }, directory }: LogContext): void {
  for (const name of fs.list(directory)) if (isTemporaryName(name)) removeQuietly(fs, `${directory}/${name}`)
}

/** An empty directory to write in. */
function prepare({ system, directory, ownership }: LogContext): void {
  const { fs } = system
  const path = `${directory}/${CLEANER_DIRECTORY}`
  if (fs.pathStatus(path) === undefined) createDirectory(system, path, ownership)
  for (const name of fs.list(path)) removeQuietly(fs, `${path}/${name}`)
}

/** A topic that was removed meanwhile has none, and what ended the pass is what the caller has to hear. */
function sweep({ system: { fs }, directory }: LogContext): void {
  const path = `${directory}/${CLEANER_DIRECTORY}`
  if (fs.pathStatus(path) === undefined) return
  for (const name of fs.list(path)) removeQuietly(fs, `${path}/${name}`)
  fs.removeDirectory(path)
}
