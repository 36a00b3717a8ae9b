/**
 * Reading for library users: bounded and following, by batch and by record, as async iterators. The records are copies; a batch
 * is a view that holds until the next one is asked for.
 */
import { LogqError } from '../errors.js'
import type { PassedOver } from '../log/damage.js'
import type { HeldBack, Isolation } from '../log/log-view.js'
import { readPartition, type BatchSlice } from '../log/read-partition.js'
import type { Direction } from '../log/slice-walk.js'
import type { RecordFilter } from '../record/expression.js'
import { copyRecord } from '../record/lent-record.js'
import { predicateOf } from '../record/record-predicate.js'
import { readingContext } from '../store/archive/reading-context.js'
import { selectPartitions } from '../store/partition.js'
import type { Store } from '../store/store.js'
import { getTopic } from '../store/topics.js'
import { followTopic } from './follow-topic.js'
import { mergeRecords } from './merge.js'
import { resolveOffsets, type OffsetRange, type OffsetSpec } from './offset-spec.js'
import type { PartitionRange } from './partition-source.js'
import { readRecordsOf, recordsOf, type PlacedRecord, type WantedRecords } from './placed-record.js'

export interface ReadOptions {
  /** Default: all. */
  readonly partitions?: readonly number[]
  /** Where to begin and end, for each partition by itself. Default: from the start; for following, from the end. */
  readonly offset?: OffsetSpec
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal
  /** Default 'read_committed': records of transactions that were aborted, or have no end yet, are left out. */
  readonly isolation?: Isolation
  /** Told, for each partition, when reading ends at a transaction that is open. Not for following, which waits there. */
  readonly onHeldBack?: ((held: HeldBack) => void) | undefined
  /** Damage is passed over, and told of here, each time with the offsets that cannot be read. Without it, CorruptionError is thrown. */
  readonly onDamage?: (damage: PassedOver) => void
}

export interface FollowTopicOptions extends ReadOptions {
  /** Only records that match (`compileRecordFilter`). It looks at a record before it is copied. */
  readonly filter?: RecordFilter
}

export interface ReadTopicOptions extends FollowTopicOptions {
  /** 'backwards': the newest first, partitions descending. Default 'forwards'. */
  readonly direction?: Direction
}

export type { BatchSlice as PlacedBatch } from '../log/read-partition.js'
export type { PlacedRecord as TopicRecord } from './placed-record.js'
export type { Direction } from '../log/slice-walk.js'
export type { PassedOver } from '../log/damage.js'
export type { HeldBack, Isolation } from '../log/log-view.js'

/** A record of one of several topics. */
export interface MergedTopicRecord extends PlacedRecord {
  readonly topic: string
}

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
  for (const { context, fromOffset, toOffset } of await resolveTopic(store, topic, options)) {
    yield* readPartition(context, fromOffset, toOffset, options.signal)
  }
}

/**
 * The records of a topic, in the order of `readBatches` or against it; throws the same, and LOGQ_RECORD_TOO_LARGE for a record that is
 * too large for the filter.
 */
export async function* readRecords(
  store: Store,
  topic: string,
  options: ReadTopicOptions = {},
): AsyncGenerator<PlacedRecord, void, undefined> {
  const wanted = wantedBy(options)
  const ranges = await resolveTopic(store, topic, options, wanted.direction === 'backwards')
  for (const { context, fromOffset, toOffset } of wanted.direction === 'backwards' ? ranges.reverse() : ranges) {
    yield* readRecordsOf(context, fromOffset, toOffset, wanted)
  }
}

/**
 * The records of topics in the order of their timestamps, oldest first, or backwards, newest first. Those of one partition stay in the
 * order of their offsets (or against it); equal timestamps come in the order of the topics as given, then of the partitions. Memory
 * is bounded, however many partitions there are and however large their batches. Throws what `readRecords` throws.
 */
export async function* readMerged(
  store: Store,
  topics: readonly string[],
  options: ReadTopicOptions = {},
): AsyncGenerator<MergedTopicRecord, void, undefined> {
  const ranges: PartitionRange[] = []
  const needsEnd = options.direction === 'backwards'
  for (const topic of topics) ranges.push(...(await resolveTopic(store, topic, options, needsEnd)))
  for await (const { topic, partition, record } of mergeRecords(ranges, wantedBy(options))) {
    yield { topic, partition, ...copyRecord(record) }
  }
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
  const ranges = await resolveTopic(store, topic, { ...options, offset, onHeldBack: undefined })
  if (ranges.some(({ hasEnd }) => hasEnd)) throw new LogqError('LOGQ_USAGE', `'${topic}' cannot be followed up to an end`)
  const fromOffsets = new Map(ranges.map(({ context, fromOffset }) => [context.partition, fromOffset]))
  const { partitions, signal, onDamage, isolation } = options
  const follow = followTopic(store, topic, {
    fromOffsets,
    onDamage,
    isolation,
    ...(partitions === undefined ? {} : { partitions }),
    ...(signal === undefined ? {} : { signal }),
  })
  for await (const step of follow) {
    if (step.kind === 'batch') yield step
  }
}

/** The records of `followBatches`; throws the same, and LOGQ_RECORD_TOO_LARGE for a record that is too large for the filter. */
export async function* followRecords(
  store: Store,
  topic: string,
  options: FollowTopicOptions = {},
): AsyncGenerator<PlacedRecord, void, undefined> {
  const wanted = wantedBy(options)
  for await (const slice of followBatches(store, topic, options)) yield* recordsOf(topic, slice, wanted)
}

function wantedBy({ filter, signal, direction }: ReadTopicOptions): WantedRecords {
  return { direction: direction ?? 'forwards', matches: filter === undefined ? undefined : predicateOf(filter), signal }
}

/** What options of reading come to, partition by partition: for whatever reads a topic. */
export async function resolveTopic(
  store: Store,
  topic: string,
  options: ReadOptions,
  /** Whether the ranges must end at the last stable offset, since they are not read forwards. */
  needsEnd = false,
): Promise<(PartitionRange & Pick<OffsetRange, 'hasEnd'>)[]> {
  const spec = options.offset ?? { kind: 'point', point: { kind: 'start' } }
  const nowMs = store.system.clock.nowMs()
  const resolved = []
  for (const partition of selectPartitions(store, getTopic(store, topic), options.partitions)) {
    const context = await readingContext(store, topic, partition, options)
    const { fromOffset, toOffset, hasEnd } = await resolveOffsets(context, spec, nowMs, needsEnd, options.signal)
    resolved.push({ context, fromOffset, toOffset, hasEnd })
  }
  return resolved
}
