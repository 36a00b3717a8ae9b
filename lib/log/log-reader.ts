/**
 * Reads a partition from an offset on, over all its segments, while others may append, roll, retain and recover. It writes nothing and
 * locks nothing but, for a moment and shared, when a batch stays bad (format-spec/ordering.md, "reading").
 *
 * `poll` is synchronous and gives whole, checked batches; when it says 'suspect', `settle` decides whether that is a batch half-way
 * in, the end of the log, or corruption.
 */
import { CorruptionError, systemErrorCode } from '../errors.js'
import { InvalidBatchError, type RecordBatch } from '../record/batch.js'
import { AwaitedBytes, whenFetched } from '../system/awaited-bytes.js'
import { BatchPlaces } from './batch-places.js'
import { readCleanerOffsets } from './cleaner-file.js'
import { placeAfterDamage, type DamagedSegment } from './damage.js'
import { LOCK_FILE, LOG_SUFFIX, segmentFileName } from './file-names.js'
import { isKnownGap, readKnownGaps } from './known-gaps.js'
import { partitionName } from './log-context.js'
import { readLogStartOffset } from './log-start-offset-file.js'
import {
  listSegments,
  locateOffset,
  logEndOffset,
  openAtOffset,
  readStateOf,
  segmentPath,
  type OpenSegment,
  type ViewContext,
} from './log-view.js'
import type { ScanRoom } from './batch-scanner.js'
import { topicRemoved } from './partition-lock.js'
import type { StateBlock } from './state-block.js'
import { readRecoveryPoint } from './recovery-point-file.js'
import {
  BadSegmentError,
  ClosedSegmentReader,
  LiveSegmentReader,
  type ReadStep,
  type SegmentPlace,
  type SegmentReader,
} from './segment-reader.js'

/** A batch half-way in is complete within microseconds; three looks are far more than that. */
const SUSPECT_LOOKS = 3
const SUSPECT_LOOK_MS = 10
const SHARED_LOCK_RETRY_MS = 20
const LIMIT_CHECK_MS = 50
export const AFTER_DAMAGE = "see 'logq fsck'; what follows the damage can be read with -o from a later offset"

export class LogReader {
  #segment: SegmentReader | undefined
  #nextOffset: number
  /** One segment is read after the other in the same room. */
  readonly #room: ScanRoom = { buffer: new Uint8Array(0) }
  /** Where a bad batch was judged to be the end of the log; looked at again only when the file changed. */
  #deadEnd: { readonly position: number; readonly sizeBytes: number; readonly modifiedMs: number } | undefined
  /** The lock file, held open: its inode number cannot be given to another partition, and says so when this one is removed. */
  #lockFd: number | undefined
  /** Of the lock file that was opened first; 'none' where there was none. */
  #lockInode: number | 'none' | undefined
  /** Offsets that were found to be missing before a batch, or the end of a segment, at that position. */
  #gap: { readonly position: number; readonly toOffset: number } | undefined
  /** What `settle` has to fetch. */
  #awaited: AwaitedBytes | undefined
  /** The damage that was passed over last, so that it is told of once. */
  #passedOver: string | undefined
  /** Where reading went on behind damage: the batches of that segment cannot be walked from its beginning to there. */
  #resumedAt: { readonly segmentBaseOffset: number; readonly position: number } | undefined
  /** After a failed fsync nothing above the synced offset is shown. */
  #limitOffset = Infinity
  #limitAtMs = -Infinity

  constructor(
    private readonly context: ViewContext,
    offset: number,
  ) {
    this.#nextOffset = offset
  }

  /** Offset of the next record to be given. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Offset at which the log ended when `poll` said 'end'; it may lie below `nextOffset`. Undefined before, and after `close`. */
  get logEndOffset(): number | undefined {
    return this.#segment?.nextOffset
  }

