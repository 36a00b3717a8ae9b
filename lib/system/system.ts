/**
 * The world that logq runs in, as one value that is passed in from the top: file system, kernel locks, leases, clock, random, change
 * hints, spawning, and who this process is. Nothing below cli/ reaches for `process`, `Date`, `Math.random` or `node:fs` by itself.
 */
import type { FileSystem } from './file-system.js'
import type { Leases } from './lease.js'

export interface Clock {
  /** Wall clock, ms since the Unix epoch. Only for what is stored or shown. */
  nowMs(): number
  /** Monotonic, ms. For every duration and timeout. */
  monotonicMs(): number
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export interface Random {
  bytes(count: number): Uint8Array
  /** An integer in [0, bound). */
  integer(bound: number): number
}

/**
 * Kernel locks (open file description locks) on whole files. Released by `unlock`, by closing the descriptor, and by the death of
 * the process; never by a timeout.
 */
export interface KernelLocks {
  /** False when another descriptor holds a lock that conflicts. */
  tryLock(fd: number, shared: boolean): boolean
  /**
   * Resolves when the lock is held. It cannot be cancelled: give it a descriptor of its own, and close that one when it comes late.
   */
  waitForLock(fd: number, shared: boolean): Promise<void>
  unlock(fd: number): void
}

/** A hint that something in a directory changed. A hint may be late, doubled or missing: whoever follows also polls. */
export interface ChangeHints {
  /** Calls `onHint` after changes in `directory`, until the returned function is called. A failure to watch is not an error. */
  watch(directory: string, onHint: () => void): () => void
}

export interface ProcessIdentity {
  readonly pid: number
  /** Start time of this process in clock ticks since boot (Linux: field 22 of /proc/self/stat), 0 when unknown. */
  readonly startTicks: number
  /** 16 bytes that change with every boot of the kernel; zeros when unknown. */
  readonly bootId: Uint8Array
  /** What the machine calls itself: the same after a boot. */
  readonly hostName: string
  readonly userId: number
  readonly groupId: number
}

export interface ProcessDescription {
  readonly pid: number
  /** As it was typed, words separated by spaces; a program of Node.js by the name of its script. */
  readonly command: string
  /** By SIGSTOP, ^Z or a debugger: it keeps what it has locked. */
  readonly isStopped: boolean
  /** Wall clock, ms since the Unix epoch; undefined when unknown. */
  readonly startedMs: number | undefined
}

/** Which files of this kernel are locked now. */
export interface LockTable {
  /** Undefined for a file that nobody has locked exclusively. */
  holdersOf(file: { readonly device: number; readonly inode: number }): LockHolders | undefined
}

export interface LockHolders {
  /** None where they are another user's, of whom the kernel does not tell. */
  readonly processes: readonly ProcessDescription[]
  readonly waiterCount: number
}

/** What the kernel tells of processes, to those who look and change nothing. */
export interface Processes {
  /** As it is now; no lock is taken for it. Undefined where the kernel does not tell (elsewhere than on Linux). */
  lockTable(): LockTable | undefined
  /** Undefined when there is no such process, or the kernel does not tell. */
  find(pid: number): ProcessDescription | undefined
}

export interface System {
  readonly fs: FileSystem
  readonly locks: KernelLocks
  readonly leases: Leases
  readonly clock: Clock
  readonly random: Random
  readonly hints: ChangeHints
  readonly self: ProcessIdentity
  readonly processes: Processes
  /**
   * A named point at which tests make the built program die, wait or fail (LOGQ_FAILPOINT). Costs one property look-up when unused.
   * Names are `<operation>.<moment>`, such as `append.after-write`.
   */
  readonly failpoint: (name: string) => void
}
