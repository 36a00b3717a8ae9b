/**
 * logq as a library: stores, topics, producing, reading, checking. Exports only.
 *
 *     import { createNodeSystem, createTopic, openOrCreateStore, Producer, readRecords } from 'logq'
 *
 *     const store = await openOrCreateStore(createNodeSystem(), '/var/lib/logq')
 *     await createTopic(store, 'events')
 *     const text = new TextEncoder()
 *     const producer = await Producer.open(store, 'events')
 *     await producer.add({ key: text.encode('u1'), value: text.encode('login') })
 *     await producer.close()
 *     for await (const record of readRecords(store, 'events')) console.log(record.offset, record.value)
 *
 * Byte arrays are Uint8Array, offsets and timestamps are numbers (timestamps in ms). Everything that can wait takes an
 * AbortSignal. Errors are LogqError with a stable `code`, or system errors as Node.js makes them.
 */
export { CorruptionError, LogqError, isLogqError, type CorruptionPlace, type ErrorCode } from './errors.js'

export { createNodeSystem } from './system/node-system.js'
export type {
  ChangeHints,
  Clock,
  KernelLocks,
  LockHolders,
  LockTable,
  ProcessDescription,
  ProcessIdentity,
  Processes,
  Random,
  System,
} from './system/system.js'
export type { FileStatus, FileSystem, OpenMode } from './system/file-system.js'
export type { Lease, LeaseOptions, Leases } from './system/lease.js'
export { LeaseWatch } from './system/lease-watch.js'
export type { Ownership } from './system/durable.js'

export type { Header, LogRecord, RecordInput, TimestampType } from './record/record.js'
export type { Codec } from './record/codec.js'
export { InvalidBatchError, RecordBatch, type ReadRecordsOptions } from './record/batch.js'
export type { ReadPlace } from './bytes/varint.js'
export type { RecordCursor, RecordPlace, RecordsArea } from './record/record-cursor.js'
export type { SealedBatch } from './record/batch-builder.js'

export { openOrCreateStore, openStore, type CreateStoreOptions, type Store } from './store/store.js'
export {
  addPartitions,
  alterTopic,
  createTopic,
  findTopic,
  getTopic,
  listTopics,
  removeTopic,
  type ChangeOptions,
  type CreateTopicOptions,
} from './store/topics.js'
export { expandTopics } from './store/topic-pattern.js'
export type { LockWait } from './log/partition-lock.js'
export type { Partitioner, TopicFile } from './store/topic-file.js'
export {
  TOPIC_SETTINGS,
  type ChoiceSetting,
  type NumberSetting,
  type Setting,
  type SettingName,
  type TextSetting,
  type TopicOverrides,
} from './store/topic-config.js'
export { archivedUpTo } from './store/archive/archived-files.js'
export { describeTopic, type PartitionDescription, type TopicDescription } from './store/describe-topic.js'

export type { DedupeBy } from './produce/dedupe-id.js'
export type { DedupeOptions } from './produce/deduplication.js'
export {
  Producer,
  type AppendedRecords,
  type ProducerOptions,
  type RecordTaker,
  type UnwrittenRecords,
} from './produce/producer.js'
export type { CollectedBatch } from './produce/append-at-end.js'
export { ConditionalProducer } from './produce/conditional-producer.js'
export { ExpectationError, type Expectation } from './produce/expectation.js'

export { keyPartitioner } from './produce/key-partitioner.js'

export { assign, type AssignorName, type GroupSubscription, type TopicPartition } from './consume/assignors.js'
export type { OffsetSpec, Point, TimePoint } from './consume/offset-spec.js'
export {
  getRecord,
  latestRecord,
  type GetRecordOptions,
  type LatestRecordOptions,
  type RecordLookup,
} from './consume/get-record.js'
export {
  followBatches,
  followRecords,
  readBatches,
  readMerged,
  readRecords,
  type Direction,
  type FollowTopicOptions,
  type HeldBack,
  type Isolation,
  type MergedTopicRecord,
  type PassedOver,
  type PlacedBatch,
  type ReadOptions,
  type ReadTopicOptions,
  type TopicRecord,
} from './consume/read.js'
export { joinGroup } from './consume/group/join-group.js'
export type { JoinGroupOptions } from './consume/group/join-options.js'
export { GroupConsumer } from './consume/group/group-consumer.js'
export type {
  AssignedPartition,
  ConsumerEvent,
  ConsumerStep,
  GroupRecord,
  ReachedOffset,
} from './consume/group/consumer-step.js'
export type { Subscription } from './consume/group/subscription.js'
export type { FollowNotice } from './consume/follow-topic.js'
export type { OffsetReset, StartOffset } from './consume/group/start-offset.js'
export { awaitCommit, type AbsentPart, type AwaitCommitOptions } from './consume/group/await-commit.js'
export { groupLag, type PartitionLag } from './consume/group/lag.js'
export {
  changeOffsets,
  undoChange,
  type ChangedOffsets,
  type ChangeOffsetsOptions,
  type WantedOffset,
} from './consume/group/change-offsets.js'
export {
  describeGroup,
  removeGroup,
  renameGroup,
  type ChangeGroupOptions,
  type GroupDescription,
  type MemberDescription,
} from './consume/group/groups.js'
export { listGroups } from './store/group/group-paths.js'
export type { GroupStateName } from './store/group/group-state.js'
export type { HistoryEntry, OffsetChange } from './store/group/history-file.js'
export type { Verdict } from './store/group/liveness.js'
export type { MemberFile } from './store/group/member-file.js'

export type { LentRecord } from './record/lent-record.js'
export type { RecordPredicate } from './record/record-predicate.js'
export {
  compileRecordFilter,
  type ExpressionRecord,
  type RecordFilter,
  type StoredExpressionRecord,
} from './record/expression.js'

