/** Partitions for people: `orders:0-3,7 payments:1`, as `--topic` takes them. */
import type { TopicPartition } from '../../lib/consume/assignors.js'

export function partitionText(partitions: readonly TopicPartition[]): string {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const ofTopic = topics.get(topic)
    if (ofTopic === undefined) topics.set(topic, [partition])
    else ofTopic.push(partition)
  }
  return [...topics].map(([topic, numbers]) => `${topic}:${ranges(numbers)}`).join(' ')
}

function ranges(numbers: readonly number[]): string {
  const found: { readonly first: number; last: number }[] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const range = found.at(-1)
    if (range?.last === number - 1) range.last = number
    else found.push({ first: number, last: number })
  }
  return found.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(',')
}
