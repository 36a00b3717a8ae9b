/**
 * The log of one partition, open for appending: append, roll, sync (format-spec/ordering.md gives the order of writes and why).
 *
 * Any number of processes append to the same log. What this process remembers from before is never trusted: under the append lock the
 * state block and fstat say where the end is, or the directory is listed and scanned. Appending one batch, numbered for the tests in
 * test/log/log-crash.test.ts:
 *
 *  1. Take the lock; read the state block; go on from it, or recover (recovery.ts).
 *  2. Stamp base offset and leader epoch; one write of the whole batch at the end of the .log.
 *     Crash here: the state block no longer agrees with fstat; the next process finds the batch whole and keeps it, or torn and cuts it.
 *  3. Write the index entries that are due.           Crash here: as after 2; surplus entries are found by position and rewritten.
 *  4. Write the state block.                          Crash here: nothing is left to do.
 *  5. Let go of the lock. Syncing happens after that, outside the lock.
 *
 * Rolling to a new segment, under the same lock:
 *
 *  1. Invalidate the state block.                     Crash here: the next process lists and scans.
 *  2. Last time-index entry of the old segment.       Crash here: an index is a cache.
 *  3. Sync the old .log; note the recovery point.     Crash here: the old segment is still the active one.
 *  4. Create the new files; sync the directory.       Crash here: an empty active segment, which is a normal one.
 *  5. Write the state block for the new segment.
 */
import { LogqError, systemErrorCode } from '../errors.js'
import { shortWriteError } from '../system/durable.js'
import { stampBatch } from '../record/batch.js'
import type { LogContext } from './log-context.js'
import { partitionName } from './log-context.js'
import { PartitionLock, topicRemoved, type LockWait } from './partition-lock.js'
import { readRecoveryPoint, writeRecoveryPoint } from './recovery-point-file.js'
import { quarantineError, recover } from './recovery.js'
import { SegmentFiles } from './segment-files.js'
import { SegmentTail } from './segment-tail.js'
import { isOfThisBoot, type PartitionStatus, type StateBlock } from './state-block.js'
import { BatchScanner, misfit } from './batch-scanner.js'

/** A whole batch, built outside the lock: every field is final but base offset and leader epoch. */
export interface BatchToAppend {
  readonly bytes: Uint8Array
  readonly lastOffsetDelta: number
  readonly maxTimestampMs: number
}

