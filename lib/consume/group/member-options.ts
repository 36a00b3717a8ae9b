/** What a process says when it becomes a member of a group. */
import type { LockWait } from '../../system/lock-wait.js'
import type { AssignorName } from '../assignors.js'

export const DEFAULT_SESSION_TIMEOUT_MS = 10_000
export const DEFAULT_GRACE_MS = 60_000

export interface GroupMemberOptions {
  /** Names of topics, as of now. Called again every second: a pattern may match more by then. */
  readonly topics: () => readonly string[]
  /** As they were given, for those who look at the group. */
  readonly subscription: readonly string[]
  /** What the process calls itself, for the same. */
  readonly command: string
  readonly host: string
  /** Default: that of the group, or cooperative-sticky. Another one than the group has is LOGQ_CONFLICT. */
  readonly assignor?: AssignorName
  /** A name that the member keeps over restarts: it gets the same partitions back. */
  readonly instanceId?: string
  /** How long the partitions of a static member wait for it. Default 60,000. */
  readonly graceMs?: number
  /** At least 2,000. Default 10,000. */
  readonly sessionTimeoutMs?: number
  /** How joining waits for other processes. Later changes are waited for without its signal: they are what an orderly end consists of. */
  readonly wait?: LockWait
}
