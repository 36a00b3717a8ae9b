/** How a process becomes a member of a group: its id, and what the group is with it. */
import { LogqError } from '../../errors.js'
import type { GroupFiles, LockedGroup } from '../../store/group/group-files.js'
import type { GroupMemberState, GroupState } from '../../store/group/group-state.js'
import type { Liveness } from '../../store/group/liveness.js'
import { sweepMembers } from '../../store/group/member-presence.js'
import type { Store } from '../../store/store.js'
import { DEFAULT_GRACE_MS, type GroupMemberOptions } from './member-options.js'
import { partitionCounts } from './partition-counts.js'
import { isStatic, replan, withMember, withoutMembers, withSuccessor } from './plan.js'

/**
 * Takes a member into the group and makes the next generation. The caller holds the group's lock. Throws LOGQ_CONFLICT when the static name
 * is in use, or the group has another assignor.
 */
export function admitMember(
  { store, directory }: GroupFiles,
  { state, saveState }: LockedGroup,
  id: string,
  options: GroupMemberOptions,
  liveness: Liveness,
): GroupState {
  const { instanceId, graceMs = DEFAULT_GRACE_MS } = options
  const wants: Omit<GroupMemberState, 'generation'> = {
    topics: options.topics(),
    ...(instanceId === undefined ? {} : { instanceId, graceMs }),
  }
  // Whoever is dead is not waited for.
  const dead = Object.entries(state.members)
    .filter(([member, known]) => !isStatic(known) && liveness.verdict(member) === 'dead')
    .map(([member]) => member)
  const alive = withoutMembers(state, dead)
  const previous = Object.entries(alive.members).find(
    ([, known]) => instanceId !== undefined && known.instanceId === instanceId,
  )
  if (previous !== undefined && previous[1].isAway !== true && liveness.verdict(previous[0]) === 'alive') {
    const pid = liveness.file(previous[0])?.pid
    throw new LogqError(
      'LOGQ_CONFLICT',
      `the member '${instanceId ?? ''}' is in the group already${pid === undefined ? '' : `, as process ${pid}`}`,
      {
        hint: 'choose another name for --member, or end that process',
      },
    )
  }
  const isAlone = Object.keys(alive.members).length === 0
  const assignor = options.assignor ?? state.assignor
  if (!isAlone && assignor !== state.assignor) {
    throw new LogqError('LOGQ_CONFLICT', `the group assigns partitions by '${state.assignor}', not by '${assignor}'`, {
      hint: 'all members of a group need the same --assignor',
    })
  }
  const joined = previous === undefined ? withMember(alive, id, wants) : withSuccessor(alive, previous[0], id, wants)
  const next = replan({ ...joined, assignor: isAlone ? assignor : state.assignor }, partitionCounts(store, joined))
  store.system.failpoint('group-join.before-state')
  saveState(next)
  for (const member of dead) liveness.forget(member)
  sweepMembers(store.system, directory, (member) => next.members[member] !== undefined)
  return next
}

/** One that no member had before. */
export function newMemberId(store: Store, { instanceId, host }: GroupMemberOptions): string {
  const unique = Buffer.from(store.system.random.bytes(4)).toString('hex')
  const name = host.replaceAll(/[^a-zA-Z0-9._]/g, '').slice(0, 60) || 'host'
  return instanceId === undefined ? `${name}-${store.system.self.pid}-${unique}` : `${instanceId}-${unique}`
}
