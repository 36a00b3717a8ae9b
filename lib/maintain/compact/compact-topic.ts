/** Compaction by store, topic and partition: what `logq compact` calls (format-spec/compaction.md). */
import { LogqError } from '../../errors.js'
import { appendContext, viewContext } from '../../store/partition.js'
import { removedTopic } from '../../store/live-topic.js'
import { requireWritable, type Store } from '../../store/store.js'
import { TopicConfig } from '../../store/topic-config.js'
import type { TopicFile } from '../../store/topic-file.js'
import { findTopic, getTopic } from '../../store/topics.js'
import type { LockWait } from '../../system/lock-wait.js'
import { compactPartition, type PartitionCompaction } from './compact-partition.js'

export interface CompactOptions extends LockWait {
  /** In place of min.cleanable.dirty.ratio: 0 goes over the log whatever is new in it. */
  readonly minDirtyRatio?: number
  /** The active segment is closed first, whatever its age. */
  readonly includeActive?: boolean
  /** Records that are kept of each key, 1 to 255. Default 1. */
  readonly keepCount?: number
  /** For the table of keys. Default 128 MiB. */
  readonly memoryBytes?: number
  readonly dryRun?: boolean
  readonly onProgress?: (partition: number, doneBytes: number, totalBytes: number) => void
  /** Called after each partition. */
  readonly onPartition?: (done: PartitionCompaction) => Promise<void>
}

export const DEFAULT_COMPACT_MEMORY_BYTES = 128 << 20
export const MAX_KEEP_COUNT = 255

export function isCompacted(file: TopicFile): boolean {
  return new TopicConfig(file.config).choice('cleanup.policy').includes('compact')
}

function refuseUncompacted(file: TopicFile): void {
  if (isCompacted(file)) return
  const { topic } = file
  throw new LogqError('LOGQ_CONFLICT', `topic '${topic}' is not compacted: its cleanup.policy is delete`, {
    hint: `to keep only the last value of each key: logq topic set ${topic} cleanup.policy=compact`,
  })
}

/**
 * Partition after partition. Throws LOGQ_CONFLICT for a topic that is not compacted, also when it ceases to be while it is worked on;
 * LOGQ_UNKNOWN_TOPIC, LOGQ_READ_ONLY_STORE, and what compactPartition throws.
 */
export async function compactTopic(
  store: Store,
  topic: string,
  partitions: readonly number[] | undefined,
  options: CompactOptions = {},
): Promise<PartitionCompaction[]> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const file = getTopic(store, topic)
  refuseUncompacted(file)
  // A run over many partitions takes long, and so may a wait for a lock.
  const check = () => {
    const present = findTopic(store, topic)
    if (present?.topicId !== file.topicId) throw removedTopic(topic)
    refuseUncompacted(present)
  }
  const config = new TopicConfig(file.config)
  const { minDirtyRatio, includeActive, keepCount, memoryBytes, dryRun, onProgress, onPartition, ...wait } = options
  const settings = {
    minDirtyRatio: minDirtyRatio ?? config.number('min.cleanable.dirty.ratio'),
    minLagMs: config.number('min.compaction.lag.ms'),
    maxLagMs: config.number('max.compaction.lag.ms'),
    deleteRetentionMs: config.number('delete.retention.ms'),
    segmentMs: config.number('segment.ms'),
    keepCount: keepCount ?? 1,
    memoryBytes: memoryBytes ?? DEFAULT_COMPACT_MEMORY_BYTES,
    includesActive: includeActive === true,
  }
  const done: PartitionCompaction[] = []
  for (const partition of partitions ?? Array.from({ length: file.partitions }, (_, n) => n)) {
    const context = appendContext(store, topic, partition, () => config)
    const compacted = await compactPartition(context, viewContext(store, topic, partition), settings, {
      ...wait,
      dryRun: dryRun === true,
      check,
      onProgress: (doneBytes, totalBytes) => onProgress?.(partition, doneBytes, totalBytes),
    })
    done.push(compacted)
    await onPartition?.(compacted)
  }
  return done
}
