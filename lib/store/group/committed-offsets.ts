/**
 * The committed offsets of a group, as the lines of its `offsets` file say them (format-spec/group-offsets.md). Values and their text
 * form; the file itself is read and written in offsets-file.ts.
 */
import { isCount, isFiniteNumber, type JsonObject } from './checked-line.js'

export interface CommittedOffset {
  /** Offset of the next record to be read. */
  readonly offset: number
  /** Leader epoch of the last record before it; -1 when that is not known. */
  readonly leaderEpoch: number
  /** Text of whoever committed. */
  readonly metadata?: string
}

/** What is committed in one line. */
export interface Commit {
  readonly generation: number
  /** A member, or the command that changed offsets by hand. */
  readonly member: string
  readonly timeMs: number
  readonly topics: readonly TopicCommit[]
}

export interface TopicCommit {
  readonly topic: string
  /** Offsets of a topic of the same name that was removed say nothing of this one. */
  readonly topicId: string
  /** By partition; null takes an offset away, as if nothing had ever been committed. */
  readonly offsets: ReadonlyMap<number, CommittedOffset | null>
}

/** An offset with the line that it comes from. */
export interface StoredOffset extends CommittedOffset {
  readonly generation: number
  readonly member: string
  readonly timeMs: number
}

interface MutableTopicCommit extends TopicCommit {
  readonly offsets: Map<number, CommittedOffset | null>
}

/** All offsets of a group. */
export class CommittedOffsets {
  readonly #topics = new Map<string, { topicId: string; offsets: Map<number, StoredOffset> }>()
  /** The largest generation of any line. */
  generation = 0

  /** A topic that was created anew begins without offsets. */
  apply({ generation, member, timeMs, topics }: Commit): void {
    this.generation = Math.max(this.generation, generation)
    for (const { topic, topicId, offsets } of topics) {
      let known = this.#topics.get(topic)
      if (known?.topicId !== topicId) this.#topics.set(topic, (known = { topicId, offsets: new Map() }))
      for (const [partition, offset] of offsets) {
        if (offset === null) known.offsets.delete(partition)
        else known.offsets.set(partition, { ...offset, generation, member, timeMs })
      }
    }
  }

  /** Of the topic with this id; undefined where nothing was committed. */
  get(topic: string, topicId: string, partition: number): StoredOffset | undefined {
    const known = this.#topics.get(topic)
    return known?.topicId === topicId ? known.offsets.get(partition) : undefined
  }

  /** Topics that have offsets, sorted, with the ids that they had. */
  topics(): { readonly topic: string; readonly topicId: string; readonly partitions: readonly number[] }[] {
    const byName = [...this.#topics].sort(([a], [b]) => (a < b ? -1 : 1))
    return byName.map(([topic, { topicId, offsets }]) => ({
      topic,
      topicId,
      partitions: [...offsets.keys()].sort((a, b) => a - b),
    }))
  }

  /** The fewest commits that say the same: one for each generation, member and time. */
  commits(): Commit[] {
    const commits = new Map<string, Omit<Commit, 'topics'> & { readonly topics: MutableTopicCommit[] }>()
    for (const { topic, topicId, partitions } of this.topics()) {
      for (const partition of partitions) {
        const stored = this.get(topic, topicId, partition)
        if (stored === undefined) continue
        const { generation, member, timeMs, ...offset } = stored
        const key = `${generation} ${timeMs} ${member}`
        let commit = commits.get(key)
        if (commit === undefined) commits.set(key, (commit = { generation, member, timeMs, topics: [] }))
        let one = commit.topics.find((other) => other.topic === topic)
        if (one === undefined) commit.topics.push((one = { topic, topicId, offsets: new Map() }))
        one.offsets.set(partition, offset)
      }
    }
    return [...commits.values()].sort((a, b) => a.generation - b.generation || a.timeMs - b.timeMs)
  }
}

export function commitToJson({ generation, member, timeMs, topics }: Commit): JsonObject {
  const offsets = Object.fromEntries(
    topics.map(({ topic, topicId, offsets: ofTopic }) => [
      topic,
      { topicId, partitions: Object.fromEntries([...ofTopic].map(([partition, offset]) => [partition, offsetToJson(offset)])) },
    ]),
  )
  return { generation, member, timeMs, offsets }
}

function offsetToJson(committed: CommittedOffset | null): unknown[] | null {
  if (committed === null) return null
  const { offset, leaderEpoch, metadata } = committed
  return metadata === undefined ? [offset, leaderEpoch] : [offset, leaderEpoch, metadata]
}

/** Undefined for what is no commit, such as a line of a newer logq. */
export function commitFromJson({ generation, member, timeMs, offsets }: JsonObject): Commit | undefined {
  if (!isCount(generation) || typeof member !== 'string' || !isFiniteNumber(timeMs)) return undefined
  if (typeof offsets !== 'object' || offsets === null) return undefined
  const topics: TopicCommit[] = []
  for (const [topic, content] of Object.entries(offsets as Record<string, unknown>)) {
    if (typeof content !== 'object' || content === null) return undefined
    const { topicId, partitions } = content as Record<string, unknown>
    if (typeof topicId !== 'string' || typeof partitions !== 'object' || partitions === null) return undefined
    const ofTopic = new Map<number, CommittedOffset | null>()
    for (const [partition, value] of Object.entries(partitions as Record<string, unknown>)) {
      const offset = offsetFromJson(value)
      if (offset === undefined || !/^(0|[1-9]\d*)$/.test(partition)) return undefined
      ofTopic.set(Number(partition), offset)
    }
    topics.push({ topic, topicId, offsets: ofTopic })
  }
  return { generation, member, timeMs, topics }
}

function offsetFromJson(value: unknown): CommittedOffset | null | undefined {
  if (value === null) return null
  if (!Array.isArray(value)) return undefined
  const [offset, leaderEpoch, metadata] = value as unknown[]
  if (!isCount(offset) || typeof leaderEpoch !== 'number' || !Number.isInteger(leaderEpoch)) return undefined
  if (metadata === undefined) return { offset, leaderEpoch }
  return typeof metadata === 'string' ? { offset, leaderEpoch, metadata } : undefined
}
