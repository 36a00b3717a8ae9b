/**
 * One partition of a topic, as producers and readers get it: the contexts that the log layer works in, and the four offsets that matter
 * as one value.
 */
import { LogqError } from '../errors.js'
import type { LogContext } from '../log/log-context.js'
import { listSegments, logEndOffset, logStartOffset, type ViewContext } from '../log/log-view.js'
import { ownershipOf } from '../system/durable.js'
import { kafkaLogStartOffset } from './kafka-directory.js'
import type { Store } from './store.js'
import type { TopicConfig } from './topic-config.js'
import type { TopicFile } from './topic-file.js'
import { partitionDirectory } from './topics.js'

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

/** For reading. */
export function viewContext(store: Store, topic: string, partition: number): ViewContext {
  const context = { system: store.system, directory: partitionDirectory(store, topic, partition), topic, partition }
  const knownLogStartOffset = store.kind === 'kafka' ? kafkaLogStartOffset(store, topic, partition) : undefined
  return knownLogStartOffset === undefined ? context : { ...context, knownLogStartOffset }
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
  for (const partition of wanted) {
    if (!here.includes(partition)) {
      throw new LogqError('LOGQ_UNKNOWN_PARTITION', `topic '${file.topic}' has no partition ${partition}`, {
        hint: `it has ${file.partitions}: see 'logq topic show ${file.topic}'`,
      })
    }
  }
  return [...wanted].sort((a, b) => a - b)
}
