/** How many partitions the topics have that anybody in a group wants, as of now: topics are created, removed and extended meanwhile. */
import type { GroupState } from '../../store/group/group-state.js'
import type { Store } from '../../store/store.js'
import { findTopic } from '../../store/topics.js'
import { wantedTopics, type PartitionCounts } from './plan.js'

export function partitionCounts(store: Store, state: GroupState): PartitionCounts {
  const counts = new Map<string, number>()
  for (const topic of wantedTopics(state)) {
    const file = findTopic(store, topic)
    if (file !== undefined) counts.set(topic, file.partitions)
  }
  return counts
}
