/**
 * A Kafka log.dir, read as a store: topics are inferred from its directories (format-spec/store.md, "Kafka's directories"). A
 * broker may be writing to it at the same time; nothing is ever written.
 */
import { readSmallFile } from '../system/durable.js'
import { partitionDirectoryName } from '../log/file-names.js'
import { partitionsInListing } from './names.js'
import type { Store } from './store.js'
import { DEFAULT_PARTITIONER, type TopicFile } from './topic-file.js'

const LOG_START_OFFSET_CHECKPOINT = 'log-start-offset-checkpoint'
const PARTITION_METADATA = 'partition.metadata'

/** Topics by name. The number of partitions is one more than the largest that is here: others may be on other brokers. */
export function kafkaTopics(store: Store): Map<string, TopicFile> {
  const topics = new Map<string, TopicFile>()
  for (const { topic, partition } of partitionsInListing(store.system.fs.list(store.path))) {
    const partitions = Math.max(partition + 1, topics.get(topic)?.partitions ?? 0)
    const topicId = topics.get(topic)?.topicId ?? readTopicId(store, topic, partition)
    topics.set(topic, { topic, topicId, partitions, partitioner: DEFAULT_PARTITIONER, config: {}, created: '' })
  }
  return topics
}

/** What Kafka's checkpoint says of a partition's log start offset; undefined when it says nothing. */
export function kafkaLogStartOffset(store: Store, topic: string, partition: number): number | undefined {
  const bytes = readSmallFile(store.system.fs, `${store.path}/${LOG_START_OFFSET_CHECKPOINT}`, 64 << 20)
  if (bytes === undefined) return undefined
  for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
    const match = /^(\S+) (\d+) (\d+)$/.exec(line)
    if (match?.[1] === topic && Number(match[2]) === partition) return Number(match[3])
  }
  return undefined
}

function readTopicId(store: Store, topic: string, partition: number): string {
  const path = `${store.path}/${partitionDirectoryName(topic, partition)}/${PARTITION_METADATA}`
  const bytes = readSmallFile(store.system.fs, path)
  return /^topic_id: (\S+)$/m.exec(Buffer.from(bytes ?? []).toString('latin1'))?.[1] ?? ''
}
