/**
 * Leases: a directory whose modification time says that its holder still goes on (format: proper-lockfile's). A kernel lock says that a
 * process lives, a lease also that it runs: a process that is stopped keeps its kernel locks and lets its lease grow old.
 *
 * A lease saves work and is no proof. It can be lost at any moment, and its holder may learn that late; whatever must not happen
 * twice needs a fence of its own. Others judge a lease with `LeaseWatch`.
 */

/** Below this a refresh, which comes once a second at most, would not be sure to come in time. */
export const SHORTEST_STALE_MS = 2000

export interface Leases {
  /**
   * Takes the lease at `path`: makes that directory, whose parent must be there, and refreshes its modification time about four
   * times in `staleMs`, from a thread that neither a busy event loop nor a blocked thread pool of this process holds up.
   *
   * A directory that is there already is taken over when its time is more than `staleMs` ago by the wall clock; otherwise the call
   * rejects with LOGQ_BUSY. LOGQ_USAGE when `staleMs` is below 2000; system errors as they come.
   *
   * `onLost` is called at most once, never after `release` was called: somebody else took or removed the directory, or the refreshing
   * failed. The process goes on without the lease; taking it again is a new call.
   */
  hold(path: string, options: LeaseOptions): Promise<Lease>
}

export interface LeaseOptions {
  readonly staleMs: number
  readonly onLost: (reason: string) => void
}

export interface Lease {
  /**
   * Removes the directory, unless it is no longer this lease's. Never rejects: what cannot be removed grows old. A process that ends
   * without it leaves the directory behind.
   */
  release(): Promise<void>
}
