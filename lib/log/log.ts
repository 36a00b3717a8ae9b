/**
 * The log of one partition, open for appending: append, roll, sync (format-spec/ordering.md gives the order of writes and why).
 *
 * Any number of processes append to the same log. What this process remembers from before is never trusted: under the append lock the
 * state block and fstat say where the end is, or the directory is listed and scanned. Appending one batch, numbered for the tests in
 * test/crash/append-crash.test.ts:
 *
 *  1. Take the lock; read the state block; go on from it, or recover (recovery.ts).
 *  2. Stamp base offset and leader epoch; one write of the whole batch at the end of the .log.
 *     Crash here: the state block no longer agrees with fstat; the next process finds the batch whole and keeps it, or torn and
 *     cuts it.
 *  3. Write the index entries that are due.           Crash here: as after 2; surplus entries are found by position and rewritten.
 *  4. Write the state block.                          Crash here: nothing is left to do.
 *  5. Let go of the lock. Syncing happens after that, outside the lock.
 *
 * Rolling to a new segment, under the same lock:
 *
 *  1. Invalidate the state block.                     Crash here: the next process lists and scans.
 *  2. Last time-index entry of the old segment; sync its indexes. Crash here: an index is a cache.
 *  3. Sync the old .log; note the recovery point.     Crash here: the old segment is still the active one.
 *  4. Create the new files; sync the directory.       Crash here: an empty active segment, which is a normal one.
 *  5. Write the state block for the new segment.
 */
import { LogqError, isLogqError, systemErrorCode, systemHint, systemReason } from '../errors.js'
import { shortWriteError } from '../system/durable.js'
import { stampBatch } from '../record/batch.js'
import type { LogContext } from './log-context.js'
import { partitionName } from './log-context.js'
import { readLeaderEpochs } from './leader-epoch-file.js'
import { PartitionLock, topicRemoved, type LockWait } from './partition-lock.js'
import { readRecoveryPoint, writeRecoveryPoint } from './recovery-point-file.js'
import { SYNC_AFTER_VERIFIED_BYTES, quarantineError, recover, syncFailed, type RecoveredLog } from './recovery.js'
import { SegmentFiles } from './segment-files.js'
import { SegmentTail } from './segment-tail.js'
import { copyTail, stateOfEnd } from './tail-state.js'
import { isOfThisBoot, type PartitionStatus, type StateBlock } from './state-block.js'
import { BatchScanner, misfit } from './batch-scanner.js'

/** A whole batch, built outside the lock: every field is final but base offset and leader epoch. */
export interface BatchToAppend {
  readonly bytes: Uint8Array
  readonly lastOffsetDelta: number
  readonly maxTimestampMs: number
}

/** LOGQ_CONFLICT: the log ends elsewhere than the append expected. Nothing was appended. */
export class LogEndConflictError extends LogqError {
  constructor(
    name: string,
    readonly expectedOffset: number,
    readonly logEndOffset: number,
  ) {
    super('LOGQ_CONFLICT', `'${name}' ends at offset ${logEndOffset}, not at ${expectedOffset}`)
  }
}

export interface AppendedRange {
  readonly baseOffset: number
  readonly lastOffset: number
}

/** LOGQ_IO after which a batch may be in the log, or may not. */
export class UncertainAppendError extends LogqError {
  constructor(message: string, options: { hint: string; cause: unknown }) {
    super('LOGQ_IO', message, options)
  }
}

/** A background sync begins when this much is unsynced, so that the roll and the end of a long append find little left to sync. */
const SYNC_AHEAD_BYTES = 8 << 20
const MAX_POSITION = 0x7fff_ffff
const MAX_RELATIVE_OFFSET = 0x7fff_ffff

/** Where the log ends, as this process last saw it under the lock. */
interface End {
  status: PartitionStatus
  leaderEpoch: number
  syncedOffset: number
  tail: SegmentTail
  files: SegmentFiles
  device: number
  inode: number
}

