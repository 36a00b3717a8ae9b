/**
 * The assignor cooperative-sticky, on numbers: members and topics by index.
 *
 * 1. Everybody keeps what they have.
 * 2. What nobody has goes to the least loaded of those who may read it, topics with few subscribers first.
 * 3. While the most loaded member can hand one partition on, directly or by way of others, to someone who has at least two fewer, it does,
 *    the shortest way. When it cannot, neither can anyone that it could hand something to, and those are done.
 *
 * At the end no such way is left, so the loads are as even as the subscriptions allow, and members who may read the same differ by one at
 * most. Only step 3 takes something away, and each time it makes the loads more even: an even assignment is left as it is.
 */

export interface StickyTopic {
  readonly partitionCount: number
  /** Indexes of members, ascending; not empty. */
  readonly subscribers: readonly number[]
  /** By partition, the subscriber that has it now; sparse. */
  readonly claimants: readonly (number | undefined)[]
}

/** The owner of each partition of each topic. */
export function assignSticky(memberCount: number, topics: readonly StickyTopic[]): number[][] {
  const members = Array.from({ length: memberCount }, (): Member => ({ load: 0, isDone: false, held: new Map() }))
  const byTopic = partitionsOf(topics)
  for (const partition of byNumber(byTopic)) {
    if (partition.claimant !== undefined) give(members[partition.claimant], partition, partition.claimant)
  }
  // The sort is stable: topics with as many subscribers stay in their order.
  const hardestFirst = byTopic.toSorted(([a], [b]) => subscriberCount(a) - subscriberCount(b))
  for (const partitions of hardestFirst) {
    for (const partition of partitions) {
      if (partition.claimant !== undefined) continue
      const owner = leastLoaded(members, partition.kind.subscribers)
      give(members[owner], partition, owner)
    }
  }
  for (let from = mostLoaded(members); from !== undefined; from = mostLoaded(members)) {
    handOn(members, from)
  }
  const owners = topics.map(({ partitionCount }) => new Array<number>(partitionCount))
  members.forEach(({ held }, member) => {
    for (const { kept, added } of held.values()) {
      for (const { topic, number } of kept) (owners[topic] ?? [])[number] = member
      for (const { topic, number } of added) (owners[topic] ?? [])[number] = member
    }
  })
  return owners
}

/** What the same members may read: for handing on, partitions of one kind are alike. */
interface Kind {
  readonly subscribers: readonly number[]
}

interface Partition {
  readonly topic: number
  readonly number: number
  readonly kind: Kind
  /** Who had it before. */
  readonly claimant: number | undefined
}

interface Member {
  load: number
  /** Nothing that it has can go to anyone with fewer. */
  isDone: boolean
  readonly held: Map<Kind, { readonly kept: Partition[]; readonly added: Partition[] }>
}

function partitionsOf(topics: readonly StickyTopic[]): Partition[][] {
  const kinds = new Map<string, Kind>()
  return topics.map(({ partitionCount, subscribers, claimants }, topic) => {
    const key = subscribers.join()
    const kind = kinds.get(key) ?? { subscribers }
    kinds.set(key, kind)
    const partitions: Partition[] = []
    for (let number = 0; number < partitionCount; number += 1)
      partitions.push({ topic, number, kind, claimant: claimants[number] })
    return partitions
  })
}

/** Number 0 of every topic, then number 1 … What comes last is given up first, so that each keeps some of every topic. */
function byNumber(byTopic: readonly (readonly Partition[])[]): Partition[] {
  const rows: Partition[][] = []
  for (const partitions of byTopic) {
    for (const partition of partitions) (rows[partition.number] ??= []).push(partition)
  }
  return rows.flat()
}

function subscriberCount(partition: Partition | undefined): number {
  return partition?.kind.subscribers.length ?? 0
}

function give(member: Member | undefined, partition: Partition, index: number): void {
  if (member === undefined) return
  let held = member.held.get(partition.kind)
  if (held === undefined) {
    held = { kept: [], added: [] }
    member.held.set(partition.kind, held)
  }
  if (partition.claimant === index) held.kept.push(partition)
  else held.added.push(partition)
  member.load += 1
}

/** What the member did not have before goes first. */
function take(member: Member | undefined, kind: Kind): Partition | undefined {
  const held = member?.held.get(kind)
  if (member === undefined || held === undefined) return undefined
  const taken = held.added.pop() ?? held.kept.pop()
  if (held.added.length + held.kept.length === 0) member.held.delete(kind)
  member.load -= 1
  return taken
}

function leastLoaded(members: readonly Member[], among: readonly number[]): number {
  let least = 0
  let leastLoad = Infinity
  for (const index of among) {
    const load = loadOf(members, index)
    if (load >= leastLoad) continue
    least = index
    leastLoad = load
  }
  return least
}

function mostLoaded(members: readonly Member[]): number | undefined {
  let most: number | undefined
  members.forEach(({ isDone, load }, index) => {
    if (!isDone && (most === undefined || load > loadOf(members, most))) most = index
  })
  return most
}

function loadOf(members: readonly Member[], index: number): number {
  return members[index]?.load ?? 0
}

/** Moves one partition from `start` towards the least loaded of the nearest that have at least two fewer; or marks who is done. */
function handOn(members: readonly Member[], start: number): void {
  const wanted = loadOf(members, start) - 2
  if (handOver(members, start, wanted)) return
  /** Who hands something of which kind to whom. */
  const ways = new Map<number, { readonly from: number; readonly kind: Kind } | undefined>([[start, undefined]])
  const seenKinds = new Set<Kind>()
  for (let nearest = [start]; nearest.length > 0;) {
    const further: number[] = []
    for (const from of nearest) {
      for (const kind of members[from]?.held.keys() ?? []) {
        if (seenKinds.has(kind)) continue
        seenKinds.add(kind)
        for (const to of kind.subscribers) {
          if (ways.has(to) || members[to]?.isDone === true) continue
          ways.set(to, { from, kind })
          further.push(to)
        }
      }
    }
    const end = leastLoaded(members, further)
    if (further.length > 0 && loadOf(members, end) <= wanted) {
      let to = end
      for (let way = ways.get(to); way !== undefined; way = ways.get(to)) {
        move(members, way.from, to, way.kind)
        to = way.from
      }
      return
    }
    nearest = further
  }
  for (const index of ways.keys()) {
    const member = members[index]
    if (member !== undefined) member.isDone = true
  }
}

/** The direct way, which is nearly always there: to the least loaded who may read something that `from` has. */
function handOver(members: readonly Member[], from: number, wanted: number): boolean {
  let best: { readonly to: number; readonly kind: Kind; readonly load: number } | undefined
  for (const kind of members[from]?.held.keys() ?? []) {
    const to = leastLoaded(members, kind.subscribers)
    const load = loadOf(members, to)
    if (load <= wanted && (best === undefined || load < best.load || (load === best.load && to < best.to)))
      best = { to, kind, load }
  }
  if (best === undefined) return false
  move(members, from, best.to, best.kind)
  return true
}

function move(members: readonly Member[], from: number, to: number, kind: Kind): void {
  const partition = take(members[from], kind)
  if (partition !== undefined) give(members[to], partition, to)
}
