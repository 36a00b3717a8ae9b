/** The partitions of a topic into directories of a copy of it, by hard links where they can be had (log/share-partition.ts). */
import { LogqError } from '../../errors.js'
import { sharePartition, type SharedPartition } from '../../log/share-partition.js'
import { viewContext } from '../../store/partition.js'
import type { Store } from '../../store/store.js'
import { TopicConfig } from '../../store/topic-config.js'
import type { TopicFile } from '../../store/topic-file.js'
import { findTopic } from '../../store/topics.js'
import { createDirectory } from '../../system/durable.js'
import type { LockWait } from '../../system/lock-wait.js'

/** What of a topic was shared: one entry for each partition, ascending. */
export interface SharedTopic {
  readonly topic: string
  readonly partitions: readonly SharedPartition[]
}

/** `directoryOf` names directories that do not exist, in one that does. Throws as `sharePartition` does. */
export async function shareTopic(
  store: Store,
  file: TopicFile,
  directoryOf: (partition: number) => string,
  wait: LockWait,
): Promise<SharedTopic> {
  const { topic, topicId } = file
  const indexIntervalBytes = new TopicConfig(file.config).number('index.interval.bytes')
  const partitions: SharedPartition[] = []
  for (let partition = 0; partition < file.partitions; partition += 1) {
    const directory = directoryOf(partition)
    createDirectory(store.system, directory, store.ownership)
    const place = { directory, ownership: store.ownership, indexIntervalBytes }
    partitions.push(await sharePartition(viewContext(store, topic, partition), place, wait))
  }
  // Another topic may have taken the name meanwhile, and its directories.
  if (findTopic(store, topic)?.topicId !== topicId)
    throw new LogqError('LOGQ_TOPIC_REMOVED', `topic '${topic}' was removed while it was copied`)
  return { topic, partitions }
}
