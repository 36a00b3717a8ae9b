/** What all groups have committed of one topic, for who removes records: read without any lock (format-spec/group-offsets.md). */
import type { Store } from '../store.js'
import type { TopicFile } from '../topic-file.js'
import { GroupFiles } from './group-files.js'
import { listGroups } from './group-paths.js'

export interface TopicOffsets {
  readonly group: string
  /** By partition. Where a group that reads the topic has committed nothing yet, it has everything before it. */
  readonly committed: ReadonlyMap<number, number>
}

/**
 * Of each group that has committed anything of the topic, and of each that is named. Throws LOGQ_UNKNOWN_GROUP, LOGQ_NEWER_FORMAT,
 * LOGQ_CORRUPT where commits that were promised cannot be read, or a system error.
 */
export function topicOffsets(
  store: Store,
  { topic, topicId, partitions }: TopicFile,
  named: readonly string[] = [],
): TopicOffsets[] {
  return [...new Set([...listGroups(store), ...named])].flatMap((group) => {
    const files = GroupFiles.open(store, group)
    try {
      const { offsets } = files.readSurely()
      const committed = new Map<number, number>()
      for (let partition = 0; partition < partitions; partition += 1) {
        const stored = offsets.get(topic, topicId, partition)
        if (stored !== undefined) committed.set(partition, stored.offset)
      }
      return committed.size > 0 || named.includes(group) ? [{ group, committed }] : []
    } finally {
      files.close()
    }
  })
}