  /**
   * The next batch that ends above `nextOffset`: a view that holds until the next call. Its first records may lie below: skip them.
   * 'end': nothing more at present. 'suspect': call `settle`. Throws CorruptionError, LOGQ_TOPIC_REMOVED, or a system error.
   */
  poll(): RecordBatch | 'end' | 'suspect' {
    try {
      for (;;) {
        try {
          return this.#poll()
        } catch (error) {
          if (!this.passOver(error) && this.#segment === undefined) return 'end'
        }
      }
    } catch (error) {
      if (!(error instanceof AwaitedBytes)) throw error
      this.#awaited = error
      return 'suspect'
    }
  }

  #poll(): RecordBatch | 'end' | 'suspect' {
    for (;;) {
      const segment = (this.#segment ??= this.#openSegment())
      if (segment === undefined) return 'end'
      if (segment instanceof LiveSegmentReader && this.#isAtLimit()) return 'end'
      const step = this.#step(segment)
      if (step.kind === 'batch') {
        const { batch } = step
        if (batch.nextOffset <= this.#nextOffset) continue
        this.#refuseGap(segment, batch.baseOffset, segment.position - batch.sizeBytes)
        this.#nextOffset = batch.nextOffset
        return batch
      }
      if (step.kind === 'suspect') return this.#isDeadEnd(segment, step.position) ? 'end' : 'suspect'
      if (!this.#advance(segment)) {
        return this.#isShort(segment) && !this.#isDeadEnd(segment, segment.position) ? 'suspect' : 'end'
      }
    }
  }

  /**
   * Fetches what reading has to wait for; throws what that throws. Else looks again at a suspect batch: 3 times with 10 ms between, then
   * once more under a shared lock, when no writer can be half-way. Then it is corruption below the recovery point (throws
   * CorruptionError), and the end of the log above it. Returns when `poll` is worth calling.
   */
  async settle(signal?: AbortSignal): Promise<void> {
    if (this.#awaited !== undefined) {
      await this.#fetchAwaited(this.#awaited, signal)
      return
    }
    for (let look = 0; look < SUSPECT_LOOKS; look += 1) {
      await this.context.system.clock.sleep(SUSPECT_LOOK_MS, signal)
      if (signal?.aborted === true || (await whenFetched(() => this.#peekIsWhole(), signal))) return
    }
    for (;;) {
      try {
        if (await whenFetched(() => this.#judgeUnderSharedLock(), signal)) return
      } catch (error) {
        await whenFetched(() => this.passOver(error), signal)
        return
      }
      if (signal?.aborted === true) return
      await this.context.system.clock.sleep(SHARED_LOCK_RETRY_MS, signal)
    }
  }

  async #fetchAwaited(awaited: AwaitedBytes, signal: AbortSignal | undefined): Promise<void> {
    this.#awaited = undefined
    try {
      await awaited.fetch(signal)
    } catch (error) {
      if (signal?.aborted !== true) throw error
    }
  }

  /**
   * Goes on behind damage, and tells of it, where the context says so; else throws the error. False when nothing that can be read
   * follows at present. Each time it is either behind a later position, or waits for the file to change.
   */
  passOver(error: unknown): boolean {
    const segment = this.#segment
    const { onDamage } = this.context
    if (!(error instanceof CorruptionError) || onDamage === undefined) throw error
    const { file, position, offset = this.#nextOffset } = error.place
    const place = `${file}:${position}`
    const isKnown = place === this.#passedOver
    if (isKnown && (segment === undefined || this.#isDeadEnd(segment, position))) return false
    const fromOffset = this.#isLost(this.#nextOffset, offset) ? this.#nextOffset : offset
    const toOffset = segment === undefined ? this.#segmentAfter(offset) : this.#goBehind(segment, position, offset)
    if (toOffset !== undefined) this.#nextOffset = Math.max(this.#nextOffset, toOffset)
    if (!isKnown) onDamage({ error, fromOffset, toOffset })
    this.#passedOver = place
    return toOffset !== undefined
  }

  /** Of a segment that could not be opened, as where its archive has lost it. */
  #segmentAfter(baseOffset: number): number | undefined {
    return listSegments(this.context).find((base) => base > baseOffset)
  }

  /** Gives the offset at which reading goes on. */
  #goBehind(segment: SegmentReader, position: number, offset: number): number | undefined {
    const { fs } = this.context.system
    const { fd, baseOffset } = segment
    const next = listSegments(this.context).find((base) => base > baseOffset)
    const gap = this.#gap
    this.#gap = undefined
    const sizeBytes = fs.fileStatus(fd).sizeBytes
    const place =
      gap === undefined
        ? this.#placeAfter({ fs, fd, position, offset, limitOffset: next ?? Infinity })
        : { position: gap.position, offset: gap.toOffset }
    if (place !== undefined && place.position < sizeBytes) {
      this.#segment = this.#readerFrom(segment, place, next)
      this.#resumedAt = { segmentBaseOffset: baseOffset, position: place.position }
      return place.offset
    }
    if (next !== undefined) {
      this.#reopen(segment)
      return next
    }
    const end = new LiveSegmentReader(fs, fd, baseOffset, { position, offset }, this.#endCheck)
    this.#segment = end
    this.#resumedAt = { segmentBaseOffset: baseOffset, position }
    this.#markDeadEnd(end)
    return undefined
  }

  /** None in a segment of which no more can be read, as where its archive has lost a part of it. */
  #placeAfter(damaged: DamagedSegment): SegmentPlace | undefined {
    try {
      return placeAfterDamage(damaged)
    } catch (error) {
      if (error instanceof CorruptionError) return undefined
      throw error
    }
  }

  #readerFrom({ fd, baseOffset }: SegmentReader, place: SegmentPlace, next: number | undefined): SegmentReader {
    const { fs } = this.context.system
    return next === undefined
      ? new LiveSegmentReader(fs, fd, baseOffset, place, this.#endCheck)
      : new ClosedSegmentReader(fs, fd, baseOffset, place, next)
  }

  /**
   * The error for a reader that was promised records below `toOffset` and was stopped by a bad batch before them, or found no segment at
   * all. Undefined when that is the end of the log by now.
   */
  missingBelow(toOffset: number): CorruptionError | undefined {
    const segment = this.#segment
    if (segment !== undefined && this.#deadEnd === undefined) return undefined
    const segments = listSegments(this.context)
    const end = Math.min(logEndOffset(this.context, segments), toOffset)
    if (end <= this.#nextOffset || (segment === undefined && segments.length > 0)) return undefined
    const reason = `records up to offset ${end - 1} cannot be read`
    if (segment !== undefined) return this.#corruption(segment, segment.position, this.#nextOffset, reason)
    this.#refuseRemoved()
    const first = { baseOffset: this.#nextOffset }
    return this.#corruption(first, 0, this.#nextOffset, `it has no segment, and ${reason}`)
  }

  /** Lets go of the files; the next `poll` opens them again. */
  close(): void {
    this.#segment?.close()
    this.#segment = undefined
    if (this.#lockFd !== undefined) this.context.system.fs.close(this.#lockFd)
    this.#lockFd = undefined
  }

  /** Where the batch is that `poll` gave last: its segment, and its position in it. */
  get lastPlace(): { readonly segmentBaseOffset: number; readonly endPosition: number } {
    return { segmentBaseOffset: this.#segment?.baseOffset ?? 0, endPosition: this.#segment?.position ?? 0 }
  }

  #step(segment: SegmentReader): ReadStep {
    try {
      return segment.next()
    } catch (error) {
      if (error instanceof BadSegmentError) throw this.#corruption(segment, error.position, error.offset, error.reason)
      if (error instanceof InvalidBatchError)
        throw this.#corruption(segment, segment.position, segment.nextOffset, error.message)
      throw error
    }
  }

  #openSegment(): SegmentReader | undefined {
    const { fs } = this.context.system
    this.#refuseRemoved()
    for (;;) {
      const segments = listSegments(this.context)
      let opened: OpenSegment | undefined
      try {
        opened = openAtOffset(this.context, segments, this.#nextOffset)
      } catch (error) {
        // Retained or compacted away since the listing: look again.
        if (systemErrorCode(error) === 'ENOENT') continue
        throw error
      }
      if (opened === undefined) return undefined
      const { fd, segmentBaseOffset } = opened
      const next = segments.find((base) => base > segmentBaseOffset)
      return next === undefined
        ? new LiveSegmentReader(fs, fd, segmentBaseOffset, opened, this.#endCheck, this.#room)
        : new ClosedSegmentReader(fs, fd, segmentBaseOffset, opened, next, this.#room)
    }
  }

  /** The segment is read to its end. Goes on to the next one, or finds that there is none (false). */
  #advance(segment: SegmentReader): boolean {
    const present = this.#presentInode(segment)
    if (present !== undefined && present !== this.context.system.fs.fileStatus(segment.fd).inode) {
      this.#refuseOtherPartition()
      this.#reopen(segment)
      return true
    }
    const segments = listSegments(this.context)
    const next = segments.find((base) => base > segment.baseOffset)
    if (next === undefined) {
      if (present === undefined && segments.length > 0) {
        // Another directory, of a log that ends earlier, stands in the place of the one that was read.
        this.#refuseOtherPartition()
        this.#reopen(segment)
        return true
      }
      this.#refuseRemoved()
      return this.#followTruncation(segment)
    }
    // The segment was closed after its end was read: what was appended in between is read first.
    if (segment instanceof LiveSegmentReader) {
      this.#segment = new ClosedSegmentReader(
        this.context.system.fs,
        segment.fd,
        segment.baseOffset,
        segment.place,
        next,
        this.#room,
      )
      return true
    }
    this.#refuseGap(segment, next, segment.position)
    this.#reopen(segment)
    // A segment that is gone was deleted, or merged into an earlier one, which then has what follows.
    if (present !== undefined && next > this.#nextOffset) this.#nextOffset = next
    return true
  }

  /**
   * Of the file that now stands where the open one stood. Another one is the work of a repair, of a compaction, or of somebody who
   * replaced the directory: the offset is what reading goes on from.
   */
  #presentInode(segment: SegmentReader): number | undefined {
    return this.context.system.fs.pathStatus(`${this.context.directory}/${segmentFileName(segment.baseOffset, LOG_SUFFIX)}`)
      ?.inode
  }

  /** Another lock file is that of another directory, be it a copy of this one: whoever asked for the topic has to look at it again. */
  #refuseOtherPartition(): void {
    if (typeof this.#lockInode !== 'number') return
    const present = this.context.system.fs.pathStatus(`${this.context.directory}/${LOCK_FILE}`)
    if (present !== undefined && present.inode !== this.#lockInode) throw topicRemoved(this.context.directory)
  }

  /** Offsets that are missing, and were neither deleted from the front nor dropped by a repair, were lost: nobody passes them over. */
  #refuseGap(segment: SegmentReader, toOffset: number, position: number): void {
    const fromOffset = this.#nextOffset
    if (!this.#isLost(fromOffset, toOffset)) return
    this.#gap = { position, toOffset }
    throw this.#corruption(segment, position, fromOffset, `offsets ${fromOffset} to ${toOffset - 1} are missing`)
  }

  /** Offsets that are not there and ought to be. */
  #isLost(fromOffset: number, toOffset: number): boolean {
    if (toOffset <= fromOffset || this.context.isContiguous !== true) return false
    if (toOffset <= (readLogStartOffset(this.context) ?? 0)) return false
    // It was a compacted topic once.
    if (toOffset <= readCleanerOffsets(this.context).gapsOffset) return false
    return !isKnownGap(readKnownGaps(this.context), fromOffset, toOffset)
  }

  /** A recovery cut unsynced records that were read already: reading goes on where the log now ends. */
  #followTruncation(segment: SegmentReader): boolean {
    if (!(segment instanceof LiveSegmentReader)) return false
    const { sizeBytes } = this.context.system.fs.fileStatus(segment.fd)
    if (sizeBytes >= segment.position) return false
    this.#reopen(segment)
    return true
  }

  #reopen(segment: SegmentReader): void {
    segment.close()
    this.#segment = undefined
  }

  /** The log ends here, below its recovery point: records that were synced are gone, unless somebody is changing it just now. */
  #isShort(segment: SegmentReader): boolean {
    if (!(segment instanceof LiveSegmentReader)) return false
    if ((readRecoveryPoint(this.context)?.offset ?? 0) <= segment.nextOffset) return false
    return this.#probe(segment).next().kind === 'end' && listSegments(this.context).at(-1) === segment.baseOffset
  }

  #peekIsWhole(): boolean {
    const segment = this.#segment
    if (!(segment instanceof LiveSegmentReader)) return true
    const { kind } = this.#probe(segment).next()
    return kind === 'batch' || (kind === 'end' && !this.#isShort(segment))
  }

  /** A second reader on the same place, so that looking does not move the first. */
  #probe(segment: LiveSegmentReader): LiveSegmentReader {
    const { fd, baseOffset, place } = segment
    return new LiveSegmentReader(this.context.system.fs, fd, baseOffset, place, this.#endCheck)
  }

  /** False when a writer has the lock just now. */
  #judgeUnderSharedLock(): boolean {
    const { system } = this.context
    const segment = this.#segment
    if (!(segment instanceof LiveSegmentReader)) return true
    // A Kafka directory: nothing says what was synced, so the log ends here.
    const lockFd = this.#openLock()
    if (lockFd === undefined) {
      this.#markDeadEnd(segment)
      return true
    }
    try {
      if (!system.locks.tryLock(lockFd, true)) return false
      const step = this.#probe(segment).next()
      if (step.kind === 'batch' || (step.kind === 'end' && !this.#isShort(segment))) return true
      const reason = step.kind === 'end' ? 'synced records are missing' : step.reason
      if (this.#wasRewritten(segment)) this.#reopen(segment)
      else if (this.#isSynced(segment)) throw this.#corruption(segment, segment.position, segment.nextOffset, reason)
      else this.#markDeadEnd(segment)
      return true
    } finally {
      system.fs.close(lockFd)
    }
  }

  /** What was read was cut off again, and other batches stand in its place: the position is none any more. */
  #wasRewritten(segment: LiveSegmentReader): boolean {
    const { position, nextOffset, baseOffset, fd } = segment
    const resumed = this.#resumedAt
    const isBehindDamage = resumed?.segmentBaseOffset === baseOffset && resumed.position <= position
    let boundary = isBehindDamage
      ? resumed.position
      : locateOffset(this.context, baseOffset, fd, Math.max(baseOffset, nextOffset - 1)).position
    for (const place of new BatchPlaces(this.context.system.fs, fd).from(boundary)) {
      if (boundary >= position) break
      boundary = place.position + place.sizeBytes
    }
    return boundary !== position
  }

  #isSynced(segment: LiveSegmentReader): boolean {
    if (listSegments(this.context).some((base) => base > segment.baseOffset)) return true
    const point = readRecoveryPoint(this.context)
    if (point === undefined) return false
    return point.segmentBaseOffset === segment.baseOffset
      ? segment.position < point.position
      : segment.nextOffset < point.offset
  }

  /** What the state block or the recovery point says of an end. A log that Kafka wrote has neither, and offsets may be missing. */
  readonly #endCheck = (position: number, offset: number): boolean => {
    const state = this.#readState()
    if (this.#lockFd === undefined) return true
    if (state?.valid === true && state.logBytes === position) return state.logEndOffset === offset
    const point = readRecoveryPoint(this.context)
    return point?.position === position && point.offset === offset
  }

  #markDeadEnd(segment: LiveSegmentReader): void {
    const { sizeBytes, modifiedMs } = this.context.system.fs.fileStatus(segment.fd)
    this.#deadEnd = { position: segment.position, sizeBytes, modifiedMs }
  }

  #isDeadEnd(segment: SegmentReader, position: number): boolean {
    if (this.#deadEnd?.position !== position || !(segment instanceof LiveSegmentReader)) return false
    const { sizeBytes, modifiedMs } = this.context.system.fs.fileStatus(segment.fd)
    if (sizeBytes === this.#deadEnd.sizeBytes && modifiedMs === this.#deadEnd.modifiedMs) return true
    this.#deadEnd = undefined
    return false
  }

  /** True when nothing that follows may be shown. Looked up now and then only, since it costs a read. */
  #isAtLimit(): boolean {
    const { clock } = this.context.system
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#limitAtMs >= LIMIT_CHECK_MS) {
      this.#limitAtMs = nowMs
      const state = this.#readState()
      this.#limitOffset = state?.status === 'sync-failed' ? state.syncedOffset : Infinity
    }
    return this.#nextOffset >= this.#limitOffset
  }

  /** A partition that was removed, also when another of its name stands in its place by now. */
  #refuseRemoved(): void {
    if (this.#readState()?.status === 'deleted') throw topicRemoved(this.context.directory)
  }

  /** The state block of the partition that was read from first. Throws LOGQ_TOPIC_REMOVED when another stands in its place. */
  #readState(): StateBlock | undefined {
    const { fs } = this.context.system
    if (this.#lockFd === undefined) {
      this.#lockFd = this.#openLock()
      const inode = this.#lockFd === undefined ? 'none' : fs.fileStatus(this.#lockFd).inode
      this.#lockInode ??= inode
      if (inode !== this.#lockInode) throw topicRemoved(this.context.directory)
    }
    return this.#lockFd === undefined ? undefined : readStateOf(fs, this.#lockFd)
  }

  #openLock(): number | undefined {
    try {
      return this.context.system.fs.open(`${this.context.directory}/${LOCK_FILE}`, 'read')
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }

  #corruption(segment: Pick<SegmentReader, 'baseOffset'>, position: number, offset: number, reason: string): CorruptionError {
    const { topic, partition } = this.context
    const file = segmentPath(this.context, segment.baseOffset)
    return new CorruptionError(
      `'${partitionName(this.context)}' is damaged: ${reason},`,
      { topic, partition, offset, file, position },
      { hint: AFTER_DAMAGE },
    )
  }
}
