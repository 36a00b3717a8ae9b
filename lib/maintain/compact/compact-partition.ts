/**
 * Compaction: keeps the last record of each key, at its offset (format-spec/compaction.md). Steps:
 *
 *  1. Close the active segment when it is old.
 *  2. Under the append lock: let the recovery point be in the active segment, in both slots, durably. A position in a segment that is then
 *     written anew would say nothing.
 *  3. Note up to where offsets may be missing from now on.
 *  4. Find the records that are dead: for each range of hashes whose keys fit in memory, one walk over the log. Then, segment by segment
 *     in ascending order, write anew and swap (swap-segment.ts). When the log has more records than there is memory for a bit of each, its
 *     first segments are dealt with in this way, then those behind them.
 *  5. Note how far the pass was.
 *
 * Killed anywhere, each segment is as before or as after, and the next run begins again. A tombstone goes only when its delete horizon has
 * passed, which an earlier pass set; since older values lie in segments before it or in its own, they go first.
 *
 * Retention may remove segments meanwhile. What was counted and is gone would be waited for, so that the last record of a key was taken for
 * an earlier one: then the pass begins again.
 */
import { LogqError, systemErrorCode } from '../../errors.js'
import { readCleanerOffsets, writeCleanerOffsets, type CleanerOffsets } from '../../log/cleaner-file.js'
import { CLEANER_DIRECTORY, CLEANER_LOCK_FILE, LOG_SUFFIX, segmentFileName } from '../../log/file-names.js'
import { IsolationJudge } from '../../log/isolation.js'
import { Log } from '../../log/log.js'
import { partitionName, type LogContext } from '../../log/log-context.js'
import { listSegments, type ViewContext } from '../../log/log-view.js'
import { PartitionLock, topicRemoved, type LockWait } from '../../log/partition-lock.js'
import { pinRecoveryPoint, readRecoveryPoint } from '../../log/recovery-point-file.js'
import type { SegmentTimes } from '../../log/segment-times.js'
import type { RecordBatch } from '../../record/batch.js'
import { createDirectory, isTemporaryName, removeQuietly } from '../../system/durable.js'
import { withFileLock } from '../../system/file-lock.js'
import { cleanSegment, type CleanedSegment, type RecordFilter } from './clean-segment.js'
import { ClosedSegment } from './closed-segment.js'
import { lookAtCompaction } from './compaction-look.js'
import type { CompactionLimits, CompactionPlan } from './compaction-plan.js'
import { DeadRecords } from './dead-records.js'
import { KeyHash } from './key-hash.js'
import { HASH_COUNT, LastRecords } from './last-records.js'
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

/** At most one part in so many of the memory is for notes of dead records, a bit each; the rest is for keys. */
const NOTES_PART = 4

/** Segments to go over, from the first on that is not dealt with yet. */
interface Walk {
  readonly segments: readonly SegmentTimes[]
  readonly first: number
  readonly totalBytes: number
  /** Of those that are dealt with. */
  readonly doneBytes: number
  /** There are no more in all of them. */
  readonly mostRecords: number
}

/** What a walk saw. */
interface WalkedSegment {
  readonly inode: number
  /** One that stays may have to get a delete horizon. */
  hasTombstone: boolean
  unkeyedCount: number
}