export interface AppendedRange {
  readonly baseOffset: number
  readonly lastOffset: number
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
  #syncInFlight: Promise<void> | undefined
  #unsyncedBytes = 0
  /** End of this process's own last append, and of its last sync. */
  #appendedOffset = 0
  #syncFailure: unknown

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
   * return the batch is in the page cache: it outlives this process, and after `sync()` a power cut.
   * Throws LOGQ_TOPIC_REMOVED, LOGQ_CONFLICT, LOGQ_SYNC_FAILED, LOGQ_CORRUPT, LOGQ_BUSY, LOGQ_ABORTED, or the system error of the write;
   * then nothing was appended.
   */
  async append(batch: BatchToAppend, wait: LockWait = {}): Promise<AppendedRange> {
    this.#throwSyncFailure()
    if (!this.#lock.tryAcquire()) await this.#lock.acquire(wait)
    let range: AppendedRange
    try {
      range = this.#appendLocked(batch)
    } finally {
      this.#lock.release()
    }
    this.#unsyncedBytes += batch.bytes.length
    if (this.#unsyncedBytes >= SYNC_AHEAD_BYTES && this.#syncInFlight === undefined) this.#syncAhead()
    return range
  }

  /**
   * Returns when everything that this process appended is on the device. At most one fdatasync per log is in flight; it acknowledges
   * what was written before it began. Throws LOGQ_SYNC_FAILED, once and for all: a repeated fdatasync that succeeds proves nothing.
   */
  async sync(): Promise<void> {
    while (this.#unsyncedBytes > 0 || this.#syncInFlight !== undefined) {
      this.#throwSyncFailure()
      this.#syncInFlight ??= this.#syncOnce().finally(() => {
        this.#syncInFlight = undefined
      })
      await this.#syncInFlight
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

  #appendLocked(batch: BatchToAppend): AppendedRange {
    let end = this.#locate()
    if (this.#mustRoll(end, batch)) end = this.#roll(end)
    const { tail, files } = end
    const baseOffset = tail.logEndOffset
    const lastOffset = baseOffset + batch.lastOffsetDelta
    stampBatch(batch.bytes, baseOffset, end.leaderEpoch)
    this.#write(files, batch.bytes, tail.logBytes)
    this.context.system.failpoint('append.after-write')
    tail.advance(
      { lastOffset, sizeBytes: batch.bytes.length, maxTimestampMs: batch.maxTimestampMs },
      this.context.config().indexIntervalBytes,
      files,
    )
    this.context.system.failpoint('append.after-index')
    this.#writeState(end, true)
    this.#appendedOffset = lastOffset + 1
    return { baseOffset, lastOffset }
  }

  /** One write of the whole batch. A failed or short one is cut off again: nothing is ever appended behind garbage. */
  #write(files: SegmentFiles, bytes: Uint8Array, position: number): void {
    const { fs, failpoint } = this.context.system
    failpoint('append.before-write')
    try {
      const count = fs.write(files.logFd, bytes, 0, bytes.length, position)
      if (count !== bytes.length) throw shortWriteError(files.logPath, count, bytes.length)
    } catch (error) {
      try {
        fs.truncate(files.logFd, position)
      } catch {
        // The state block still ends at `position`: the next append finds that fstat disagrees, and recovers.
      }
      if (error instanceof LogqError) throw error
      throw new LogqError('LOGQ_IO', `cannot append to '${files.logPath}': ${describe(error)}`, {
        cause: error,
        ...hintFor(error),
      })
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
    const files = this.#filesOf(state.activeBaseOffset)
    if (files === undefined) return undefined
    const { device, inode, sizeBytes } = this.context.system.fs.fileStatus(files.logFd)
    if (device !== state.device || inode !== state.inode || sizeBytes !== state.logBytes) {
      if (files !== this.#end?.files) files.close()
      return undefined
    }
    const end = this.#end?.files === files ? this.#end : this.#replaceEnd(state, files)
    end.status = state.status
    end.leaderEpoch = state.leaderEpoch
    end.syncedOffset = state.syncedOffset
    end.device = device
    end.inode = inode
    copyTail(state, end.tail)
    return end
  }

  #filesOf(baseOffset: number): SegmentFiles | undefined {
    if (this.#end?.files.baseOffset === baseOffset) return this.#end.files
    try {
      return SegmentFiles.open(this.context.system, this.context.directory, baseOffset, this.context.ownership)
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }

  #replaceEnd(state: StateBlock, files: SegmentFiles): End {
    this.#end?.files.close()
    this.#end = {
      status: state.status,
      leaderEpoch: state.leaderEpoch,
      syncedOffset: state.syncedOffset,
      tail: new SegmentTail(state.activeBaseOffset),
      files,
      device: state.device,
      inode: state.inode,
    }
    return this.#end
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
    return step.kind === 'end' && offset === tail.logEndOffset
  }

  #recover(state: StateBlock | undefined): End {
    this.#end?.files.close()
    this.#end = undefined
    // Step 1 of recovery. A block that is damaged is as good as invalid.
    if (state?.valid === true) this.#lock.writeState({ ...state, valid: false })
    const recovered = recover(this.context, state?.leaderEpoch)
    const { files, tail, leaderEpoch, syncedOffset } = recovered
    const { device, inode } = this.context.system.fs.fileStatus(files.logFd)
    this.#end = { status: state?.status ?? 'live', leaderEpoch, syncedOffset, tail, files, device, inode }
    this.#writeState(this.#end, true)
    this.#isVerified = true
    if (recovered.quarantined !== undefined) throw quarantineError(this.context, recovered.quarantined)
    return this.#end
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
    system.failpoint('roll.after-time-index')
    this.#syncBlocking(end) // 3
    system.failpoint('roll.after-sync')
    const { logEndOffset } = end.tail
    const files = SegmentFiles.create(system, directory, logEndOffset, ownership) // 4
    system.failpoint('roll.after-create')
    const { device, inode } = system.fs.fileStatus(files.logFd)
    end.files.close()
    this.#end = { ...end, files, device, inode, tail: new SegmentTail(logEndOffset) }
    this.#writeState(this.#end, true) // 5
    this.#unsyncedBytes = 0
    return this.#end
  }

  #syncBlocking(end: End): void {
    try {
      this.context.system.fs.fdatasyncBlocking(end.files.logFd)
    } catch (error) {
      throw this.#markSyncFailed(end, error)
    }
    this.#noteSynced(end, end.tail.logEndOffset, end.tail.logBytes)
  }

