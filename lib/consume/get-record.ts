/** One record: the one at an offset, or the latest one of a key. */
import { partitionOfKey } from '../bytes/murmur2.js'
import { NO_JUDGE, judgeOne } from '../log/isolation.js'
import { isSurelyStable, readEndOffset } from '../log/last-stable-offset.js'
import { latestOfKey } from '../log/latest-of-key.js'
import type { Isolation } from '../log/log-view.js'
import { readPartition } from '../log/read-partition.js'
import { endMarkerOf } from '../record/control-record.js'
import { whenFetched } from '../system/awaited-bytes.js'
import { readingContext } from '../store/archive/reading-context.js'
import { partitionOffsets, selectPartitions } from '../store/partition.js'
import type { Store } from '../store/store.js'
import type { TopicFile } from '../store/topic-file.js'
import { getTopic } from '../store/topics.js'
import { recordsOf, type PlacedRecord } from './placed-record.js'

export type RecordLookup =
  | { readonly kind: 'found'; readonly record: PlacedRecord }
  /** It was there and was deleted: the log starts above it. */
  | { readonly kind: 'below-start'; readonly logStartOffset: number }
  | { readonly kind: 'beyond-end'; readonly logEndOffset: number }
  /** It is there, and behind the beginning of a transaction that is open. */
  | { readonly kind: 'unstable'; readonly lastStableOffset: number }
  /** It is there, and its transaction was aborted. */
  | { readonly kind: 'aborted' }
  /** The offset has a control record, which marks how a transaction ended; undefined for one that says nothing of transactions. */
  | { readonly kind: 'marker'; readonly isCommit: boolean | undefined }
  /** The offset lies within the log and has no record: compacted away, or lost in a recovery. */
  | { readonly kind: 'missing' }

export interface GetRecordOptions {
  /** Default 'read_committed'. */
  readonly isolation?: Isolation
  readonly signal?: AbortSignal
}

/**
 * The record at an offset of a partition, as a copy. Throws LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION, LOGQ_TOPIC_REMOVED,
 * LOGQ_CORRUPT (CorruptionError), or a system error.
 */
export async function getRecord(
  store: Store,
  topic: string,
  partition: number,
  offset: number,
  { isolation, signal }: GetRecordOptions = {},
): Promise<RecordLookup> {
  selectPartitions(store, getTopic(store, topic), [partition])
  const context = await readingContext(store, topic, partition, { isolation })
  const { logStartOffset, logEndOffset } = partitionOffsets(context)
  if (offset < logStartOffset) return { kind: 'below-start', logStartOffset }
  if (offset >= logEndOffset) return { kind: 'beyond-end', logEndOffset }
  if (!isSurelyStable(context, offset + 1)) {
    const lastStableOffset = readEndOffset(context)
    if (offset >= lastStableOffset) return { kind: 'unstable', lastStableOffset }
  }
  // Whatever stands there is read, so that it can be told what it is.
  for await (const slice of readPartition(context, offset, offset + 1, signal, NO_JUDGE)) {
    const { batch } = slice
    if (batch.isControl) return { kind: 'marker', isCommit: endMarkerOf(batch)?.isCommit }
    for (const record of recordsOf(topic, slice)) {
      const verdict = batch.isPlain ? 'shown' : await whenFetched(() => judgeOne(context, batch), signal)
      if (verdict === 'open') return { kind: 'unstable', lastStableOffset: offset }
      return verdict === 'hidden' ? { kind: 'aborted' } : { kind: 'found', record }
    }
  }
  return { kind: 'missing' }
}

export interface LatestRecordOptions extends GetRecordOptions {
  /** Look in these partitions only. */
  readonly partitions?: readonly number[]
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
    const found = await latestIn(store, topic, first, key, options)
    if (found !== undefined) return found
  }
  let latest: PlacedRecord | undefined
  for (const partition of partitions) {
    if (partition === first || options.signal?.aborted === true) continue
    const found = await latestIn(store, topic, partition, key, options)
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
  { isolation, signal }: GetRecordOptions,
): Promise<PlacedRecord | undefined> {
  const context = await readingContext(store, topic, partition, { isolation })
  const record = await latestOfKey(context, key, partitionOffsets(context).logStartOffset, readEndOffset(context), signal)
  return record === undefined ? undefined : { ...record, partition }
}
