/** The store and the topic that `produce` appends to: opened, or made now, and checked against what the options say of them. */
import { LogqError, isLogqError } from '../../lib/errors.js'
import { openOrCreateStore, openStore, requireWritable, type Store } from '../../lib/store/store.js'
import type { TopicFile } from '../../lib/store/topic-file.js'
import { createTopic, findTopic, getTopic } from '../../lib/store/topics.js'
import { usageError } from '../errors.js'
import type { Io } from '../io.js'
import { lockWait } from '../lock-wait.js'
import { parseMode } from '../values/mode.js'
import { storePath } from '../store-path.js'
import type { ProduceArguments } from './options.js'

/** What would refuse the topic after it was created is said before anything is. */
export function checkNewTopic(args: ProduceArguments, io: Io): void {
  const { topic } = args.operands
  const { noCreate, partitions = 1, partition, format } = args.options
  if (noCreate || topicExists(storePath(args.options.store, io), topic, io)) return
  if (partition !== undefined && partition >= partitions) {
    throw new LogqError('LOGQ_UNKNOWN_PARTITION', `the new topic '${topic}' would have no partition ${partition}`, {
      hint: `give it more than ${partitions} with --partitions`,
    })
  }
  if (format.kind === 'batch' && partition === undefined && partitions > 1) throw batchNeedsPartition(topic, partitions)
}

/** Also true when that cannot be told, or no topic can be created: opening it for writing says why. */
function topicExists(path: string, topic: string, io: Io): boolean {
  try {
    const store = openStore(io.system, path)
    return store.kind === 'kafka' || findTopic(store, topic) !== undefined
  } catch (error) {
    return !isLogqError(error, 'LOGQ_UNKNOWN_STORE')
  }
}

export async function openForWriting(args: ProduceArguments, io: Io): Promise<Store> {
  const path = storePath(args.options.store, io)
  const { allowNetworkFileSystem, mode, noCreate } = args.options
  if (noCreate) return requireWritable(openStore(io.system, path), { allowNetworkFileSystem })
  return openOrCreateStore(io.system, path, {
    ...lockWait(io),
    allowNetworkFileSystem,
    ...(mode === undefined ? {} : { mode: parseMode(mode) }),
  })
}

export async function topicFor(store: Store, topic: string, args: ProduceArguments, io: Io): Promise<TopicFile> {
  const { noCreate, partitions, partitioner } = args.options
  const existing = findTopic(store, topic)
  if (existing !== undefined) return existing
  if (noCreate) return getTopic(store, topic)
  try {
    return await createTopic(store, topic, {
      ...lockWait(io),
      ...(partitions === undefined ? {} : { partitions }),
      ...(partitioner === undefined ? {} : { partitioner }),
    })
  } catch (error) {
    // Another producer was quicker: its topic is the one to append to.
    const now = isLogqError(error, 'LOGQ_TOPIC_EXISTS') ? findTopic(store, topic) : undefined
    if (now === undefined) throw error
    return now
  }
}

export function checkTopic(file: TopicFile, args: ProduceArguments): void {
  const { partitions, partitioner, format, partition } = args.options
  if (partitions !== undefined && partitions !== file.partitions) {
    throw usageError(
      `topic '${file.topic}' has ${file.partitions} partitions, not ${partitions}`,
      'see logq topic add-partitions',
    )
  }
  if (partitioner !== undefined && partitioner !== file.partitioner) {
    throw usageError(`topic '${file.topic}' has the partitioner '${file.partitioner}', not '${partitioner}'`)
  }
  if (format.kind === 'batch' && partition === undefined && file.partitions > 1) {
    throw batchNeedsPartition(file.topic, file.partitions)
  }
}

function batchNeedsPartition(topic: string, partitions: number): LogqError {
  return usageError(`--format batch needs a partition: topic '${topic}' has ${partitions}`, 'name it with -p')
}