export { groupTopic, type TopicGroupOptions } from './inspect/group-topic.js'
export type { RecordGroup, RecordGroups } from './inspect/group-records.js'
export type { GroupBy, GroupId, GroupLimits } from './inspect/group-table.js'
export type { GroupTally, RecordPlace as TalliedPlace } from './inspect/tally.js'
export { checkPartition, checkTopicFiles, repairPartition, type CheckOptions } from './maintain/check-store.js'
export type { PartitionCheck } from './maintain/inspect-partition.js'
export type { Finding } from './maintain/finding.js'
export type { RepairReport } from './maintain/repair-partition.js'
export type { RewrittenSegment } from './maintain/rewrite-segment.js'
export type { MovedFile } from './maintain/move-files.js'
export type { OffsetGap } from './log/known-gaps.js'
export type { QuarantineReport } from './log/recovery.js'
export { dumpFile, dumpPartition, type DumpOptions } from './inspect/dump.js'
export type {
  BatchItem,
  DedupeIndexItem,
  DumpItem,
  FileItem,
  JsonItem,
  CleanerOffsetItem,
  KnownGapItem,
  LeaderEpochIdItem,
  LeaderEpochItem,
  LineItem,
  LogStartOffsetItem,
  OffsetIndexEntryItem,
  OldMessageItem,
  PassedItem,
  PlacedItem,
  PreallocatedItem,
  ProducerStateItem,
  ProblemItem,
  RecordItem,
  RecoveryPointItem,
  StateBlockItem,
  TransactionIndexEntryItem,
  TimeIndexEntryItem,
} from './inspect/dump-item.js'
export type { LogDumpOptions } from './inspect/dump-log.js'
export type { ProducerState } from './log/producer-snapshot.js'
export type { AbortedTransaction } from './log/transaction-index.js'
export type { ProducerId } from './record/control-record.js'
export type { FileKind } from './inspect/file-kind.js'
export type { PartitionStatus, StateBlock } from './log/state-block.js'
export {
  bytesSince,
  topicUsage,
  type DiskUsage,
  type FileUsage,
  type PartitionUsage,
  type SegmentUsage,
} from './inspect/disk-usage.js'
export { openMetricsLines, type MetricFamily, type Sample } from './inspect/open-metrics.js'
export { storeMetrics, type OnTrouble } from './inspect/store-metrics.js'
export { examineStore, type ExamineOptions } from './inspect/doctor/examine-store.js'
export { isDamage } from './inspect/doctor/doctor-finding.js'
export type {
  BelowStartFinding,
  ClockFinding,
  CompactionFinding,
  DamagedFileFinding,
  DamagedSegmentsFinding,
  DiskFinding,
  DoctorFinding,
  FutureTimestampsFinding,
  GroupBehindFinding,
  GroupDamagedFinding,
  GroupLostFinding,
  KafkaFinding,
  KeptFinding,
  LateTimestampsFinding,
  LeftOverFinding,
  LockFinding,
  LostEndFinding,
  MemberFinding,
  MissingFinding,
  PartitionFinding,
  RemovableFinding,
  RetentionFinding,
  SegmentFinding,
  Severity,
  SnapshotFinding,
  StatusFinding,
  SyncFailedFinding,
  TimestampsFinding,
  UncleanFinding,
  UnreadableFinding,
} from './inspect/doctor/doctor-finding.js'
export type { SegmentOutlook } from './maintain/retain/kept-segments.js'
export { newestRecordMs } from './inspect/newest-record.js'
export type { PartitionOffsets } from './store/partition.js'
export { exportToKafka, type KafkaExport, type KafkaExportOptions } from './kafka/export-topic.js'
export type { ExportedPartition } from './kafka/export-partition.js'
export { importFromKafka, type KafkaImport, type KafkaImportOptions } from './kafka/import-topic.js'
export type { ImportedPartition } from './kafka/import-source.js'
export { digestTopic, type DigestOptions, type PartitionDigest, type TopicDigest } from './maintain/digest.js'
export { retainTopic, type PartitionRetention, type RetainOptions } from './maintain/retain/retain-topic.js'
export type { KeptSegments } from './maintain/retain/kept-segments.js'
export type { RetentionWishes } from './maintain/retain/retention-look.js'
export type { RemovalReason, StayReason } from './maintain/retain/retention-plan.js'
export { trimPartition } from './maintain/retain/trim-partition.js'
export type { AdvancedLogStart } from './log/advance-log-start.js'
export { compactTopic, type CompactOptions } from './maintain/compact/compact-topic.js'
export type { PartitionCompaction } from './maintain/compact/compact-partition.js'
export { explainKey, type ExplainedRecord } from './maintain/compact/explain-key.js'
export { takeSnapshot, type SnapshotOptions } from './maintain/snapshot/take-snapshot.js'
export { listSnapshots, removeSnapshot, type Snapshot } from './maintain/snapshot/snapshots.js'
export { cloneTopic } from './maintain/snapshot/clone-topic.js'
export type { SharedTopic } from './maintain/snapshot/share-topic.js'
export type { SharedPartition } from './log/share-partition.js'
export type { DroppedSegment } from './produce/drop-oldest.js'
export type { ArchiveRunOptions, PartitionArchived } from './archive/archive-run.js'
export { archiveTopic, type ArchiveOptions } from './archive/archive-topic.js'
export {
  listArchive,
  verifyArchive,
  type ArchivedPartitionSummary,
  type InspectArchiveOptions,
} from './archive/inspect-archive.js'
export type { ArchiveCodec } from './store/archive/manifest.js'
export { restoreTopic, type RestoreOptions, type RestoredPartition } from './archive/restore-topic.js'
export type { RestoreRange } from './archive/restore-range.js'
