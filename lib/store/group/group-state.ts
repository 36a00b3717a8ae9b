/**
 * What a consumer group is at a moment: its generation, its members, and whose each partition is (format-spec/group.md). Values and
 * their text form; the changes of it are in lib/consume/group/plan.ts, and nothing here reads or writes a file.
 */
import { LogqError } from '../../errors.js'
import { isCount, isFiniteNumber, type JsonObject } from './checked-line.js'

export const GROUP_FORMAT_VERSION = 1

/** Kafka's words. */
export type GroupStateName = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

export interface GroupMemberState {
  /** The generation that this member has taken note of: it reads what it owned then, or less. */
  readonly generation: number
  /** Topics that it wants to read, by name. */
  readonly topics: readonly string[]
  /** A name of its own that a member keeps over restarts. */
  readonly instanceId?: string
  /** How long its partitions wait for it then. */
  readonly graceMs?: number
  /** A static member that is away. */
  readonly isAway?: boolean
}

/** By topic, and there by partition number: a member, or null for nobody. */
export type Owners = Readonly<Record<string, readonly (string | null)[]>>

export interface GroupState {
  /** Grows by one with every change of members, of what they want, or of partitions. */
  readonly generation: number
  readonly assignor: string
  readonly members: Readonly<Record<string, GroupMemberState>>
  /** Whose each partition is to be. */
  readonly assignment: Owners
  /** Whose each partition is: this member alone may read it and commit for it. It differs where a partition is to be handed over. */
  readonly owners: Owners
  /** What a newer logq wrote beside these: kept as it is. */
  readonly others: JsonObject
}

export const EMPTY_GROUP: GroupState = {
  generation: 0,
  assignor: 'cooperative-sticky',
  members: {},
  assignment: {},
  owners: {},
  others: {},
}

/** What follows from the rest of the state. */
export function groupStateName({ generation, members, assignment, owners }: GroupState): GroupStateName {
  const present = Object.values(members)
  if (present.length === 0) return 'Empty'
  const isHandedOver = Object.entries(assignment).every(([topic, wanted]) =>
    wanted.every((member, partition) => (owners[topic]?.[partition] ?? null) === member),
  )
  if (!isHandedOver) return 'PreparingRebalance'
  return present.every((member) => member.isAway === true || member.generation === generation)
    ? 'Stable'
    : 'CompletingRebalance'
}

export function formatGroupState(state: GroupState): Uint8Array {
  const { generation, assignor, members, assignment, owners, others } = state
  const content = {
    ...others,
    type: 'consumer',
    formatVersion: GROUP_FORMAT_VERSION,
    state: groupStateName(state),
    generation,
    assignor,
    members,
    assignment,
    owners,
  }
  return Buffer.from(`${JSON.stringify(content, undefined, 1)}\n`)
}

/** Undefined when the text is damaged. Throws LOGQ_NEWER_FORMAT. */
export function parseGroupState(bytes: Uint8Array, path: string): GroupState | undefined {
  let content: unknown
  try {
    content = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
  if (!isObject(content)) return undefined
  const { type, formatVersion, state: _state, generation, assignor, members, assignment, owners, ...others } = content
  if (typeof type !== 'string' || typeof formatVersion !== 'number' || !Number.isInteger(formatVersion) || formatVersion < 1)
    return undefined
  if (formatVersion > GROUP_FORMAT_VERSION || type !== 'consumer') {
    const what = type === 'consumer' ? `format version ${formatVersion}` : `type '${type}'`
    throw new LogqError('LOGQ_NEWER_FORMAT', `'${path}' has ${what}, which this logq does not know`, {
      hint: 'use a newer logq',
    })
  }
  if (!isCount(generation)) return undefined
  if (typeof assignor !== 'string') return undefined
  if (!isMembers(members) || !isOwners(assignment, members) || !isOwners(owners, members)) return undefined
  return { generation, assignor, members, assignment, owners, others }
}

function isMembers(value: unknown): value is Record<string, GroupMemberState> {
  return isObject(value) && Object.values(value).every(isMember)
}

function isMember(value: unknown): value is GroupMemberState {
  if (!isObject(value)) return false
  const { generation, topics, instanceId, graceMs, isAway } = value
  return (
    isCount(generation) &&
    Array.isArray(topics) &&
    topics.every((topic) => typeof topic === 'string') &&
    (instanceId === undefined || typeof instanceId === 'string') &&
    (graceMs === undefined || isFiniteNumber(graceMs)) &&
    (isAway === undefined || typeof isAway === 'boolean')
  )
}

/** An owner that is no member would keep its partitions for ever. */
function isOwners(
  value: unknown,
  members: Readonly<Record<string, GroupMemberState>>,
): value is Record<string, (string | null)[]> {
  return (
    isObject(value) &&
    Object.values(value).every(
      (list) =>
        Array.isArray(list) &&
        list.every((owner) => owner === null || (typeof owner === 'string' && Object.hasOwn(members, owner))),
    )
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
