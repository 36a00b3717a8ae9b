/**
 * One partition of a topic, as producers and readers get it: the contexts that the log layer works in, and the four offsets that matter
 * as one value.
 */
import { LogqError } from '../errors.js'
import type { LogContext } from '../log/log-context.js'
import { listSegments, logEndOffset, logStartOffset, type ViewContext } from '../log/log-view.js'
import { overBadPages } from '../system/bad-pages.js'
import { ownershipOf } from '../system/durable.js'
import { kafkaLogStartOffset } from './kafka-directory.js'
import type { Store } from './store.js'
import { TopicConfig } from './topic-config.js'
import type { TopicFile } from './topic-file.js'
import { findTopic, partitionDirectory } from './topics.js'

export interface PartitionOffsets {
  readonly logStartOffset: number
  readonly logEndOffset: number
}

/** For appending. `config` is asked anew for each append. */
export function appendContext(store: Store, topic: string, partition: number, config: () => TopicConfig): LogContext {
  const directory = partitionDirectory(store, topic, partition)
  const status = store.system.fs.pathStatus(directory)
  return {
    system: store.system,
    directory,
    topic,
    partition,
    ownership: status === undefined ? store.ownership : ownershipOf(status),
    config: () => {
      const present = config()
      return {
        segmentBytes: present.number('segment.bytes'),
        segmentMs: present.number('segment.ms'),
        indexIntervalBytes: present.number('index.interval.bytes'),
      }
    },
  }
}

/** How to read: what a `ViewContext` has of it. */
export interface ViewOptions extends Pick<ViewContext, 'isolation' | 'onDamage' | 'onHeldBack'> {
  /** The topic, from who has just looked it up: to read it for each partition takes long where there are many. */
  readonly file?: TopicFile | undefined
}

/** For reading. */
export function viewContext(store: Store, topic: string, partition: number, options: ViewOptions = {}): ViewContext {
  const { isolation, onDamage, onHeldBack, file } = options
  const directory = partitionDirectory(store, topic, partition)
  const system = onDamage === undefined ? store.system : overBadPages(store.system)
  const context = { system, directory, topic, partition, isolation, onDamage, onHeldBack }
  if (store.kind === 'logq') {
    let mayHaveGaps = isCompacted(file ?? findTopic(store, topic))
    return {
      ...context,
      // Asked where offsets are missing: a topic may become a compacted one while it is read.
      get isContiguous() {
        mayHaveGaps ||= isCompacted(findTopic(store, topic))
        return !mayHaveGaps
      },
    }
  }
  const knownLogStartOffset = kafkaLogStartOffset(store, topic, partition)
  const kafkas = { ...context, mayHaveOpenTransactions: true }
  return knownLogStartOffset === undefined ? kafkas : { ...kafkas, knownLogStartOffset }
}

/** Compaction leaves gaps. */
function isCompacted(file: TopicFile | undefined): boolean {
  return file !== undefined && new TopicConfig(file.config).choice('cleanup.policy').includes('compact')
}

/** Start and end of a partition now. */
export function partitionOffsets(context: ViewContext): PartitionOffsets {
  const segments = listSegments(context)
  return { logStartOffset: logStartOffset(context, segments), logEndOffset: logEndOffset(context, segments) }
}

/** The partitions to work on: all that are here, or those asked for. Throws LOGQ_UNKNOWN_PARTITION. */
export function selectPartitions(store: Store, file: TopicFile, wanted?: readonly number[]): number[] {
  const here = Array.from({ length: file.partitions }, (_, partition) => partition).filter(
    (partition) =>
      store.kind === 'logq' || store.system.fs.pathStatus(partitionDirectory(store, file.topic, partition)) !== undefined,
  )
  if (wanted === undefined) return here
  const isHere = new Set(here)
  for (const partition of wanted) {
    if (!isHere.has(partition)) {
      if (Number.isInteger(partition) && partition >= 0 && partition < file.partitions)
        throw notHere(store, file.topic, partition)
      throw new LogqError('LOGQ_UNKNOWN_PARTITION', `topic '${file.topic}' has no partition ${partition}`, {
        hint: `it has ${file.partitions}: see 'logq topic show ${file.topic}'`,
      })
    }
  }
  return [...wanted].sort((a, b) => a - b)
}

/** The partitions of a topic that Kafka wrote may be spread over several directories and brokers. */
function notHere(store: Store, topic: string, partition: number): LogqError {
  return new LogqError('LOGQ_UNKNOWN_PARTITION', `partition ${partition} of topic '${topic}' is not in '${store.path}'`, {
    hint: `another log directory or broker may have it: see 'logq topic show ${topic}' for those that are here`,
  })
}
