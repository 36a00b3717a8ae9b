/**
 * Which member of a consumer group reads which partition: Kafka's assignors by their names, as pure functions. Everybody who computes an
 * assignment from the same subscriptions gets the same one, in whatever order they are given.
 */
import { LogqError } from '../errors.js'
import { assignSticky } from './sticky-assignor.js'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface GroupSubscription {
  /** Unique in the group. Members come in the order of their names. */
  readonly member: string
  readonly topics: readonly string[]
  /** What it reads already. Only cooperative-sticky looks at it; what is not there or not subscribed any more is left out. */
  readonly owned: readonly TopicPartition[]
}

/**
 * - `range`: of each topic the partitions in a row, shared out among its subscribers, the first ones getting one more. Partitions of the
 *   same number in several topics go together.
 * - `roundrobin`: all partitions of all topics in turn.
 * - `cooperative-sticky`: as even as the subscriptions allow, and what moves is what that takes. Among members that read the same it is
 *   never more; among others the way to an even assignment need not be the shortest that there is.
 */
export type AssignorName = 'range' | 'roundrobin' | 'cooperative-sticky'

/**
 * Shares out every partition whose topic somebody subscribes to. Topics that are not in `partitionCounts` are left out. Every member is
 * in the result, perhaps with nothing; its partitions are in the order of topic and number. Throws LOGQ_NEWER_FORMAT for a name that a
 * group was left with and that is none.
 */
export function assign(
  assignor: AssignorName,
  partitionCounts: ReadonlyMap<string, number>,
  members: readonly GroupSubscription[],
): Map<string, TopicPartition[]> {
  if (!Object.hasOwn(assignors, assignor)) {
    throw new LogqError('LOGQ_NEWER_FORMAT', `a group assigns partitions by '${assignor}', which this logq does not know`, {
      hint: 'use a newer logq',
    })
  }
  const sorted = members.toSorted((a, b) => compare(a.member, b.member))
  const topics = subscribedTopics(partitionCounts, sorted)
  const ownersOf = assignors[assignor](topics, sorted)
  const shares = sorted.map((): TopicPartition[] => [])
  topics.forEach(({ name: topic }, index) => {
    ownersOf[index]?.forEach((owner, partition) => shares[owner]?.push({ topic, partition }))
  })
  return new Map(sorted.map(({ member }, index) => [member, shares[index] ?? []]))
}

/** A topic that somebody subscribes to. */
interface Topic {
  readonly name: string
  readonly partitionCount: number
  /** Indexes of its members, ascending. */
  readonly subscribers: readonly number[]
}

/** Gives the owner of each partition of each topic, as an index of `members`. */
type Assignor = (topics: readonly Topic[], members: readonly GroupSubscription[]) => number[][]

const assignors: Readonly<Record<AssignorName, Assignor>> = {
  range: (topics) => topics.map(rangeOwners),
  roundrobin: roundRobinOwners,
  'cooperative-sticky': stickyOwners,
}

function rangeOwners({ partitionCount, subscribers }: Topic): number[] {
  const share = Math.floor(partitionCount / subscribers.length)
  const withOneMore = partitionCount % subscribers.length
  const owners: number[] = []
  subscribers.forEach((member, index) => {
    for (let end = owners.length + share + (index < withOneMore ? 1 : 0); owners.length < end;) owners.push(member)
  })
  return owners
}

function roundRobinOwners(topics: readonly Topic[], members: readonly GroupSubscription[]): number[][] {
  let turn = 0
  return topics.map(({ partitionCount, subscribers }) => {
    const isSubscriber = new Set(subscribers)
    return Array.from({ length: partitionCount }, () => {
      while (!isSubscriber.has(turn)) turn = (turn + 1) % members.length
      const owner = turn
      turn = (turn + 1) % members.length
      return owner
    })
  })
}

function stickyOwners(topics: readonly Topic[], members: readonly GroupSubscription[]): number[][] {
  const withClaims = topics.map((topic) => ({ ...topic, claimants: [] as number[] }))
  const byName = new Map(withClaims.map((topic) => [topic.name, topic]))
  members.forEach(({ owned }, member) => {
    for (const { topic: name, partition } of owned) {
      const topic = byName.get(name)
      // Claimed twice, it is the first one's.
      if (topic?.subscribers.includes(member) === true) topic.claimants[partition] ??= member
    }
  })
  return assignSticky(members.length, withClaims)
}

function subscribedTopics(counts: ReadonlyMap<string, number>, members: readonly GroupSubscription[]): Topic[] {
  const subscribers = new Map<string, number[]>()
  members.forEach(({ topics }, member) => {
    for (const topic of topics) {
      const known = subscribers.get(topic)
      if (known === undefined) subscribers.set(topic, [member])
      else if (known.at(-1) !== member) known.push(member)
    }
  })
  return [...subscribers]
    .map(([name, indexes]) => ({ name, partitionCount: counts.get(name) ?? 0, subscribers: indexes }))
    .sort((a, b) => compare(a.name, b.name))
}

/** By code units, on every machine alike. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
