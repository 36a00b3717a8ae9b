/** Partitions as -p has them when reading: `0`, `0,2-5`. */
import { LogqError } from '../../lib/errors.js'
import { usageError } from '../errors.js'

/** Kafka's partition numbers are int32. */
const MAX_PARTITION = 2 ** 31 - 1

export interface PartitionRange {
  readonly first: number
  /** Included. */
  readonly last: number
}

/** Ascending, without overlaps. */
export type PartitionList = readonly PartitionRange[]

export function parsePartitionList(text: string): PartitionList {
  const ranges = text.split(',').map((part) => parseRange(part, text))
  ranges.sort((a, b) => a.first - b.first)
  const merged: PartitionRange[] = []
  for (const range of ranges) {
    const before = merged[merged.length - 1]
    if (before !== undefined && range.first <= before.last + 1) {
      merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, range.last) }
    } else {
      merged.push(range)
    }
  }
  return merged
}

/** The partitions of a topic that the list names, ascending. One that the topic does not have is LOGQ_UNKNOWN_PARTITION. */
export function selectPartitions(list: PartitionList, topic: string, partitionCount: number): number[] {
  const last = list.at(-1)?.last ?? 0
  if (last >= partitionCount) {
    const has = partitionCount === 1 ? 'it has only partition 0' : `it has partitions 0 to ${partitionCount - 1}`
    throw new LogqError('LOGQ_UNKNOWN_PARTITION', `topic '${topic}' has no partition ${last}`, { hint: has })
  }
  return list.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
}

/** Whether the list names a partition; without a list, every one is meant. */
export function isListed(list: PartitionList | undefined, partition: number): boolean {
  return list?.some(({ first, last }) => first <= partition && partition <= last) ?? true
}

function parseRange(part: string, text: string): PartitionRange {
  const [, firstText, lastText] = /^(0|[1-9]\d*)(?:-(0|[1-9]\d*))?$/.exec(part) ?? []
  if (firstText === undefined) throw usageError(`invalid partitions '${text}'`, 'partitions are written as 0 or 0,2-5')
  const first = Number(firstText)
  const last = lastText === undefined ? first : Number(lastText)
  if (first > last) throw usageError(`invalid partitions '${text}'`, `${part} is backwards: write ${last}-${first}`)
  if (last > MAX_PARTITION) throw usageError(`invalid partitions '${text}'`, `the largest partition number is ${MAX_PARTITION}`)
  return { first, last }
}
