/**
 * What a look at a store finds. Each finding is facts; the words are those of who shows it (cli/maintain/doctor-text.ts). Kinds and fields
 * are only added within a major version.
 */
import type { KeptSegments, SegmentOutlook } from '../../maintain/retain/kept-segments.js'
import type { RemovalReason } from '../../maintain/retain/retention-plan.js'
import type { LockHolders } from '../../system/system.js'

/** ok: as it should be. notice: worth knowing. warning: somebody should look. critical: records are lost, or nobody can go on. */
export type Severity = 'ok' | 'notice' | 'warning' | 'critical'

/** What findings of one partition have. */
export interface PartitionFinding {
  readonly topic: string
  readonly partition: number
}

/** Why segments are still there, as retention has it. */
export interface KeptFinding extends PartitionFinding, KeptSegments {
  readonly kind: 'kept'
}

/** What the next run of retention removes. */
export interface RemovableFinding extends PartitionFinding {
  readonly kind: 'removable'
  readonly reasons: readonly RemovalReason[]
  readonly segments: readonly number[]
  readonly sizeBytes: number
  readonly fromOffset: number
  /** The end, excluded. */
  readonly toOffset: number
  /** Of these bytes, what other names hold on to: snapshots, or copies made of hard links. */
  readonly sharedBytes: number
}

/** One segment, where that is asked for. */
export interface SegmentFinding extends PartitionFinding, SegmentOutlook {
  readonly kind: 'segment'
}

/** Segments below the log start, which a command that was killed left. */
export interface BelowStartFinding extends PartitionFinding {
  readonly kind: 'below-log-start'
  readonly segmentCount: number
  readonly logStartOffset: number
}

/** Of a topic as a whole. */
export interface RetentionFinding {
  readonly kind: 'retention'
  readonly topic: string
  /** -1 for never, and for no limit. */
  readonly retentionMs: number
  readonly retentionBytes: number
  /** When retention looked at it last, in ms since the Unix epoch; null for never. */
  readonly lastRunMs: number | null
  readonly removableSegments: number
  readonly removableBytes: number
  /** When the next one is due by its age; null for never. */
  readonly nextDueMs: number | null
  /** Since when something is due that no run has removed; null for nothing. */
  readonly dueSinceMs: number | null
}

/** Retention refuses, since the clock seems to be wrong and most of the topic would go. */
export interface ClockFinding {
  readonly kind: 'clock'
  readonly topic: string
  readonly lastRunMs: number
  readonly leavingBytes: number
  readonly totalBytes: number
}

/** What both findings of timestamps have. */
export interface TimestampsFinding extends PartitionFinding {
  readonly segments: readonly number[]
  readonly sizeBytes: number
  /** Of the segment that is furthest off. */
  readonly maxTimestampMs: number
  readonly modifiedMs: number
}

/** After the time at which they were written, or after now. */
export interface FutureTimestampsFinding extends TimestampsFinding {
  readonly kind: 'future-timestamps'
}

/** Long before the time at which they were written. */
export interface LateTimestampsFinding extends TimestampsFinding {
  readonly kind: 'late-timestamps'
}

export interface CompactionFinding extends PartitionFinding {
  readonly kind: 'compaction'
  /** Of closed segments that are old enough: what no pass has been over, and the rest. */
  readonly dirtyBytes: number
  readonly cleanBytes: number
  readonly activeBytes: number
  /** Closed, and too young for min.compaction.lag.ms. */
  readonly youngBytes: number
  readonly minDirtyRatio: number
  readonly isDue: boolean
  /** When it is due by max.compaction.lag.ms; null for never. */
  readonly dueMs: number | null
}

/** An fsync failed: nobody appends, and readers stop there. */
export interface SyncFailedFinding extends PartitionFinding {
  readonly kind: 'sync-failed'
  readonly syncedOffset: number
}

/** What is behind the recovery point is not known to be whole. */
export interface UncleanFinding extends PartitionFinding {
  readonly kind: 'unclean'
  readonly unverifiedBytes: number
}

/** The log is shorter than it was when it was synced: records are lost. */
export interface LostEndFinding extends PartitionFinding {
  readonly kind: 'lost-end'
  readonly recoveryPointOffset: number
}

/** Closed segments in which something is no batch. */
export interface DamagedSegmentsFinding extends PartitionFinding {
  readonly kind: 'damaged-segments'
  readonly segments: readonly number[]
}

/** Appends are refused. */
export interface StatusFinding extends PartitionFinding {
  readonly kind: 'status'
  readonly status: 'follower' | 'sealed' | 'deleted'
}

export interface MissingFinding extends PartitionFinding {
  readonly kind: 'missing-directory'
  readonly path: string
}

