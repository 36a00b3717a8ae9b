/** What a consumer may say when it joins a group. */
import type { Isolation } from '../../log/log-view.js'
import type { LockWait } from '../../system/lock-wait.js'
import type { AssignorName, TopicPartition } from '../assignors.js'
import type { OffsetReset } from './start-offset.js'

export interface JoinGroupOptions {
  /** Where to begin in a partition of which nothing was committed. Default 'earliest'. */
  readonly offsetReset?: OffsetReset
  /** Default: that of the group, or cooperative-sticky. */
  readonly assignor?: AssignorName
  /** A name that this member keeps over restarts: its partitions wait for it for `graceMs` (default 60,000). */
  readonly instanceId?: string
  readonly graceMs?: number
  /** A member that stands still for so long loses its partitions. At least 2,000, default 10,000. Being slow is not standing still. */
  readonly sessionTimeoutMs?: number
  /** Offsets of what was delivered are committed so often, in `records()` and by `commitInTime()`. Default 1,000. */
  readonly commitIntervalMs?: number
  /** Partitions came, or are about to go: those that go are handed over when the promise resolves, what was delivered of them committed. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal
  /** Default 'read_committed': no records of transactions that were aborted, and none from one on that is open. */
  readonly isolation?: Isolation
  /** What others see of this member. Default: 'library' and the name of the machine. */
  readonly command?: string
  readonly host?: string
  readonly lockWait?: LockWait
}
