/** Whether others still refresh their leases, judged by this process's own clock. */
import type { FileSystem } from './file-system.js'
import type { Clock } from './system.js'

interface Look {
  readonly modifiedMs: number | undefined
  readonly atMs: number
  /** For how long the modification time has been seen to stay the same. */
  readonly unchangedMs: number
}

/**
 * Compares modification times only with each other, never with a clock: setting the wall clock makes no lease stale, and none fresh.
 */
export class LeaseWatch {
  readonly #clock: Clock
  readonly #fs: FileSystem
  readonly #looks = new Map<string, Look>()

  constructor(clock: Clock, fs: FileSystem) {
    this.#clock = clock
    this.#fs = fs
  }

  /**
   * Looks at the lease at `path` now. True when it was not refreshed for `staleMs`, as far as this watch has seen: the first look never
   * finds a lease stale. A directory that is not there counts like one that is not refreshed.
   *
   * Of the time between two looks at most half of `staleMs` counts, so a watcher that was itself stopped (with everybody else, by ^Z
   * or by a suspended machine) gives the others time for a sign. It should look several times in `staleMs`.
   */
  isStale(path: string, staleMs: number): boolean {
    const before = this.#looks.get(path)
    const modifiedMs = this.#fs.pathStatus(path)?.modifiedMs ?? before?.modifiedMs
    const atMs = this.#clock.monotonicMs()
    const isUnchanged = before !== undefined && before.modifiedMs === modifiedMs
    const unchangedMs = isUnchanged ? before.unchangedMs + Math.min(atMs - before.atMs, staleMs / 2) : 0
    this.#looks.set(path, { modifiedMs, atMs, unchangedMs })
    return unchangedMs >= staleMs
  }

  /** The lease is of no interest any more; the next look at it is the first. */
  forget(path: string): void {
    this.#looks.delete(path)
  }
}
