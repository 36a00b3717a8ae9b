/** What a topic is, with the offsets and sizes of its partitions now. */
import { LOG_SUFFIX, segmentFileName } from '../log/file-names.js'
import { listSegments, logEndOffset, logStartOffset } from '../log/log-view.js'
import { selectPartitions, viewContext } from './partition.js'
import type { Store } from './store.js'
import { TOPIC_SETTINGS, TopicConfig, isSettingName } from './topic-config.js'
import { getTopic } from './topics.js'

export interface PartitionDescription {
  readonly partition: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly segments: number
  /** Bytes of the .log files. */
  readonly sizeBytes: number
}

export interface TopicDescription {
  readonly topic: string
  readonly topicId: string
  readonly partitioner: string
  readonly created: string
  readonly config: Readonly<Record<string, { readonly value: number | string; readonly isDefault: boolean }>>
  readonly partitions: readonly PartitionDescription[]
}

/** Throws LOGQ_UNKNOWN_TOPIC, LOGQ_CORRUPT. */
export function describeTopic(store: Store, topic: string): TopicDescription {
  const file = getTopic(store, topic)
  const { overrides } = new TopicConfig(file.config)
  const config = Object.fromEntries(
    Object.keys(TOPIC_SETTINGS)
      .filter(isSettingName)
      .map((name) => [
        name,
        { value: overrides[name] ?? TOPIC_SETTINGS[name].default, isDefault: overrides[name] === undefined },
      ]),
  )
  const partitions = selectPartitions(store, file).map((partition) => describePartition(store, topic, partition))
  return { topic, topicId: file.topicId, partitioner: file.partitioner, created: file.created, config, partitions }
}

function describePartition(store: Store, topic: string, partition: number): PartitionDescription {
  const context = viewContext(store, topic, partition)
  const segments = listSegments(context)
  const sizes = segments.map(
    (base) => store.system.fs.pathStatus(`${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`)?.sizeBytes ?? 0,
  )
  return {
    partition,
    logStartOffset: logStartOffset(context, segments),
    logEndOffset: logEndOffset(context, segments),
    segments: segments.length,
    sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
  }
}