export class Log {
  readonly #lock: PartitionLock
  #end: End | undefined
  /** True once this process verified everything above the recovery point. */
  #isVerified = false
  /** As the last append was told to wait: a sync waits for the lock in the same way. */
  #wait: LockWait = {}
  #syncInFlight: Promise<void> | undefined
  /** The files of the sync in flight: not to be closed before it is over, or its descriptor might be another file's by then. */
  #syncing: SegmentFiles | undefined
  #unsyncedBytes = 0
  /** End of this process's own last append, and the leader epoch that it was stamped with. */
  #appendedOffset = 0
  #appendedEpoch = 0
  /** Set once and for all: what was appended may be lost. */
  #syncFailure: LogqError | undefined

  private constructor(
    private readonly context: LogContext,
    lock: PartitionLock,
  ) {
    this.#lock = lock
  }

  /** Opens an existing partition. Nothing is read or verified before the first append. Throws LOGQ_TOPIC_REMOVED when it is gone. */
  static open(context: LogContext): Log {
    try {
      return new Log(context, PartitionLock.open(context.system, context.directory))
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') throw topicRemoved(context.directory)
      throw error
    }
  }

  /**
   * Appends one batch, and stamps its bytes with the offsets that it got. The bytes may be reused after the promise settled. On
   * return the batch is in the page cache: it outlives this process, and after `sync()` a power cut. With `expectedOffset` the
   * batch is appended only if the log ends just there; else this throws LogEndConflictError.
   * Throws LOGQ_TOPIC_REMOVED, LOGQ_CONFLICT, LOGQ_SYNC_FAILED, LOGQ_CORRUPT, LOGQ_BUSY, LOGQ_ABORTED or LOGQ_IO;
   * then nothing was appended, unless it is an UncertainAppendError.
   */
  async append(batch: BatchToAppend, wait: LockWait = {}, expectedOffset?: number): Promise<AppendedRange> {
    this.#throwSyncFailure()
    this.#wait = wait
    if (!this.#lock.tryAcquire()) await this.#lock.acquire(wait)
    let range: AppendedRange
    try {
      range = this.#appendLocked(batch, expectedOffset)
    } catch (error) {
      throw appendFailed(this.context.directory, error)
    } finally {
      this.#lock.release()
    }
    this.#unsyncedBytes += batch.bytes.length
    if (this.#unsyncedBytes >= SYNC_AHEAD_BYTES && this.#syncInFlight === undefined) {
      // What fails is kept, and thrown by the next append or sync; nobody awaits this promise before.
      this.#startSync().catch(() => undefined)
    }
    return range
  }

  /**
   * Takes the records below `offset` for its own, whoever appended them: the next `sync` returns when they are on the device too.
   * Throws as `append` does, LogEndConflictError when the log ends before.
   */
  async adopt(offset: number, wait: LockWait = {}): Promise<void> {
    this.#throwSyncFailure()
    this.#wait = wait
    if (!this.#lock.tryAcquire()) await this.#lock.acquire(wait)
    try {
      const { tail, leaderEpoch, syncedOffset } = this.#locate()
      this.#checkNothingCut(leaderEpoch)
      if (tail.logEndOffset < offset) throw new LogEndConflictError(partitionName(this.context), offset, tail.logEndOffset)
      this.#appendedOffset = Math.max(this.#appendedOffset, offset)
      this.#appendedEpoch = leaderEpoch
      if (syncedOffset < offset) this.#unsyncedBytes = Math.max(this.#unsyncedBytes, 1)
    } finally {
      this.#lock.release()
    }
  }

  /**
   * Closes the active segment and begins the next one, when it has records and `isDue` says so of its end: what retention and compaction
   * do not touch before. Returns whether it did; all three files of the old segment are on the device then. Throws as `append` does.
   */
  async rollIf(isDue: (tail: Readonly<SegmentTail>) => boolean, wait: LockWait = {}): Promise<boolean> {
    this.#throwSyncFailure()
    this.#wait = wait
    if (!this.#lock.tryAcquire()) await this.#lock.acquire(wait)
    try {
      const end = this.#locate()
      this.#checkNothingCut(end.leaderEpoch)
      if (end.tail.logBytes === 0 || !isDue(end.tail)) return false
      this.#roll(end)
      return true
    } catch (error) {
      throw appendFailed(this.context.directory, error)
    } finally {
      this.#lock.release()
    }
  }

  /**
   * Returns when everything that this process appended is on the device. At most one fdatasync per log is in flight; it acknowledges
   * what was written before it began. Throws LOGQ_SYNC_FAILED, once and for all: a repeated fdatasync that succeeds proves nothing.
   */
  async sync(): Promise<void> {
    while (this.#unsyncedBytes > 0 || this.#syncInFlight !== undefined) {
      this.#throwSyncFailure()
      await this.#startSync()
    }
    this.#throwSyncFailure()
  }

  /** Log end offset as of this process's last append; 0 before it. */
  get appendedOffset(): number {
    return this.#appendedOffset
  }

  /** Waits for a sync that is under way, and closes the files. What was not synced stays in the page cache. */
  async close(): Promise<void> {
    await this.#syncInFlight?.catch(() => undefined)
    this.#end?.files.close()
    this.#end = undefined
    this.#lock.close()
  }

  #appendLocked(batch: BatchToAppend, expectedOffset: number | undefined): AppendedRange {
    let end = this.#locate()
    this.#checkNothingCut(end.leaderEpoch)
    const { logEndOffset } = end.tail
    if (expectedOffset !== undefined && expectedOffset !== logEndOffset) {
      throw new LogEndConflictError(partitionName(this.context), expectedOffset, logEndOffset)
    }
    if (this.#mustRoll(end, batch)) end = this.#roll(end)
    const { tail, files } = end
    const position = tail.logBytes
    const baseOffset = tail.logEndOffset
    const lastOffset = baseOffset + batch.lastOffsetDelta
    stampBatch(batch.bytes, baseOffset, end.leaderEpoch)
    const before = new SegmentTail(tail.baseOffset)
    copyTail(tail, before)
    try {
      this.#write(files, batch.bytes, position)
      this.context.system.failpoint('append.after-write')
      tail.advance(
        { lastOffset, sizeBytes: batch.bytes.length, maxTimestampMs: batch.maxTimestampMs },
        this.context.config().indexIntervalBytes,
        files,
      )
      this.context.system.failpoint('append.after-index')
      this.#writeState(end, true)
    } catch (error) {
      // A sync that follows must not speak of what is cut off.
      copyTail(before, tail)
      const isGone = this.#cutBack(files, position, batch.bytes.length)
      if (isGone) files.dropEntriesBeyond(before)
      throw isGone ? appendFailed(files.logPath, error) : appendUncertain(files.logPath, error)
    }
    this.#appendedOffset = lastOffset + 1
    this.#appendedEpoch = end.leaderEpoch
    return { baseOffset, lastOffset }
  }

  /** One write of the whole batch. After a short one an error is waiting: the write of the rest tells which. */
  #write(files: SegmentFiles, bytes: Uint8Array, position: number): void {
    const { fs, failpoint } = this.context.system
    failpoint('append.before-write')
    const { length } = bytes
    for (let written = 0; written < length;) {
      const count = fs.write(files.logFd, bytes, written, length - written, position + written)
      if (count === 0) throw shortWriteError(files.logPath, written, length)
      written += count
    }
  }

  /**
   * A failed or short write is cut off again: nothing is ever appended behind garbage, and what was not appended is not there.
   * False when it cannot be cut, and the batch may be there as a whole.
   */
  #cutBack(files: SegmentFiles, position: number, batchBytes: number): boolean {
    const { fs } = this.context.system
    try {
      fs.truncate(files.logFd, position)
      return true
    } catch {
      // The state block still ends at `position`: the next append finds that fstat disagrees, and recovers. It keeps whole batches.
    }
    try {
      return fs.fileStatus(files.logFd).sizeBytes < position + batchBytes
    } catch {
      return false
    }
  }

  /** Where the log ends now. The caller holds the lock. */
  #locate(): End {
    const state = this.#lock.readState()
    this.#refuse(state)
    this.#lock.noteHolder(state)
    const end = state === undefined ? undefined : this.#resume(state)
    if (end !== undefined) {
      if (this.#isVerified || this.#verifyTail(end)) {
        this.#isVerified = true
        this.#end = end
        return end
      }
    }
    return this.#recover(state)
  }