/** A segment that was counted is gone, or another one: the pass has to begin again. */
class Overtaken extends Error {}

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
  readonly #hash: KeyHash
  /** Of one walk over the log: it goes forwards only. */
  #judge: IsolationJudge
  readonly #room = { buffer: new Uint8Array(0) }
  #unkeyedCount = 0
  #keyCount = 0
  #endOffset = 0
  /** By base offset, the segments whose records were looked at. */
  readonly #walked = new Map<number, WalkedSegment>()

  constructor(
    private readonly context: LogContext,
    private readonly view: ViewContext,
    private readonly settings: CompactionSettings,
    private readonly options: CompactionOptions,
  ) {
    const { system } = context
    this.#nowMs = system.clock.nowMs()
    this.#hash = new KeyHash(system.random)
    this.#judge = newJudge(view)
  }

  async run(): Promise<PartitionCompaction> {
    const { context, options } = this
    if (options.dryRun !== true) await this.#rollIfDue() // 1
    const plan = this.#plan()
    const { topic, partition } = context
    const { dirtyBytes, cleanBytes } = plan
    const about = { topic, partition, dirtyBytes, cleanBytes }
    if (!plan.isDue) return { ...about, ...NOTHING_DONE }
    const isDry = options.dryRun === true
    if (!isDry) prepare(context)
    try {
      if (!isDry) await this.#begin(plan) // 2, 3
      const done = await this.#passes(plan) // 4
      if (!isDry) await this.#noteOffsets(() => ({ cleanedOffset: plan.endOffset, gapsOffset: plan.endOffset })) // 5
      return { ...about, ...done, isDone: true, keyCount: this.#keyCount, unkeyedCount: this.#unkeyedCount }
    } finally {
      this.#judge.close()
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
    const { plan } = orOvertaken(() => lookAtCompaction(view, { ...settings, nowMs: this.#nowMs }, isActiveIn))
    this.#endOffset = plan.endOffset
    return plan
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

  async #passes({ segments, endOffset }: CompactionPlan): Promise<Totals & { readonly passCount: number }> {
    const totalBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    // Each record has an offset of its own.
    const mostRecords = endOffset - (segments[0]?.baseOffset ?? 0)
    let totals = NO_TOTALS
    let passCount = 0
    for (let first = 0; first < segments.length;) {
      const walk = { segments, first, totalBytes, mostRecords, doneBytes: totals.bytesBefore }
      const { dead, end, passes } = await this.#find(walk)
      totals = sum(totals, await this.#cleanAll({ ...walk, end }, dead))
      passCount += passes
      first = end
    }
    return { ...totals, passCount }
  }

  /** The dead records of as many segments, from the first one on, as there is memory for: those before `end`. */
  async #find(walk: Walk): Promise<{ readonly dead: DeadRecords; readonly end: number; readonly passes: number }> {
    const { memoryBytes, keepCount } = this.settings
    const mostNoted = Math.min(walk.mostRecords, (memoryBytes / NOTES_PART) * 8)
    const maxBytes = memoryBytes - mostNoted / 8
    const dead = new DeadRecords(mostNoted)
    let end = walk.segments.length
    let passes = 0
    let width = HASH_COUNT
    this.#walked.clear()
    for (let from = 0; from < HASH_COUNT;) {
      const to = Math.min(HASH_COUNT, from + width)
      const last = new LastRecords({ maxBytes, from, to, keepCount, mostKeys: walk.mostRecords }, dead)
      const found = await this.#findIn(walk, last, dead, mostNoted)
      this.context.system.failpoint('compact.after-count')
      if (found === undefined) {
        width = Math.ceil((to - from) / 2)
        continue
      }
      end = Math.min(end, found)
      if (walk.first === 0) this.#keyCount += last.keyCount
      passes += 1
      from = to
    }
    return { dead, end, passes }
  }

  /** One walk, for the keys of one range of hashes: which segment is the first without notes. Undefined when there are more than fit. */
  async #findIn(walk: Walk, last: LastRecords, dead: DeadRecords, mostNoted: number): Promise<number | undefined> {
    const { segments, first, totalBytes } = walk
    let { doneBytes } = walk
    let end = segments.length
    let ordinal = 0
    this.#judgeAnew()
    for (let n = first; n < segments.length; n += 1) {
      const { baseOffset } = segments[n] as SegmentTimes
      const segment = this.#open(baseOffset)
      const before = this.#walked.get(baseOffset)
      if (before !== undefined && before.inode !== segment?.inode) {
        segment?.close()
        throw new Overtaken()
      }
      if (segment === undefined) continue
      const walked = { inode: segment.inode, hasTombstone: false, unkeyedCount: 0 }
      this.#walked.set(baseOffset, walked)
      const firstOfSegment = ordinal
      if (n > first && end === segments.length) {
        // The first one is dealt with however many records it has.
        if (ordinal > mostNoted) end = n
        dead.limitTo(Math.max(ordinal, mostNoted))
      }
      try {
        for await (const placed of segment.batches()) {
          this.#throwIfAborted()
          const { batch } = placed
          if (!batch.isPlain && (batch.isControl || this.#judge.judge(batch) === 'hidden')) continue
          const isFull = segment.located(placed, () => !this.#note(batch, ordinal, walked, last, dead))
          if (isFull) return undefined
          ordinal += batch.recordCount
        }
        doneBytes += segment.sizeBytes
        this.options.onProgress?.((walk.doneBytes + doneBytes) / 2, totalBytes)
      } finally {
        segment.close()
      }
      if (n > first && end === segments.length && ordinal > mostNoted) {
        end = n
        dead.limitTo(firstOfSegment)
      }
    }
    return end
  }

  /** False when the table is full. */
  #note(batch: RecordBatch, firstOrdinal: number, walked: WalkedSegment, last: LastRecords, dead: DeadRecords): boolean {
    const hash = this.#hash
    const isHorizonPast = isDeletable(batch, this.#nowMs)
    const cursor = batch.cursor()
    for (let ordinal = firstOrdinal; cursor.next(); ordinal += 1) {
      const { keyStart } = cursor
      if (keyStart < 0) {
        dead.add(ordinal)
        walked.unkeyedCount += 1
        continue
      }
      const isTombstone = cursor.valueStart < 0
      if (isTombstone) walked.hasTombstone = true
      hash.of(cursor.bytes, keyStart, cursor.keyEnd)
      if (!last.holds(hash)) continue
      if (!last.add(hash, ordinal, isTombstone)) return false
      if (isTombstone && isHorizonPast) dead.add(ordinal)
    }
    return true
  }

  async #cleanAll({ segments, first, end, doneBytes, totalBytes }: Walk & { end: number }, dead: DeadRecords): Promise<Totals> {
    let totals = NO_TOTALS
    this.#judgeAnew()
    const filter = this.#filter(dead)
    for (const { baseOffset } of segments.slice(first, end)) {
      const segment = this.#open(baseOffset)
      const walked = this.#walked.get(baseOffset)
      if (segment?.inode !== walked?.inode) {
        segment?.close()
        throw new Overtaken()
      }
      if (segment === undefined) continue
      this.#unkeyedCount += walked?.unkeyedCount ?? 0
      try {
        const isFirst = baseOffset === segments[0]?.baseOffset
        const cleaned = await this.#cleanOne(segment, filter, isFirst)
        totals = sum(totals, cleaned)
        this.options.onProgress?.((totalBytes + doneBytes + totals.bytesBefore) / 2, totalBytes)
      } finally {
        segment.close()
      }
    }
    return totals
  }

  async #cleanOne(segment: ClosedSegment, filter: RecordFilter, isFirst: boolean): Promise<CleanedSegment> {
    const { context, options } = this
    const isDry = options.dryRun === true
    const cleaned = await cleanSegment(context, segment, filter, isDry)
    this.#throwIfAborted()
    if (isDry || cleaned.outcome === 'unchanged') return cleaned
    // The first segment says where the log begins, and stays though it is empty.
    const outcome = isFirst ? 'rewritten' : cleaned.outcome
    if (await swapSegment(context, segment, outcome, options)) return cleaned
    throw new Overtaken()
  }

  /** For one walk over the segments, in their order. Batches of which all records stay, or none, are not looked into. */
  #filter(dead: DeadRecords): RecordFilter {
    let ordinal = 0
    return {
      newDeleteHorizonMs: this.#nowMs + this.settings.deleteRetentionMs,
      judge: (batch, baseOffset) => {
        this.#throwIfAborted()
        if (batch.isControl) return 'keep'
        if (!batch.isPlain && this.#judge.judge(batch) === 'hidden') return 'drop'
        let next = ordinal
        ordinal += batch.recordCount
        const among = batch.recordCount === 0 ? 'all' : dead.among(next, ordinal)
        if (among === 'all') return 'drop'
        const mayNeedHorizon = !batch.hasDeleteHorizon && this.#walked.get(baseOffset)?.hasTombstone === true
        if (among === 'none' && !mayNeedHorizon) return 'keep'
        return () => !dead.has(next++)
      },
    }
  }

  #judgeAnew(): void {
    this.#judge.close()
    this.#judge = newJudge(this.view)
  }

  /** Undefined when it is gone: retention removed it. */
  #open(baseOffset: number): ClosedSegment | undefined {
    const path = `${this.context.directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`
    if (this.context.system.fs.pathStatus(path) === undefined) return undefined
    return orOvertaken(() => new ClosedSegment(this.view, baseOffset, this.#room, this.#endOffset))
  }

  #throwIfAborted(): void {
    if (this.options.signal?.aborted === true)
      throw new LogqError('LOGQ_ABORTED', `stopped while compacting '${partitionName(this.context)}'`)
  }
}

function newJudge(view: ViewContext): IsolationJudge {
  return new IsolationJudge({ ...view, isolation: 'read_committed' })
}

/** What was listed a moment ago may be gone. */
function orOvertaken<Result>(open: () => Result): Result {
  try {
    return open()
  } catch (error) {
    throw systemErrorCode(error) === 'ENOENT' ? new Overtaken() : error
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

const NO_TOTALS: Totals = { bytesBefore: 0, bytesAfter: 0, recordsBefore: 0, recordsAfter: 0 }

function sum(a: Totals, b: Totals): Totals {
  return {
    bytesBefore: a.bytesBefore + b.bytesBefore,
    bytesAfter: a.bytesAfter + b.bytesAfter,
    recordsBefore: a.recordsBefore + b.recordsBefore,
    recordsAfter: a.recordsAfter + b.recordsAfter,
  }
}

const NOTHING_DONE = {
  ...NO_TOTALS,
  isDone: false,
  keyCount: 0,
  unkeyedCount: 0,
  passCount: 0,
} as const

function isDeletable(batch: RecordBatch, nowMs: number): boolean {
  return batch.hasDeleteHorizon && nowMs >= batch.baseTimestampMs
}

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