  /** The caller holds the lock; `offset` and `position` are a batch boundary of the active segment. */
  #noteSynced(end: End, offset: number, position: number): void {
    if (offset <= end.syncedOffset) return
    end.syncedOffset = offset
    writeRecoveryPoint(this.context, { offset, segmentBaseOffset: end.tail.baseOffset, position })
  }

  #syncAhead(): void {
    this.#syncInFlight = this.#syncOnce().finally(() => {
      this.#syncInFlight = undefined
    })
    // What failed is thrown by the next append or sync; nobody awaits this promise before.
    this.#syncInFlight.catch(() => undefined)
  }

  async #syncOnce(): Promise<void> {
    const end = this.#end
    if (end === undefined) {
      this.#unsyncedBytes = 0
      return
    }
    const { files } = end
    const { baseOffset, logEndOffset: offset, logBytes: position } = end.tail
    this.#unsyncedBytes = 0
    this.context.system.failpoint('sync.before')
    let failure: { readonly error: unknown } | undefined
    try {
      await this.context.system.fs.fdatasync(files.logFd)
    } catch (error) {
      failure = { error }
    }
    this.context.system.failpoint('sync.after')
    if (!this.#lock.tryAcquire()) await this.#lock.acquire({})
    try {
      const state = this.#lock.readState()
      if (state?.status === 'deleted') throw topicRemoved(this.context.directory)
      const present = state === undefined ? undefined : this.#resume(state)
      if (failure !== undefined) throw this.#markSyncFailed(present ?? end, failure.error)
      // After a roll by another process there is nothing to note: the roll synced this segment.
      if (present?.tail.baseOffset !== baseOffset || offset <= present.syncedOffset) return
      this.#noteSynced(present, offset, position)
      this.#writeState(present, true)
    } finally {
      this.#lock.release()
    }
  }

  /** From now on every writer refuses, and readers stop at the synced offset. */
  #markSyncFailed(end: End, cause: unknown): LogqError {
    const error = new LogqError('LOGQ_SYNC_FAILED', `fsync of '${end.files.logPath}' failed: ${describe(cause)}`, {
      cause,
      hint: `records above offset ${end.syncedOffset} may be lost: see logq fsck, then logq fsck --repair`,
    })
    this.#syncFailure = error
    try {
      end.status = 'sync-failed'
      this.#writeState(end, true)
      this.#lock.syncStatus()
    } catch {
      // The device refuses this as well; the error that is thrown says enough.
    }
    return error
  }

  #throwSyncFailure(): void {
    if (this.#syncFailure !== undefined) throw this.#syncFailure as Error
  }

  #writeState(end: End, valid: boolean): void {
    const { self } = this.context.system
    const { tail } = end
    this.#lock.writeState({
      status: end.status,
      valid,
      bootId: self.bootId,
      leaderEpoch: end.leaderEpoch,
      activeBaseOffset: tail.baseOffset,
      device: end.device,
      inode: end.inode,
      logBytes: tail.logBytes,
      logEndOffset: tail.logEndOffset,
      syncedOffset: end.syncedOffset,
      maxTimestampMs: tail.maxTimestampMs,
      maxTimestampOffset: tail.maxTimestampOffset,
      firstTimestampMs: tail.firstTimestampMs,
      bytesSinceIndexEntry: tail.bytesSinceIndexEntry,
      offsetIndexBytes: tail.offsetIndexBytes,
      timeIndexBytes: tail.timeIndexBytes,
      timeIndexTimestampMs: tail.timeIndexTimestampMs,
      holderPid: self.pid,
      holderStartTicks: self.startTicks,
    })
  }
}

function copyTail(state: StateBlock, tail: SegmentTail): void {
  tail.logBytes = state.logBytes
  tail.logEndOffset = state.logEndOffset
  tail.maxTimestampMs = state.maxTimestampMs
  tail.maxTimestampOffset = state.maxTimestampOffset
  tail.firstTimestampMs = state.firstTimestampMs
  tail.bytesSinceIndexEntry = state.bytesSinceIndexEntry
  tail.offsetIndexBytes = state.offsetIndexBytes
  tail.timeIndexBytes = state.timeIndexBytes
  tail.timeIndexTimestampMs = state.timeIndexTimestampMs
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function hintFor(error: unknown): { hint?: string } {
  switch (systemErrorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return { hint: 'free space on the disk of the store, then run the command again' }
    case 'EFBIG':
      return { hint: 'a file size limit was reached (ulimit -f)' }
    case 'EROFS':
      return { hint: 'the file system is mounted read-only' }
    default:
      return {}
  }
}
