/** `--topic T[:P,…]`: which partitions of which topics a change of offsets is about. */
import { selectPartitions as partitionsHere } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { getTopic } from '../../lib/store/topics.js'
import { usageError } from '../errors.js'
import { parsePartitionList, selectPartitions, type PartitionList } from '../values/partition-list.js'

export interface PartitionChoice {
  readonly topic: string
  /** Undefined for all. */
  readonly partitions: PartitionList | undefined
}

/** Throws a usage error. */
export function parsePartitionChoice(text: string): PartitionChoice {
  const colon = text.indexOf(':')
  if (colon === -1) return { topic: text, partitions: undefined }
  const [topic, list] = [text.slice(0, colon), text.slice(colon + 1)]
  if (topic === '' || list === '') throw usageError(`'${text}' names no partitions`, 'write TOPIC, or TOPIC:0,2-5')
  return { topic, partitions: parsePartitionList(list) }
}

/** Throws LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION. */
export function chosenPartitions(store: Store, { topic, partitions }: PartitionChoice): number[] {
  const file = getTopic(store, topic)
  return partitionsHere(
    store,
    file,
    partitions === undefined ? undefined : selectPartitions(partitions, topic, file.partitions),
  )
}
