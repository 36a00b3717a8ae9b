/**
 * How a group changes from one generation to the next: pure functions over its state (format-spec/group.md, "protocol"). A partition
 * that is to move stays with its owner until that member hands it back, or is gone: so no two members ever read it at once, and all
 * other partitions are read on meanwhile.
 */
import type { GroupMemberState, GroupState, Owners } from '../../store/group/group-state.js'
import { assign, type AssignorName, type TopicPartition } from '../assignors.js'

/** Partitions of the topics that members of the group want, by name of the topic. */
export type PartitionCounts = ReadonlyMap<string, number>

/** Adds a member, or says what it wants by now. `replan` follows. */
export function withMember(state: GroupState, member: string, wants: Omit<GroupMemberState, 'generation'>): GroupState {
  const generation = state.members[member]?.generation ?? state.generation
  return { ...state, members: { ...state.members, [member]: { generation, ...wants } } }
}

/** Takes members away. What they owned is nobody's. `replan` follows. */
export function withoutMembers(state: GroupState, gone: readonly string[]): GroupState {
  const isGone = new Set(gone)
  const members = Object.fromEntries(Object.entries(state.members).filter(([member]) => !isGone.has(member)))
  const without = (owners: Owners): Owners =>
    Object.fromEntries(
      Object.entries(owners).map(([topic, list]) => [
        topic,
        list.map((owner) => (owner !== null && isGone.has(owner) ? null : owner)),
      ]),
    )
  return { ...state, members, assignment: without(state.assignment), owners: without(state.owners) }
}

/** Takes members away, but static ones stay for a while as ones that are away, and keep what they had. `replan` follows. */
export function withoutPresent(state: GroupState, gone: readonly string[]): GroupState {
  const leaving = gone.filter((member) => isStatic(state.members[member]) && state.members[member]?.isAway !== true)
  const stays = new Set(leaving)
  const next = withoutMembers(
    state,
    gone.filter((member) => !stays.has(member)),
  )
  const members = { ...next.members }
  for (const member of leaving) {
    const present = members[member]
    if (present !== undefined) members[member] = { ...present, isAway: true }
  }
  return { ...next, members }
}

/** A static member comes back under another id, and has what it had. */
export function withSuccessor(
  state: GroupState,
  previous: string,
  member: string,
  wants: Omit<GroupMemberState, 'generation'>,
): GroupState {
  const renamed = (owners: Owners): Owners =>
    Object.fromEntries(
      Object.entries(owners).map(([topic, list]) => [topic, list.map((owner) => (owner === previous ? member : owner))]),
    )
  const { [previous]: _gone, ...others } = state.members
  return {
    ...state,
    members: { ...others, [member]: { generation: state.generation, ...wants } },
    assignment: renamed(state.assignment),
    owners: renamed(state.owners),
  }
}

/** The next generation: who is to have which partition. What nobody owns goes to its new member at once. */
export function replan(state: GroupState, counts: PartitionCounts): GroupState {
  const owned = ownedBy(state.owners)
  const subscriptions = Object.entries(state.members).map(([member, { topics }]) => ({
    member,
    topics,
    owned: owned.get(member) ?? [],
  }))
  const planned = assign(state.assignor as AssignorName, counts, subscriptions)
  const assignment: Record<string, (string | null)[]> = {}
  for (const [topic, count] of counts) assignment[topic] = Array.from({ length: count }, () => null)
  for (const [member, partitions] of planned) {
    for (const { topic, partition } of partitions) {
      const list = assignment[topic]
      if (list !== undefined) list[partition] = member
    }
  }
  const owners = Object.fromEntries(
    Object.entries(assignment).map(([topic, list]) => [
      topic,
      list.map((member, partition) => state.owners[topic]?.[partition] ?? member),
    ]),
  )
  return { ...state, generation: state.generation + 1, assignment, owners }
}

/** A member has taken note of the generation, and keeps only `kept`: the rest of what it owned goes to whom it is assigned. */
export function acknowledge(
  state: GroupState,
  member: string,
  kept: (topic: string, partition: number) => boolean,
): GroupState {
  const present = state.members[member]
  if (present === undefined) return state
  const owners = Object.fromEntries(
    Object.entries(state.owners).map(([topic, list]) => [
      topic,
      list.map((owner, partition) => {
        const next = state.assignment[topic]?.[partition] ?? null
        return owner === member && next !== member && !kept(topic, partition) ? next : owner
      }),
    ]),
  )
  return { ...state, owners, members: { ...state.members, [member]: { ...present, generation: state.generation } } }
}

/** What a member may read and commit for, and is to keep or to hand back. */
export function partitionsOf(
  state: GroupState,
  member: string,
): { readonly owned: TopicPartition[]; readonly kept: TopicPartition[] } {
  const owned = ownedBy(state.owners).get(member) ?? []
  return { owned, kept: owned.filter(({ topic, partition }) => state.assignment[topic]?.[partition] === member) }
}

export function isOwner(state: GroupState, member: string, topic: string, partition: number): boolean {
  return state.owners[topic]?.[partition] === member
}

/** Whether it has a name that it keeps. */
export function isStatic(member: GroupMemberState | undefined): boolean {
  return member?.instanceId !== undefined
}

/** Topics that somebody wants, sorted. */
export function wantedTopics(state: GroupState): string[] {
  return [...new Set(Object.values(state.members).flatMap(({ topics }) => topics))].sort()
}

/** Whether the topics that are wanted have other partitions than the group was planned for. */
export function isOutOfDate(state: GroupState, counts: PartitionCounts): boolean {
  const planned = Object.entries(state.assignment)
  return planned.length !== counts.size || planned.some(([topic, list]) => counts.get(topic) !== list.length)
}

/** Whether the two states differ in who owns what. */
export function isOtherwiseOwned(a: GroupState, b: GroupState): boolean {
  return Object.entries(b.owners).some(([topic, list]) =>
    list.some((owner, partition) => a.owners[topic]?.[partition] !== owner),
  )
}

function ownedBy(owners: Owners): Map<string, TopicPartition[]> {
  const byMember = new Map<string, TopicPartition[]>()
  for (const [topic, list] of Object.entries(owners)) {
    for (const [partition, owner] of list.entries()) {
      if (owner === null) continue
      const own = byMember.get(owner)
      if (own === undefined) byMember.set(owner, [{ topic, partition }])
      else own.push({ topic, partition })
    }
  }
  return byMember
}
