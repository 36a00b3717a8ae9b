/**
 * The lock of a group: a kernel lock on its `lock` file, under which every change of the group is made (format-spec/group.md). What is
 * done under it takes microseconds, or the sync of a small file; input, output and the sync of commits are waited for outside.
 *
 * The file also notes how much of the offsets file is on the device, in two slots as the recovery point does, and who holds the lock.
 */
import { crc32c } from '../../bytes/crc32c.js'
import { LogqError, systemErrorCode } from '../../errors.js'
import { readUpTo, writeFully } from '../../system/durable.js'
import { lockIsBusy, waitForLock, type LockWait } from '../../system/lock-wait.js'
import type { System } from '../../system/system.js'
import { isCount } from './checked-line.js'
import { GROUP_LOCK_FILE } from './group-paths.js'

/** How much of which file is on the device. */
export interface SyncedLength {
  readonly inode: number
  readonly sizeBytes: number
}

const QUICK_TRIES = 20
const QUICK_TRY_MS = 1
const SLOT_BYTES = 28
const CRC_AT = 24
/** pid (int32) of the process that had the lock last. */
const HOLDER_POSITION = 256
const HOLDER_BYTES = 4

export class GroupLock {
  readonly path: string
  #fd: number
  /** Who may only look has it open for that; a change fails with what opening it for writing fails with. */
  #isForLooking = false
  /** A second lock on the same descriptor would be granted: tasks of this process take turns. */
  #turn: Promise<void> = Promise.resolve()
  /** What the slots said last. */
  #known: { readonly slots: Uint8Array; readonly length: SyncedLength | undefined } | undefined

  private constructor(
    private readonly system: System,
    private readonly directory: string,
    private readonly group: string,
  ) {
    this.path = `${directory}/${GROUP_LOCK_FILE}`
    this.#fd = this.#openToLook()
  }

  /** Throws LOGQ_UNKNOWN_GROUP. */
  static open(system: System, directory: string, group: string): GroupLock {
    return new GroupLock(system, directory, group)
  }

