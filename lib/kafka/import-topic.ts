/**
 * Takes a topic out of a log directory of Kafka, with its offsets (format-spec/kafka.md).
 *
 * A topic that is new: 1 its partitions are copied to `.import-…/` in the store, without the store's lock; 2 they get their names, and
 * the topic exists (createTopicFrom). Killed in 1, the next change of a topic removes the copies; killed in 2, it undoes that.
 *
 * A topic that exists must hold what the beginning of Kafka's log holds, batch for batch; the rest is appended. All partitions are compared
 * before anything is appended. Killed in between, the next import goes on where this one stopped.
 */
import { LogqError } from '../errors.js'
import { createDirectory } from '../system/durable.js'
import type { Store } from '../store/store.js'
import { TopicConfig } from '../store/topic-config.js'
import type { TopicFile } from '../store/topic-file.js'
import { createTopicFrom, findTopic, openImportDirectory } from '../store/topics.js'
import { checkTopicName } from '../store/names.js'
import { appendRest, compareWithSource } from './append-rest.js'
import { importPartition } from './import-partition.js'
import { openSource, type ImportedPartition, type SourcePartition } from './import-source.js'

export interface KafkaImport {
  readonly topic: string
  readonly isNew: boolean
  /** Offsets were missing as compaction leaves them, and the topic was made with cleanup.policy=compact. */
  readonly isCompacted: boolean
  readonly partitions: readonly ImportedPartition[]
}

export interface KafkaImportOptions {
  /** Default: the name of the topic in the store. */
  readonly fromTopic?: string
  readonly signal?: AbortSignal
}

/**
 * Copies a topic up to its ends as they are when this begins; a broker may be writing to it. All is on the device on return. Throws
 * LOGQ_USAGE, LOGQ_UNKNOWN_STORE, LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION, LOGQ_CORRUPT (CorruptionError), LOGQ_ABORTED, what
 * appending throws, or a system error. LOGQ_CONFLICT: a transaction is open at the end, or the topic exists and holds something else;
 * nothing was changed.
 */
export async function importFromKafka(
  store: Store,
  topic: string,
  directory: string,
  options: KafkaImportOptions = {},
): Promise<KafkaImport> {
  checkTopicName(topic)
  const source = openSource(store.system, directory, options.fromTopic ?? topic)
  const file = findTopic(store, topic)
  if (file !== undefined) return await goOn(store, file, source, options.signal)
  return await createFrom(store, topic, source, options.signal)
}

async function createFrom(
  store: Store,
  topic: string,
  source: readonly SourcePartition[],
  signal: AbortSignal | undefined,
): Promise<KafkaImport> {
  const wait = signal === undefined ? {} : { signal }
  const indexIntervalBytes = new TopicConfig({}).number('index.interval.bytes')
  const place = await openImportDirectory(store, wait)
  try {
    const partitions: ImportedPartition[] = []
    const directories: string[] = []
    let isCompacted = false
    for (const [partition, one] of source.entries()) {
      const target = `${place.path}/${partition}`
      createDirectory(store.system, target, store.ownership)
      const copied = await importPartition(one, { directory: target, ownership: store.ownership, indexIntervalBytes }, signal)
      directories.push(target)
      isCompacted ||= copied.isCompacted
      const { batchCount, sizeBytes } = copied
      partitions.push({ partition, fromOffset: one.startOffset, logEndOffset: one.endOffset, batchCount, sizeBytes })
      store.system.failpoint('kafka-import.after-partition')
    }
    const config = isCompacted ? { 'cleanup.policy': 'compact' } : {}
    await createTopicFrom(store, topic, directories, { ...wait, config })
    return { topic, isNew: true, isCompacted, partitions }
  } finally {
    place.close()
  }
}

async function goOn(
  store: Store,
  file: TopicFile,
  source: readonly SourcePartition[],
  signal: AbortSignal | undefined,
): Promise<KafkaImport> {
  const { topic } = file
  if (file.partitions !== source.length) {
    throw new LogqError('LOGQ_CONFLICT', `topic '${topic}' has ${file.partitions} partitions, and ${source.length} in Kafka`, {
      hint: `see 'logq topic add-partitions', or choose another name with --from-topic`,
    })
  }
  const starts: number[] = []
  for (const [partition, one] of source.entries()) starts.push(await compareWithSource(store, topic, partition, one, signal))
  const partitions: ImportedPartition[] = []
  for (const [partition, one] of source.entries())
    partitions.push(await appendRest(store, topic, partition, one, starts[partition] ?? 0, signal))
  return { topic, isNew: false, isCompacted: false, partitions }
}
