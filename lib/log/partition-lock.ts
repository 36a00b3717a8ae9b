/**
 * The append lock of a partition: a kernel lock on its `lock` file, and the state block in that file (format-spec/lock.md).
 *
 * A kernel lock cannot be stolen, outlives no process, and costs less than a microsecond. Nobody waits for input, a pipe or an
 * fsync on the append path while holding it.
 */
import { LogqError, systemErrorCode } from '../errors.js'
import { openOrCreateFile, ownershipOf, readUpTo, writeFully } from '../system/durable.js'
import { lockIsBusy, waitForLock, type LockWait } from '../system/lock-wait.js'
import type { System } from '../system/system.js'
import { LOCK_FILE } from './file-names.js'
import { STATE_BLOCK_BYTES, decodeStateBlock, encodeStateBlock, type StateBlock } from './state-block.js'

/** The holder's note stands beyond the state block: pid (int32), start ticks (int64). Kernel lock tables do not name holders. */
export const HOLDER_NOTE_POSITION = 256
export const HOLDER_NOTE_BYTES = 12

export type { LockWait }

export class PartitionLock {
  #fd: number
  readonly #inode: number
  #holderPid = 0
  /** A second lock on the same descriptor would be granted, so two tasks of this process are kept apart here. */
  #isHeld = false

  private constructor(
    private readonly system: System,
    readonly path: string,
    fd: number,
  ) {
    this.#fd = fd
    this.#inode = system.fs.fileStatus(fd).inode
  }

  /** A lock file that somebody deleted is made anew, as for a partition that Kafka wrote. Throws ENOENT when the directory is gone. */
  static open(system: System, directory: string): PartitionLock {
    const path = `${directory}/${LOCK_FILE}`
    try {
      return new PartitionLock(system, path, system.fs.open(path, 'read-write'))
    } catch (error) {
      const status = system.fs.pathStatus(directory)
      if (systemErrorCode(error) !== 'ENOENT' || status === undefined) throw error
      return new PartitionLock(system, path, openOrCreateFile(system, path, ownershipOf(status)))
    }
  }

  /** True when the lock was free and is now held. */
  tryAcquire(): boolean {
    if (this.#isHeld || !this.system.locks.tryLock(this.#fd, false)) return false
    this.#isHeld = true
    return true
  }

  /** Waits for the lock. Throws LOGQ_BUSY, LOGQ_ABORTED, or LOGQ_TOPIC_REMOVED when the file is another one by then. */
  async acquire(options: LockWait): Promise<void> {
    if (this.tryAcquire()) return
    const lock = { path: this.path, readHolderPid: () => this.readHolderPid() }
    if (options.wait === 'no') throw lockIsBusy(lock)
    // It gets a descriptor of its own, because a wait that was ended may still be granted the lock.
    const fd = this.#openAgain()
    await waitForLock(this.system, fd, lock, options)
    this.system.fs.close(this.#fd)
    this.#fd = fd
    this.#holderPid = 0
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.system.locks.unlock(this.#fd)
  }

  close(): void {
    this.system.fs.close(this.#fd)
  }

  /** Undefined when the block is missing or damaged. */
  readState(): StateBlock | undefined {
    return decodeStateBlock(readUpTo(this.system.fs, this.#fd, 0, STATE_BLOCK_BYTES))
  }

  writeState(block: StateBlock): void {
    writeFully(this.system.fs, this.#fd, encodeStateBlock(block), 0, this.path)
    this.#holderPid = block.holderPid
  }

  /** Says who holds the lock now, for those who wait. Call once after the state block was read under the lock. */
  noteHolder(previous: StateBlock | undefined): void {
    const { pid, startTicks } = this.system.self
    // While one process appends alone, the note is there already: a system call less for every batch.
    if (this.#holderPid === pid && previous?.holderPid === pid) return
    const bytes = new Uint8Array(HOLDER_NOTE_BYTES)
    const view = new DataView(bytes.buffer)
    view.setInt32(0, pid)
    view.setBigInt64(4, BigInt(startTicks))
    try {
      writeFully(this.system.fs, this.#fd, bytes, HOLDER_NOTE_POSITION, this.path)
      this.#holderPid = pid
    } catch {
      // A full disk must not keep anybody from the lock; whoever waits is told 'process 0'.
    }
  }

  readHolderPid(): number {
    const bytes = readUpTo(this.system.fs, this.#fd, HOLDER_NOTE_POSITION, HOLDER_NOTE_BYTES)
    return bytes.length < HOLDER_NOTE_BYTES ? 0 : new DataView(bytes.buffer).getInt32(0)
  }

  /** Makes a changed status durable. */
  syncStatus(): void {
    this.system.fs.fdatasyncBlocking(this.#fd)
  }

  #openAgain(): number {
    let fd: number
    try {
      fd = this.system.fs.open(this.path, 'read-write')
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') throw topicRemoved(this.path)
      throw error
    }
    if (this.system.fs.fileStatus(fd).inode === this.#inode) return fd
    this.system.fs.close(fd)
    throw topicRemoved(this.path)
  }
}

export function topicRemoved(path: string): LogqError {
  return new LogqError('LOGQ_TOPIC_REMOVED', `the topic of '${path}' was removed`, { hint: 'see logq topic ls' })
}
