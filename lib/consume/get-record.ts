/** One record: the one at an offset, or the latest one of a key. */
import { partitionOfKey } from '../bytes/murmur2.js'
import { latestOfKey } from '../log/latest-of-key.js'
import { readPartition } from '../log/read-partition.js'
import { partitionOffsets, selectPartitions, viewContext } from '../store/partition.js'
import type { Store } from '../store/store.js'
import type { TopicFile } from '../store/topic-file.js'
import { getTopic } from '../store/topics.js'
import { recordsOf, type PlacedRecord } from './placed-record.js'

export type RecordLookup =
  | { readonly kind: 'found'; readonly record: PlacedRecord }
  /** It was there and was deleted: the log starts above it. */
  | { readonly kind: 'below-start'; readonly logStartOffset: number }
  | { readonly kind: 'beyond-end'; readonly logEndOffset: number }
  /** The offset lies within the log and has no record: compacted away, lost in a recovery, or a transaction marker. */
  | { readonly kind: 'missing' }

/**
 * The record at an offset of a partition, as a copy. Throws LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION, LOGQ_TOPIC_REMOVED,
 * LOGQ_CORRUPT (CorruptionError), or a system error.
 */
export async function getRecord(
  store: Store,
  topic: string,
  partition: number,
  offset: number,
  signal?: AbortSignal,
): Promise<RecordLookup> {
  selectPartitions(store, getTopic(store, topic), [partition])
  const context = viewContext(store, topic, partition)
  const { logStartOffset, logEndOffset } = partitionOffsets(context)
  if (offset < logStartOffset) return { kind: 'below-start', logStartOffset }
  if (offset >= logEndOffset) return { kind: 'beyond-end', logEndOffset }
  for await (const slice of readPartition(context, offset, offset + 1, signal)) {
    for (const record of recordsOf(topic, slice)) return { kind: 'found', record }
  }
  return { kind: 'missing' }
}

export interface LatestRecordOptions {
  /** Look in these partitions only. */
  readonly partitions?: readonly number[]
  readonly signal?: AbortSignal
}

/**
 * The latest record of a key, as a copy; a tombstone counts. Undefined when there is none. With the murmur2 partitioner it is the
 * last one in the key's partition; only when that has none, and for other partitioners, all partitions are looked through, and the
 * record with the greatest timestamp counts. Reads backwards from the end, so a key that does not exist costs reading the topic.
 * Throws what getRecord() throws.
 */
export async function latestRecord(
  store: Store,
  topic: string,
  key: Uint8Array,
  options: LatestRecordOptions = {},
): Promise<PlacedRecord | undefined> {
  const file = getTopic(store, topic)
  const partitions = selectPartitions(store, file, options.partitions)
  const first = options.partitions === undefined ? homeOf(file, key) : undefined
  if (first !== undefined && partitions.includes(first)) {
    const found = await latestIn(store, topic, first, key, options.signal)
    if (found !== undefined) return found
  }
  let latest: PlacedRecord | undefined
  for (const partition of partitions) {
    if (partition === first || options.signal?.aborted === true) continue
    const found = await latestIn(store, topic, partition, key, options.signal)
    if (found !== undefined && (latest === undefined || found.timestampMs > latest.timestampMs)) latest = found
  }
  return latest
}

/**
 * Where producers put the key now. Records may be elsewhere all the same: from before partitions were added, or because a producer
 * named the partition.
 */
function homeOf({ partitioner, partitions }: TopicFile, key: Uint8Array): number | undefined {
  return partitioner === 'murmur2' ? partitionOfKey(key, partitions) : undefined
}

async function latestIn(
  store: Store,
  topic: string,
  partition: number,
  key: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<PlacedRecord | undefined> {
  const context = viewContext(store, topic, partition)
  const { logStartOffset, logEndOffset } = partitionOffsets(context)
  const record = await latestOfKey(context, key, logStartOffset, logEndOffset, signal)
  return record === undefined ? undefined : { ...record, partition }
}
