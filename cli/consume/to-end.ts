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
  private constructor(
    private readonly store: Store,
    private left: readonly PinnedEnd[],
  ) {}

  static async pin(store: Store, given: readonly string[]): Promise<ToEnd> {
    const ends: PinnedEnd[] = []
    for (const topic of await expandTopics(store, given, () => undefined)) {
      const file = getTopic(store, topic)
      for (const partition of selectPartitions(store, file)) {
        const { logStartOffset, logEndOffset } = partitionOffsets(await readingContext(store, topic, partition))
        if (logEndOffset > logStartOffset) ends.push({ topic, topicId: file.topicId, partition, endOffset: logEndOffset })
      }
    }
    return new ToEnd(store, ends)
  }

  /** Of this partition, nothing is left to be read below its pinned end. */
  readonly endOf = (topic: string, partition: number): number =>
    this.left.find((end) => end.topic === topic && end.partition === partition)?.endOffset ?? 0

  /** Call it after a commit. */
  async isReached(consumer: GroupConsumer): Promise<boolean> {
    // What was removed meanwhile has no end any more.
    const present = this.left.filter(({ topic, topicId }) => findTopic(this.store, topic)?.topicId === topicId)
    const committed = await consumer.committed(present)
    const left: PinnedEnd[] = []
    for (const [n, end] of present.entries()) {
      const { logStartOffset } = partitionOffsets(await readingContext(this.store, end.topic, end.partition))
      if (Math.max(committed[n] ?? 0, logStartOffset) < end.endOffset) left.push(end)
    }
    this.left = left
    return this.left.length === 0
  }
}
