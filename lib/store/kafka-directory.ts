/**
 * A Kafka log.dir, read as a store: topics are inferred from its directories (format-spec/store.md, "Kafka's directories"). A
 * broker may be writing to it at the same time; nothing is ever written.
 */
import { readSmallFile } from '../system/durable.js'
import type { FileStatus } from '../system/file-system.js'
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
  return startOffsets(store)?.get(`${topic} ${partition}`)
}

interface ReadCheckpoint {
  readonly status: FileStatus
  readonly offsets: ReadonlyMap<string, number>
}

/** One line per partition is parsed once for all of them, not once for each. */
const checkpoints = new WeakMap<Store, ReadCheckpoint>()

/** By topic and partition. A broker puts a new file in the place of the old one every minute. */
function startOffsets(store: Store): ReadonlyMap<string, number> | undefined {
  const { fs } = store.system
  const path = `${store.path}/${LOG_START_OFFSET_CHECKPOINT}`
  const status = fs.pathStatus(path)
  if (status === undefined) return undefined
  const known = checkpoints.get(store)
  if (known !== undefined && isSameFile(known.status, status)) return known.offsets
  const bytes = readSmallFile(fs, path, 64 << 20)
  if (bytes === undefined) return undefined
  const offsets = new Map<string, number>()
  for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
    const match = /^(\S+ \d+) (\d+)$/.exec(line)
    const offset = Number(match?.[2])
    if (match?.[1] !== undefined && !offsets.has(match[1]) && Number.isSafeInteger(offset)) offsets.set(match[1], offset)
  }
  checkpoints.set(store, { status, offsets })
  return offsets
}

function isSameFile(a: FileStatus, b: FileStatus): boolean {
  return a.device === b.device && a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs
}

function readTopicId(store: Store, topic: string, partition: number): string {
  const path = `${store.path}/${partitionDirectoryName(topic, partition)}/${PARTITION_METADATA}`
  const bytes = readSmallFile(store.system.fs, path)
  return /^topic_id: (\S+)$/m.exec(Buffer.from(bytes ?? []).toString('latin1'))?.[1] ?? ''
}
