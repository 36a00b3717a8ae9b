/**
 * Reading for library users: bounded and following, by batch and by record, as async iterators. The records are copies; a batch
 * is a view that holds until the next one is asked for.
 */
import { LogqError } from '../errors.js'
import { readPartition, type BatchSlice } from '../log/read-partition.js'
import { selectPartitions, viewContext } from '../store/partition.js'
import type { Store } from '../store/store.js'
import { getTopic } from '../store/topics.js'
import { followTopic } from './follow-topic.js'
import { recordsOf, type PlacedRecord } from './last-records.js'
import { resolveOffsets, type OffsetRange, type OffsetSpec } from './offset-spec.js'

export interface ReadOptions {
  /** Default: all. */
  readonly partitions?: readonly number[]
  /** Where to begin and end, for each partition by itself. Default: from the start; for following, from the end. */
  readonly offset?: OffsetSpec
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal
}

export type { BatchSlice as PlacedBatch } from '../log/read-partition.js'
export type { PlacedRecord as TopicRecord } from './last-records.js'

/**
 * The batches of a topic, partitions ascending, up to the end offsets as they are at the first call of `next`. The first and the
 * last batch of a partition may hold records outside of [fromOffset, toOffset): they are not meant. Throws LOGQ_UNKNOWN_TOPIC,
 * LOGQ_UNKNOWN_PARTITION, LOGQ_CORRUPT (CorruptionError), LOGQ_TOPIC_REMOVED, or a system error.
 */
export async function* readBatches(
  store: Store,
  topic: string,
  options: ReadOptions = {},
): AsyncGenerator<BatchSlice, void, undefined> {
  for (const { partition, range } of await resolveAll(store, topic, options)) {
    const context = viewContext(store, topic, partition)
    yield* readPartition(context, range.fromOffset, range.toOffset, options.signal)
  }
}

/** The records of a topic, as `readBatches` gives the batches; throws the same. */
export async function* readRecords(
  store: Store,
  topic: string,
  options: ReadOptions = {},
): AsyncGenerator<PlacedRecord, void, undefined> {
  for await (const slice of readBatches(store, topic, options)) yield* recordsOf(slice)
}

/**
 * What is there from `offset` on (default: the end, so new records only), then whatever is appended, until the signal aborts.
 * Notices rolled segments, added partitions, and a topic that was removed and created anew, which is followed from its start.
 * Throws what `readBatches` throws but LOGQ_TOPIC_REMOVED, and LOGQ_USAGE for an `offset` that has an end.
 */
export async function* followBatches(
  store: Store,
  topic: string,
  options: ReadOptions = {},
): AsyncGenerator<BatchSlice, void, undefined> {
  const offset = options.offset ?? { kind: 'point', point: { kind: 'end' } }
  const ranges = await resolveAll(store, topic, { ...options, offset })
  if (ranges.some(({ range }) => range.hasEnd)) throw new LogqError('LOGQ_USAGE', `'${topic}' cannot be followed up to an end`)
  const fromOffsets = new Map(ranges.map(({ partition, range }) => [partition, range.fromOffset]))
  const { partitions, signal } = options
  const follow = followTopic(store, topic, {
    fromOffsets,
    ...(partitions === undefined ? {} : { partitions }),
    ...(signal === undefined ? {} : { signal }),
  })
  for await (const step of follow) {
    if (step.kind === 'batch') yield step
  }
}

/** The records of `followBatches`; throws the same. */
export async function* followRecords(
  store: Store,
  topic: string,
  options: ReadOptions = {},
): AsyncGenerator<PlacedRecord, void, undefined> {
  for await (const slice of followBatches(store, topic, options)) yield* recordsOf(slice)
}

async function resolveAll(
  store: Store,
  topic: string,
  options: ReadOptions,
): Promise<{ partition: number; range: OffsetRange }[]> {
  const spec = options.offset ?? { kind: 'point', point: { kind: 'start' } }
  const nowMs = store.system.clock.nowMs()
  const resolved = []
  for (const partition of selectPartitions(store, getTopic(store, topic), options.partitions)) {
    resolved.push({ partition, range: await resolveOffsets(viewContext(store, topic, partition), spec, nowMs) })
  }
  return resolved
}
