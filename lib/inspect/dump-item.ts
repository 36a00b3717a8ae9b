/**
 * What a dump consists of. Each kind is told by its `type`; numbers carry their unit in the name. `file` is the path as it was given.
 * What 64 bits hold and a number does not is a bigint.
 */
import type { Codec } from '../record/codec.js'
import type { LogRecord, TimestampType } from '../record/record.js'
import type { ProducerState } from '../log/producer-snapshot.js'
import type { AbortedTransaction } from '../log/transaction-index.js'
import type { StateBlock } from '../log/state-block.js'
import type { FileKind } from './file-kind.js'

/** An item that begins at a byte of its file. */
export interface PlacedItem {
  readonly file: string
  /** Byte place in the file. */
  readonly position: number
}

/** Comes before what is in a file. */
export interface FileItem {
  readonly type: 'file'
  readonly file: string
  readonly kind: FileKind
  readonly sizeBytes: number
}

/** The header of a record batch, whole or not. */
export interface BatchItem extends PlacedItem {
  readonly type: 'batch'
  readonly sizeBytes: number
  readonly baseOffset: number | bigint
  readonly lastOffset: number | bigint
  readonly leaderEpoch: number
  readonly magic: number
  /** As it is stored, and as it should be; the latter is undefined where the bytes of the batch are not all there. */
  readonly crc: number
  readonly computedCrc: number | undefined
  readonly codec: Codec | `unknown (${number})`
  readonly timestampType: TimestampType
  readonly baseTimestampMs: number | bigint
  readonly maxTimestampMs: number | bigint
  /** -1 for none; epoch and sequence too. */
  readonly producerId: number | bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  /** That of the last offset, whether or not it still has a record; -1 for none. */
  readonly lastSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  /** The base timestamp is then the time from which tombstones may be compacted away. */
  readonly hasDeleteHorizon: boolean
  /** That time; undefined when there is none. */
  readonly deleteHorizonMs: number | bigint | undefined
  /** As the header states it. */
  readonly recordCount: number
  /** Of a control batch whose record can be read: commit, abort, or the number of another kind. */
  readonly controlType: string | undefined
  /** Of an end marker: that of the transaction coordinator that wrote it. */
  readonly coordinatorEpoch: number | undefined
  /** It can be read: CRC, offsets, leader epoch and all records hold. */
  readonly isGood: boolean
}

export interface RecordItem {
  readonly type: 'record'
  readonly file: string
  /** Where the batch begins that holds it. */
  readonly batchPosition: number
  /** As the name of the directory has them; undefined when it is no partition directory. */
  readonly topic: string | undefined
  readonly partition: number | undefined
  /** In its producer's sequence; -1 for none. */
  readonly sequence: number
  /** -1 for null. */
  readonly keyBytes: number
  readonly valueBytes: number
  readonly record: LogRecord
}

/** A message of a format before record batches: magic 0 or 1, of Kafka before 0.11. It is named, and not read. */
export interface OldMessageItem extends PlacedItem {
  readonly type: 'old-message'
  readonly sizeBytes: number
  readonly offset: number | bigint
  readonly magic: number
}

/** Bytes in which nothing can be read. */
export interface PassedItem extends PlacedItem {
  readonly type: 'passed-over'
  readonly sizeBytes: number
}

export interface OffsetIndexEntryItem extends PlacedItem {
  readonly type: 'offset-index-entry'
  readonly entry: number
  /** Last offset of a batch, and where that begins in the .log. */
  readonly offset: number
  readonly logPosition: number
  /** Whether a batch with that last offset begins there; undefined without a .log. */
  readonly matches: boolean | undefined
}

export interface TimeIndexEntryItem extends PlacedItem {
  readonly type: 'time-index-entry'
  readonly entry: number
  readonly timestampMs: number | bigint
  readonly offset: number
  /** Whether a batch has that last offset and that largest timestamp; undefined when that cannot be told. */
  readonly matches: boolean | undefined
}