/** Commands stumble over it. */
export interface DamagedFileFinding extends Partial<PartitionFinding> {
  readonly kind: 'damaged-file'
  readonly path: string
  readonly problem: string
}

/** What could not be looked at. */
export interface UnreadableFinding extends Partial<PartitionFinding> {
  readonly kind: 'unreadable'
  readonly group?: string
  /** What failed, by its code where it has one. */
  readonly code: string | null
  readonly problem: string
  /** The next useful step; null where none is known. */
  readonly hint: string | null
}

/** Files that no log needs. */
export interface LeftOverFinding extends Partial<PartitionFinding> {
  readonly kind: 'left-over'
  readonly what:
    | 'quarantine' // copies of what recovery and repair took out
    | 'unfinished' // temporary files, and topics, imports and snapshots that were being made or removed
    | 'index-without-log'
    | 'kafka-deleted' // Kafka's .deleted, .swap and .cleaned
    | 'damaged-offsets' // copies of the commits of a group, made before they were written anew
    | 'unknown' // logq does not know it
  readonly paths: readonly string[]
  /** `paths` has the first ones. */
  readonly count: number
  readonly sizeBytes: number
  /** Somebody is at work on it. */
  readonly isInUse: boolean
}

export interface LockFinding extends Partial<PartitionFinding> {
  readonly kind: 'lock'
  readonly group?: string
  readonly lock: 'append' | 'compaction' | 'archive' | 'group' | 'store' | 'import' | 'snapshot'
  readonly path: string
  readonly host: string
  readonly holders: LockHolders['processes']
  readonly waiterCount: number
}

export interface MemberFinding {
  readonly kind: 'member'
  readonly group: string
  readonly member: string
  /** stopped: its process is, on this machine. still: it does not refresh its lease. */
  readonly presence: 'alive' | 'dead' | 'still' | 'stopped' | 'away'
  readonly host: string | null
  readonly pid: number | null
  readonly command: string | null
  readonly joinedMs: number | null
  readonly partitions: readonly string[]
}

export interface GroupBehindFinding extends PartitionFinding {
  readonly kind: 'group-behind'
  readonly group: string
  readonly committedOffset: number | null
  readonly lagRecords: number
  readonly lagBytes: number
  readonly lagMs: number
  readonly member: string | null
  /** Whether retention, as it was asked for, waits for the group. */
  readonly isWaitedFor: boolean
  /** Records that it has not read, and that the next run of retention removes. */
  readonly nextRunRecords: number
  /** When retention removes the first that it has not read, at the earliest; null for never. */
  readonly overtakenMs: number | null
  readonly overtakenAfterBytes: number | null
}

/** Records went before the group had read them. */
export interface GroupLostFinding extends PartitionFinding {
  readonly kind: 'group-lost'
  readonly group: string
  readonly committedOffset: number
  readonly lostOffsets: number
}

export interface GroupDamagedFinding {
  readonly kind: 'group-damaged'
  readonly group: string
  readonly problem: string
}

export interface SnapshotFinding {
  readonly kind: 'snapshot'
  readonly snapshot: string
  readonly takenMs: number | null
  readonly sizeBytes: number
  /** Of these, what nothing else has: about what its removal frees. */
  readonly unsharedBytes: number
}

export interface DiskFinding {
  readonly kind: 'disk'
  readonly freeBytes: number
  readonly totalBytes: number
}

export interface KafkaFinding {
  readonly kind: 'kafka-directory'
  readonly path: string
}

export type DoctorFinding = { readonly severity: Severity } & (
  | KeptFinding
  | RemovableFinding
  | SegmentFinding
  | BelowStartFinding
  | RetentionFinding
  | ClockFinding
  | FutureTimestampsFinding
  | LateTimestampsFinding
  | CompactionFinding
  | SyncFailedFinding
  | UncleanFinding
  | LostEndFinding
  | DamagedSegmentsFinding
  | StatusFinding
  | MissingFinding
  | DamagedFileFinding
  | UnreadableFinding
  | LeftOverFinding
  | LockFinding
  | MemberFinding
  | GroupBehindFinding
  | GroupLostFinding
  | GroupDamagedFinding
  | SnapshotFinding
  | DiskFinding
  | KafkaFinding
)

/** Findings that speak of lost or damaged bytes. */
export function isDamage({ kind, severity, ...rest }: DoctorFinding): boolean {
  if (severity !== 'critical') return false
  if (kind === 'unreadable') return 'code' in rest && rest.code === 'LOGQ_CORRUPT'
  return ['sync-failed', 'lost-end', 'damaged-segments', 'missing-directory', 'damaged-file', 'group-damaged'].includes(kind)
}
