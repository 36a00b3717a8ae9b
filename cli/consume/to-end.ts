/** --to-end: the end offsets as they were at the start, and whether the group has committed up to there, whoever of its members did. */
import type { GroupConsumer } from '../../lib/consume/group/group-consumer.js'
import { readingContext } from '../../lib/store/archive/reading-context.js'
import { selectPartitions, partitionOffsets } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { expandTopics } from '../../lib/store/topic-pattern.js'
import { findTopic, getTopic } from '../../lib/store/topics.js'

interface PinnedEnd {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly endOffset: number
}

export class ToEnd {
  /** Those that were not seen to be reached, by topic and partition, in the order in which they are looked at. */
  readonly #left: Map<string, PinnedEnd>

  private constructor(
    private readonly store: Store,
    ends: readonly PinnedEnd[],
  ) {
    this.#left = new Map(ends.map((end) => [keyOf(end.topic, end.partition), end]))
  }

  static async pin(store: Store, given: readonly string[]): Promise<ToEnd> {
    const ends: PinnedEnd[] = []
    for (const topic of await expandTopics(store, given, () => undefined)) {
      const file = getTopic(store, topic)
      for (const partition of selectPartitions(store, file)) {
        const { logStartOffset, logEndOffset } = partitionOffsets(await readingContext(store, topic, partition, { file }))
        if (logEndOffset > logStartOffset) ends.push({ topic, topicId: file.topicId, partition, endOffset: logEndOffset })
      }
    }
    return new ToEnd(store, ends)
  }

  /** Of this partition, nothing is left to be read below its pinned end. */
  readonly endOf = (topic: string, partition: number): number => this.#left.get(keyOf(topic, partition))?.endOffset ?? 0

  /** Call it after a commit. Asks a log only where the commits do not say it: with many partitions, a look at each takes long. */
  async isReached(consumer: GroupConsumer): Promise<boolean> {
    const ends = [...this.#left]
    const topicIds = new Map(ends.map(([, { topic }]) => [topic, findTopic(this.store, topic)?.topicId]))
    const committed = await consumer.committed(ends.map(([, end]) => end))
    for (const [n, [key, { topic, topicId, endOffset }]] of ends.entries()) {
      // What was removed meanwhile has no end any more.
      if (topicIds.get(topic) !== topicId || (committed[n] ?? 0) >= endOffset) this.#left.delete(key)
    }
    for (const [key, { topic, partition, endOffset }] of this.#left) {
      const { logStartOffset } = partitionOffsets(await readingContext(this.store, topic, partition))
      if (logStartOffset < endOffset) return false
      this.#left.delete(key)
    }
    return true
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}:${partition}`
}