  /** Refuses to append to a log that is not a live leader's. */
  #refuse(state: StateBlock | undefined): void {
    const name = partitionName(this.context)
    switch (state?.status) {
      case undefined:
      case 'live':
        return
      case 'deleted':
        throw topicRemoved(this.context.directory)
      case 'sync-failed':
        throw new LogqError(
          'LOGQ_SYNC_FAILED',
          `an earlier fsync of '${name}' failed: records above offset ${state.syncedOffset} may be lost`,
          {
            hint: 'see logq fsck, then logq fsck --repair',
          },
        )
      case 'follower':
        throw new LogqError('LOGQ_CONFLICT', `'${name}' is a follower and takes no records`, { hint: 'produce to its leader' })
      case 'sealed':
        throw new LogqError('LOGQ_CONFLICT', `'${name}' is sealed and takes no records`)
    }
  }

  /** The end as the state block gives it, or undefined when it cannot be trusted. */
  #resume(state: StateBlock): End | undefined {
    if (!state.valid || !isOfThisBoot(state, this.context.system.self)) return undefined
    const known = this.#end?.files.baseOffset === state.activeBaseOffset ? this.#end.files : undefined
    const files = known ?? this.#openSegment(state)
    if (files === undefined) return undefined
    const { device, inode, links, sizeBytes } = this.context.system.fs.fileStatus(files.logFd)
    // With several names it is not ours to write to: recovery puts a copy in its place.
    if (device !== state.device || inode !== state.inode || sizeBytes !== state.logBytes || links > 1) {
      if (files !== known) files.close()
      return undefined
    }
    const end = this.#end !== undefined && files === known ? this.#end : this.#replaceEnd(newEnd(state, files))
    end.status = state.status
    end.leaderEpoch = state.leaderEpoch
    end.syncedOffset = state.syncedOffset
    end.device = device
    end.inode = inode
    copyTail(state, end.tail)
    return end
  }

  /** Undefined when the segment is not there, or its indexes are not as the state block has them: somebody deleted them. */
  #openSegment(state: StateBlock): SegmentFiles | undefined {
    const { system, directory, ownership } = this.context
    let files: SegmentFiles
    try {
      files = SegmentFiles.open(system, directory, state.activeBaseOffset, ownership)
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
    if (files.hasIndexes(state.offsetIndexBytes, state.timeIndexBytes)) return files
    files.close()
    return undefined
  }

  #replaceEnd(end: End): End {
    const old = this.#end?.files
    this.#end = end
    if (old !== undefined && old !== end.files && old !== this.#syncing) old.close()
    return end
  }

  /** A process's first append verifies what stands above the recovery point. False when recovery has to look. */
  #verifyTail(end: End): boolean {
    const point = readRecoveryPoint(this.context)
    const { tail } = end
    if (point?.segmentBaseOffset !== tail.baseOffset || point.position > tail.logBytes) {
      return point === undefined && tail.logBytes === 0 && tail.baseOffset === 0
    }
    const scanner = new BatchScanner(this.context.system.fs, end.files.logFd, point.position, { checkCrc: true })
    let { offset } = point
    let leaderEpoch = 0
    let step = scanner.next()
    for (; step.kind === 'batch'; step = scanner.next()) {
      if (misfit(step.batch, offset, leaderEpoch, true) !== undefined) return false
      offset = step.batch.nextOffset
      leaderEpoch = step.batch.partitionLeaderEpoch
    }
    if (step.kind !== 'end' || offset !== tail.logEndOffset) return false
    if (tail.logBytes - point.position > SYNC_AFTER_VERIFIED_BYTES) this.#syncBlocking(end)
    return true
  }

  #recover(state: StateBlock | undefined): End {
    // Step 1 of recovery. A block that is damaged is as good as invalid.
    if (state?.valid === true) this.#lock.writeState({ ...state, valid: false })
    const recovered = this.#runRecovery(state)
    const { files, tail, leaderEpoch } = recovered
    const { device, inode } = this.context.system.fs.fileStatus(files.logFd)
    const known = state !== undefined && state.syncedOffset <= tail.logEndOffset ? state.syncedOffset : 0
    const syncedOffset = Math.max(recovered.syncedOffset, known)
    const end = this.#replaceEnd({ status: state?.status ?? 'live', leaderEpoch, syncedOffset, tail, files, device, inode })
    this.#writeState(end, true)
    this.#isVerified = true
    if (recovered.quarantined !== undefined) throw quarantineError(this.context, recovered.quarantined)
    return end
  }

  #runRecovery(state: StateBlock | undefined): RecoveredLog {
    try {
      return recover(this.context, state?.leaderEpoch)
    } catch (error) {
      if (isLogqError(error, 'LOGQ_SYNC_FAILED') && state !== undefined)
        this.#writeStatus({ ...state, status: 'sync-failed', valid: false })
      throw error
    }
  }

  /** A recovery by another process may have cut what this one appended and did not sync: then nothing may be acknowledged. */
  #checkNothingCut(leaderEpoch: number | undefined): void {
    if (this.#appendedOffset === 0 || leaderEpoch === this.#appendedEpoch) return
    const next = readLeaderEpochs(this.context)?.find(({ epoch }) => epoch > this.#appendedEpoch)
    if (next === undefined || next.startOffset >= this.#appendedOffset) return
    const name = partitionName(this.context)
    const message = `records that were appended to '${name}' from offset ${next.startOffset} on were damaged before they were synced`
    this.#syncFailure = new LogqError('LOGQ_CORRUPT', message, {
      hint: `what was left of them is in '${this.context.directory}/quarantine'`,
    })
    throw this.#syncFailure
  }

  #mustRoll(end: End, batch: BatchToAppend): boolean {
    const { tail } = end
    if (tail.logBytes === 0) return false
    const { segmentBytes, segmentMs } = this.context.config()
    const { length } = batch.bytes
    if (tail.logBytes + length > Math.min(segmentBytes, MAX_POSITION)) return true
    if (tail.logEndOffset + batch.lastOffsetDelta - tail.baseOffset > MAX_RELATIVE_OFFSET) return true
    return tail.firstTimestampMs >= 0 && batch.maxTimestampMs - tail.firstTimestampMs > segmentMs
  }

  #roll(end: End): End {
    const { system, directory, ownership } = this.context
    this.#writeState(end, false) // 1
    system.failpoint('roll.after-invalidate')
    end.tail.finish(end.files) // 2
    end.files.syncIndexes()
    system.failpoint('roll.after-time-index')
    this.#syncBlocking(end) // 3
    system.failpoint('roll.after-sync')
    const { logEndOffset } = end.tail
    const files = SegmentFiles.create(system, directory, logEndOffset, ownership) // 4
    system.failpoint('roll.after-create')
    const { device, inode } = system.fs.fileStatus(files.logFd)
    const next = this.#replaceEnd({ ...end, files, device, inode, tail: new SegmentTail(logEndOffset) })
    this.#unsyncedBytes = 0
    this.#writeState(next, true) // 5
    return next
  }

  #syncBlocking(end: End): void {
    try {
      this.context.system.fs.fdatasyncBlocking(end.files.logFd)
    } catch (error) {
      this.#syncFailure = syncFailed(this.context, error)
      this.#writeStatus(stateOfEnd(this.context.system, { ...end, status: 'sync-failed' }, true))
      throw this.#syncFailure
    }
    this.#noteSynced(end, end.tail.logEndOffset, end.tail.logBytes)
  }

  /** The caller holds the lock; `offset` and `position` are a batch boundary of the active segment. */
  #noteSynced(end: End, offset: number, position: number): void {
    if (offset <= end.syncedOffset) return
    end.syncedOffset = offset
    // The older point is true as well: the next process verifies a little more.
    unlessDiskFails(() => {
      writeRecoveryPoint(this.context, { offset, segmentBaseOffset: end.tail.baseOffset, position })
    })
  }

  /** Begins a sync, or joins the one in flight. */
  #startSync(): Promise<void> {
    this.#syncInFlight ??= this.#syncOnce()
      .catch((error: unknown) => {
        // Records that were to be synced may not be: nothing is acknowledged after that.
        this.#syncFailure ??= error instanceof LogqError ? error : syncFailed(this.context, error)
        throw error
      })
      .finally(() => {
        this.#syncInFlight = undefined
      })
    return this.#syncInFlight
  }

  async #syncOnce(): Promise<void> {
    const end = this.#end
    this.#unsyncedBytes = 0
    if (end === undefined) return
    const { files } = end
    const { baseOffset, logEndOffset: offset, logBytes: position } = end.tail
    const { system } = this.context
    system.failpoint('sync.before')
    this.#syncing = files
    try {
      await system.fs.fdatasync(files.logFd)
    } catch (error) {
      this.#syncFailure = syncFailed(this.context, error)
    }
    this.#syncing = undefined
    // Others replaced it meanwhile, and left the closing to us.
    if (this.#end?.files !== files) files.close()
    system.failpoint('sync.after')
    if (!this.#lock.tryAcquire()) await this.#lock.acquire(this.#wait)
    try {
      this.#noteSyncOutcome(baseOffset, offset, position)
    } finally {
      this.#lock.release()
    }
  }

  /** Notes under the lock what a sync of everything below `offset` came to. */
  #noteSyncOutcome(baseOffset: number, offset: number, position: number): void {
    const state = this.#lock.readState()
    if (state?.status === 'deleted') throw topicRemoved(this.context.directory)
    if (this.#syncFailure !== undefined) {
      if (state !== undefined) this.#writeStatus({ ...state, status: 'sync-failed' })
      throw this.#syncFailure
    }
    // Another process's fsync may have been told of the failure instead of ours: it is reported once.
    if (state?.status === 'sync-failed' && state.syncedOffset < offset) this.#refuse(state)
    const present = state === undefined ? undefined : this.#resume(state)
    this.#checkNothingCut(present?.leaderEpoch)
    // After a roll by another process there is nothing to note: the roll synced this segment.
    if (present?.tail.baseOffset !== baseOffset || offset <= present.syncedOffset) return
    this.#noteSynced(present, offset, position)
    unlessDiskFails(() => {
      this.#writeState(present, true)
    })
  }

  /**
   * Writes a state block whose status is news, durably if that can be had. From a sync-failed one on writers refuse, and readers
   * stop.
   */
  #writeStatus(state: StateBlock): void {
    try {
      this.#lock.writeState(state)
      this.#lock.syncStatus()
    } catch {
      // The device refuses this as well; the error that follows says enough.
    }
  }

  #throwSyncFailure(): void {
    if (this.#syncFailure !== undefined) throw this.#syncFailure
  }

  #writeState(end: End, valid: boolean): void {
    this.#lock.writeState(stateOfEnd(this.context.system, end, valid))
  }
}

function newEnd(state: StateBlock, files: SegmentFiles): End {
  const { status, leaderEpoch, syncedOffset, activeBaseOffset, device, inode } = state
  return { status, leaderEpoch, syncedOffset, tail: new SegmentTail(activeBaseOffset), files, device, inode }
}

/** For notes of what is true without them: a full disk must not make a failure of a success. */
function unlessDiskFails(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (systemErrorCode(error) === undefined && !isLogqError(error, 'LOGQ_IO')) throw error
  }
}

/** Nothing was appended, whichever step failed. */
function appendFailed(path: string, error: unknown): unknown {
  if (error instanceof LogqError || systemErrorCode(error) === undefined) return error
  const file = error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : path
  const hint = systemHint(error)
  return new LogqError('LOGQ_IO', `cannot append to '${file}': ${systemReason(error)}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The batch was written, something after that failed, and so did cutting it off again. */
function appendUncertain(path: string, error: unknown): unknown {
  if (!(error instanceof LogqError) && systemErrorCode(error) === undefined) return error
  return new UncertainAppendError(
    `cannot append to '${path}': ${systemReason(error)}; the records may have been appended all the same`,
    {
      cause: error,
      hint: 'look at the last records before you append them again',
    },
  )
}