  /**
   * Runs `change`, which must not wait for anything, while nobody else changes the group. Throws LOGQ_BUSY, LOGQ_ABORTED,
   * LOGQ_UNKNOWN_GROUP when the group was removed, and what `change` throws.
   */
  async run<Result>(change: () => Result, wait: LockWait = {}): Promise<Result> {
    const before = this.#turn
    let done = (): void => undefined
    this.#turn = new Promise((resolve) => {
      done = resolve
    })
    await before
    try {
      if (this.#isForLooking) this.#reopenToChange()
      await this.#acquire(wait)
      try {
        return change()
      } finally {
        // A child that is being forked just now shares the description for a moment, and closing alone would not let go.
        this.system.locks.unlock(this.#fd)
      }
    } finally {
      done()
    }
  }

  close(): void {
    this.system.fs.close(this.#fd)
  }

  /** Undefined when nothing is known. Asked at each commit, and mostly the same. */
  readSyncedLength(): SyncedLength | undefined {
    const slots = readUpTo(this.system.fs, this.#fd, 0, 2 * SLOT_BYTES)
    if (this.#known === undefined || Buffer.compare(slots, this.#known.slots) !== 0)
      this.#known = { slots, length: decodeSyncedLength(slots) }
    return this.#known.length
  }

  /** Call it after the sync. Not synced itself: every value that survives is true. */
  writeSyncedLength(length: SyncedLength): void {
    const { fs } = this.system
    const sequence = newestSlot(readUpTo(fs, this.#fd, 0, 2 * SLOT_BYTES)).sequence + 1
    writeFully(fs, this.#fd, encodeSyncedLength(sequence, length), (sequence % 2) * SLOT_BYTES, this.path)
  }

  async #acquire(wait: LockWait): Promise<void> {
    for (;;) {
      if (!this.system.locks.tryLock(this.#fd, false)) await this.#waitForLock(wait)
      const present = this.system.fs.pathStatus(this.path)?.inode
      if (present === this.system.fs.fileStatus(this.#fd).inode) break
      // Another group of that name, or none: the lock that was taken guards nothing any more.
      this.system.locks.unlock(this.#fd)
      const fd = this.#open()
      this.system.fs.close(this.#fd)
      this.#fd = fd
    }
    this.#noteHolder()
  }

  async #waitForLock(wait: LockWait): Promise<void> {
    const lock = { path: this.path, readHolderPid: () => this.#readHolder() }
    if (wait.wait === 'no') throw lockIsBusy(lock)
    if (await this.#tryForAWhile(wait.signal)) return
    // A descriptor of its own, because a wait that was ended may still be granted the lock.
    const fd = this.#open()
    await waitForLock(this.system, fd, lock, wait)
    this.system.fs.close(this.#fd)
    this.#fd = fd
  }

  #openToLook(): number {
    try {
      return this.#open()
    } catch (error) {
      if (!['EROFS', 'EACCES'].includes(systemErrorCode(error) ?? '')) throw error
      this.#isForLooking = true
      return this.system.fs.open(this.path, 'read')
    }
  }

  #reopenToChange(): void {
    const fd = this.#open()
    this.system.fs.close(this.#fd)
    this.#fd = fd
    this.#isForLooking = false
  }

  /**
   * What is done under the lock takes microseconds. A wait in the kernel is granted the lock when this process is not running, and all
   * others wait until it is: with several members that commit, on a busy machine, that is what all the time would go into.
   */
  async #tryForAWhile(signal: AbortSignal | undefined): Promise<boolean> {
    for (let n = 0; n < QUICK_TRIES && signal?.aborted !== true; n += 1) {
      await this.system.clock.sleep(QUICK_TRY_MS, signal)
      if (this.system.locks.tryLock(this.#fd, false)) return true
    }
    return false
  }

  #open(): number {
    try {
      return this.system.fs.open(this.path, 'read-write')
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error
      throw new LogqError('LOGQ_UNKNOWN_GROUP', `group '${this.group}' does not exist in '${this.directory}'`, {
        hint: "see 'logq group ls'",
      })
    }
  }

  #noteHolder(): void {
    const bytes = new Uint8Array(HOLDER_BYTES)
    new DataView(bytes.buffer).setInt32(0, this.system.self.pid)
    try {
      writeFully(this.system.fs, this.#fd, bytes, HOLDER_POSITION, this.path)
    } catch {
      // A full disk must not keep anybody from the lock; whoever waits is told of 'another process'.
    }
  }

  #readHolder(): number {
    const bytes = readUpTo(this.system.fs, this.#fd, HOLDER_POSITION, HOLDER_BYTES)
    return bytes.length < HOLDER_BYTES ? 0 : new DataView(bytes.buffer).getInt32(0)
  }
}

export function encodeSyncedLength(sequence: number, { inode, sizeBytes }: SyncedLength): Uint8Array {
  const bytes = new Uint8Array(SLOT_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, BigInt(sequence))
  view.setBigInt64(8, BigInt(inode))
  view.setBigInt64(16, BigInt(sizeBytes))
  view.setUint32(CRC_AT, crc32c(bytes, 0, CRC_AT))
  return bytes
}

/** Of the newer slot whose CRC holds. */
export function decodeSyncedLength(slots: Uint8Array): SyncedLength | undefined {
  return newestSlot(slots).length
}

function newestSlot(slots: Uint8Array): { readonly sequence: number; readonly length?: SyncedLength } {
  let newest: { readonly sequence: number; readonly length?: SyncedLength } = { sequence: 0 }
  for (const start of [0, SLOT_BYTES]) {
    const bytes = slots.subarray(start, start + SLOT_BYTES)
    if (bytes.length < SLOT_BYTES) continue
    const view = new DataView(bytes.buffer, bytes.byteOffset, SLOT_BYTES)
    if (view.getUint32(CRC_AT) !== crc32c(bytes, 0, CRC_AT)) continue
    const [sequence, inode, sizeBytes] = [0, 8, 16].map((at) => Number(view.getBigInt64(at))) as [number, number, number]
    if ([sequence, inode, sizeBytes].every(isCount) && sequence > newest.sequence)
      newest = { sequence, length: { inode, sizeBytes } }
  }
  return newest
}
