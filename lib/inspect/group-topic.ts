/** Counting the records of a topic in groups, for programs: what `logq stat` does. */
import { resolveTopic, type ReadOptions } from '../consume/read.js'
import type { RecordFilter } from '../record/expression.js'
import { predicateOf } from '../record/record-predicate.js'
import type { Store } from '../store/store.js'
import { groupRecords, type RecordGroups } from './group-records.js'
import type { GroupBy, GroupLimits } from './group-table.js'

export interface TopicGroupOptions extends ReadOptions {
  /** Default: by partition. */
  readonly by?: GroupBy
  /** The groups with the most records, so many; at most 20,000. */
  readonly top?: number
  /** Only records that match. */
  readonly filter?: RecordFilter
  /** How many groups are held at once; where there are more, the topic is read again for the others. */
  readonly limits?: GroupLimits
}

/**
 * Tallies the records of a topic (how many, bytes of keys and values, first and last in time and offset) by group, over the whole topic
 * or what `offset` and `partitions` choose. Exact, however many groups there are. What it gives is not complete when the signal aborts.
 * Throws LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION, CorruptionError, LOGQ_TOPIC_REMOVED, LOGQ_RECORD_TOO_LARGE (of the filter), or a
 * system error.
 */
export async function groupTopic(store: Store, topic: string, options: TopicGroupOptions = {}): Promise<RecordGroups> {
  const { by = { kind: 'partition' }, top, filter, signal, limits } = options
  return await groupRecords(await resolveTopic(store, topic, options), {
    by,
    top,
    signal,
    matches: filter === undefined ? undefined : predicateOf(filter),
    ...(limits === undefined ? {} : { limits }),
  })
}
