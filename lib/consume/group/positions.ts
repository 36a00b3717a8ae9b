/** How far a consumer has dealt with each partition that it reads, and how much of that is committed. */
import { isLogqError } from '../../errors.js'
import { ensureSynced } from '../../log/ensure-synced.js'
import type { TopicCommit } from '../../store/group/committed-offsets.js'
import { viewContext } from '../../store/partition.js'
import type { Store } from '../../store/store.js'
import type { TopicPartition } from '../assignors.js'
import type { FollowNotice } from '../follow-topic.js'

export interface Position {
  readonly topicId: string
  /** Offset behind the last record that was dealt with. */
  offset: number
  /** Offset behind what was given to be dealt with, as far as that is above `offset`: it is not given again while this goes on. */
  givenOffset?: number
  leaderEpoch: number
  committedOffset: number
  /** Everything below is known to be on the device. */
  syncedOffset: number
}

/** A position as it was when it was taken to be committed: what is noted meanwhile is for the next commit. */
export interface DuePosition extends TopicPartition {
  readonly position: Position
  readonly offset: number
  readonly leaderEpoch: number
}

export class Positions {
  readonly #topics = new Map<string, Map<number, Position>>()

  get partitions(): TopicPartition[] {
    return [...this.#topics].flatMap(([topic, ofTopic]) => [...ofTopic.keys()].map((partition) => ({ topic, partition })))
  }

  get(topic: string, partition: number): Position | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  /** By partition; undefined when nothing of the topic is read. Goes with what is changed later. */
  ofTopic(topic: string): ReadonlyMap<number, Position> | undefined {
    return this.#topics.get(topic)
  }

  add({ topic, partition }: TopicPartition, position: Position): void {
    const ofTopic = this.#topics.get(topic)
    if (ofTopic === undefined) this.#topics.set(topic, new Map([[partition, position]]))
    else ofTopic.set(partition, position)
  }

  remove(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const ofTopic = this.#topics.get(topic)
      ofTopic?.delete(partition)
      if (ofTopic?.size === 0) this.#topics.delete(topic)
    }
  }

  /** Everything below `offset` is dealt with. Of a partition that is gone, nothing is noted. */
  delivered(topic: string, partition: number, offset: number, leaderEpoch: number): void {
    const position = this.get(topic, partition)
    if (position === undefined || offset <= position.offset) return
    position.offset = offset
    if (leaderEpoch >= 0) position.leaderEpoch = leaderEpoch
  }

  /** Records up to `offset` were given to be dealt with. */
  given(topic: string, partition: number, offset: number): void {
    const position = this.get(topic, partition)
    if (position !== undefined) position.givenOffset = offset
  }

  /** Whoever was given records and did not deal with them is given them again. */
  forgetGiven(): void {
    for (const ofTopic of this.#topics.values()) for (const position of ofTopic.values()) delete position.givenOffset
  }

  /** What was dealt with and is not committed. */
  due(): DuePosition[] {
    return [...this.#topics].flatMap(([topic, ofTopic]) =>
      [...ofTopic]
        .filter(([, { offset, committedOffset }]) => offset > committedOffset)
        .map(([partition, position]) => {
          const { offset, leaderEpoch } = position
          return { topic, partition, position, offset, leaderEpoch }
        }),
    )
  }

  /** For those who read by themselves, and get no notices: partitions of topics that were made anew are read from their start. */
  beginAnew(topicIdOf: (topic: string) => string | undefined, isFree: (one: TopicPartition) => boolean): void {
    for (const [topic, ofTopic] of this.#topics) {
      const topicId = topicIdOf(topic)
      if (topicId === undefined) continue
      for (const [partition, position] of ofTopic)
        if (position.topicId !== topicId && isFree({ topic, partition })) ofTopic.set(partition, startOf(topicId))
    }
  }

  /** The log is another one, or shorter, than what was dealt with: positions go where the reader goes on, and are committed so. */
  heed(topic: string, notice: FollowNotice, topicId: string): void {
    const ofTopic = this.#topics.get(topic)
    if (ofTopic === undefined) return
    if (notice.kind === 'recreated') {
      for (const partition of ofTopic.keys()) ofTopic.set(partition, startOf(topicId))
    } else if (notice.kind === 'shortened') {
      const position = ofTopic.get(notice.partition)
      if (position !== undefined)
        Object.assign(position, { offset: notice.logEndOffset, givenOffset: 0, leaderEpoch: -1, committedOffset: -1 })
    }
  }
}

/** A topic that was made anew is read from its start. */
function startOf(topicId: string): Position {
  return { topicId, offset: 0, leaderEpoch: -1, committedOffset: -1, syncedOffset: 0 }
}

/** What is committed must not be lost with a power cut: the records below it are synced first. */
export async function makeDurable(store: Store, due: readonly DuePosition[]): Promise<void> {
  for (const { topic, partition, position, offset } of due) {
    if (position.syncedOffset >= offset) continue
    try {
      position.syncedOffset = await ensureSynced(viewContext(store, topic, partition), offset)
    } catch (error) {
      // Of a topic that was removed there is nothing to be synced.
      if (!isLogqError(error, 'LOGQ_TOPIC_REMOVED')) throw error
    }
  }
}

/** As one commit, topic by topic; of one that was made anew meanwhile, the old and the new one. */
export function commitOf(due: readonly DuePosition[]): TopicCommit[] {
  const topics = new Map<
    string,
    { topic: string; topicId: string; offsets: Map<number, { offset: number; leaderEpoch: number }> }
  >()
  for (const { topic, partition, position, offset, leaderEpoch } of due) {
    const { topicId } = position
    let one = topics.get(topicId)
    if (one === undefined) topics.set(topicId, (one = { topic, topicId, offsets: new Map() }))
    one.offsets.set(partition, { offset, leaderEpoch })
  }
  return [...topics.values()]
}