/** An aborted transaction of a transaction index of Kafka's. */
export interface TransactionIndexEntryItem extends PlacedItem, AbortedTransaction {
  readonly type: 'transaction-index-entry'
  readonly entry: number
  readonly version: number
}

/** A producer of a snapshot of Kafka's. */
export interface ProducerStateItem extends PlacedItem, ProducerState {
  readonly type: 'producer-state'
  /** Of its last batch; -1 for none. */
  readonly firstSequence: number
}

/** The rest of an index: zero bytes that Kafka reserved. */
export interface PreallocatedItem extends PlacedItem {
  readonly type: 'preallocated'
  readonly sizeBytes: number
}

export interface StateBlockItem extends Omit<StateBlock, 'bootId'> {
  readonly type: 'state-block'
  readonly file: string
  /** 32 hexadecimal digits. */
  readonly bootId: string
  /** It was written since this machine was started. */
  readonly isOfThisBoot: boolean
  /** Device, inode and length are those of the active segment; undefined when there is none beside it. */
  readonly matchesLog: boolean | undefined
}

/** One of the two slots. */
export interface RecoveryPointItem extends PlacedItem {
  readonly type: 'recovery-point'
  readonly sequence: number
  readonly offset: number
  readonly segmentBaseOffset: number
  readonly segmentPosition: number
  /** The one that counts. */
  readonly isNewest: boolean
}

export interface LogStartOffsetItem {
  readonly type: 'log-start-offset'
  readonly file: string
  readonly offset: number
}

export interface LeaderEpochItem {
  readonly type: 'leader-epoch'
  readonly file: string
  readonly leaderEpoch: number
  readonly startOffset: number
}

export interface LeaderEpochIdItem {
  readonly type: 'leader-epoch-id'
  readonly file: string
  readonly leaderEpoch: number
  readonly id: string
}

/** How far a partition was compacted. */
export interface CleanerOffsetItem {
  readonly type: 'cleaner-offset'
  readonly file: string
  readonly cleanedOffset: number
  readonly gapsOffset: number
}

export interface KnownGapItem {
  readonly type: 'known-gap'
  readonly file: string
  readonly fromOffset: number
  /** Excluded. */
  readonly toOffset: number
}

/** The header of an index that `produce --dedupe-by` keeps; its table of hashes is not shown. */
export interface DedupeIndexItem {
  readonly type: 'dedupe-index'
  readonly file: string
  /** What is older, and what lies at or above `coveredTo`, is not in it. */
  readonly coveredFromMs: number
  readonly coveredTo: number
  /** Base offset of the last batch that it has; undefined when there is none. */
  readonly lastBatchBaseOffset: number | undefined
  readonly tablePosition: number
  readonly bucketCount: number
  readonly entryCount: number
  /** 32 hexadecimal digits. */
  readonly bootId: string
  /** Otherwise the next producer that needs it builds it anew. */
  readonly isOfThisBoot: boolean
}

/** What a topic file or logq.json holds. */
export interface JsonItem {
  readonly type: 'topic' | 'store'
  readonly file: string
  readonly content: Readonly<Record<string, unknown>>
}

/** Of a text file that has no form of its own here, or is damaged. */
export interface LineItem {
  readonly type: 'line'
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly text: string
}

/** What a check finds; the kinds are those of `Finding`. */
export interface ProblemItem {
  readonly type: 'problem'
  readonly kind: 'damage' | 'cache' | 'note'
  readonly file: string
  readonly position?: number
  readonly offset?: number
  readonly message: string
}

export type DumpItem =
  | FileItem
  | BatchItem
  | RecordItem
  | OldMessageItem
  | PassedItem
  | OffsetIndexEntryItem
  | TimeIndexEntryItem
  | TransactionIndexEntryItem
  | ProducerStateItem
  | PreallocatedItem
  | StateBlockItem
  | RecoveryPointItem
  | LogStartOffsetItem
  | LeaderEpochItem
  | LeaderEpochIdItem
  | KnownGapItem
  | CleanerOffsetItem
  | DedupeIndexItem
  | JsonItem
  | LineItem
  | ProblemItem
