/**
 * Committed offsets changed by hand: set to a place, past one bad record, or back to what they were. Each change is a line in the group's
 * history. While members are there it is refused, unless it is forced: then all members are put out, and begin anew at the new offsets.
 */
import { LogqError } from '../../errors.js'
import type { CommittedOffset, TopicCommit } from '../../store/group/committed-offsets.js'
import { GroupFiles, type LockedGroup } from '../../store/group/group-files.js'
import type { HistoryEntry, OffsetChange } from '../../store/group/history-file.js'
import { Liveness } from '../../store/group/liveness.js'
import { sweepMembers } from '../../store/group/member-presence.js'
import type { Store } from '../../store/store.js'
import { findTopic } from '../../store/topics.js'
import type { LockWait } from '../../system/lock-wait.js'
import { withoutMembers } from './plan.js'

export interface ChangeOffsetsOptions {
  /** Also while members read: they are put out, and join again. */
  readonly force?: boolean
  /** Nothing is changed. */
  readonly dryRun?: boolean
  readonly wait?: LockWait
}

/** A partition and the offset that it is to have. */
export interface WantedOffset {
  readonly topic: string
  readonly partition: number
  /** null: as if nothing had ever been committed. */
  readonly offset: number | null
}

export interface ChangedOffsets {
  readonly changes: readonly OffsetChange[]
  /** Where a copy of the offsets file was kept, when that was damaged. */
  readonly damagedCopy: string | undefined
  /** How many members were put out. */
  readonly removedMembers: number
}

/**
 * Sets committed offsets, durably. `wanted` is asked under the group's lock, so that what it is told is what is changed. Throws
 * LOGQ_UNKNOWN_GROUP, LOGQ_CONFLICT when members are there, LOGQ_CORRUPT when the offsets are damaged, both unless it is forced;
 * LOGQ_UNKNOWN_TOPIC, LOGQ_BUSY, LOGQ_ABORTED, or a system error.
 */
export async function changeOffsets(
  store: Store,
  group: string,
  what: { readonly command: string; readonly reason?: string },
  wanted: readonly WantedOffset[],
  options: ChangeOffsetsOptions = {},
): Promise<ChangedOffsets> {
  const files = GroupFiles.open(store, group)
  try {
    return await inGroup(files, options, (locked) => apply(store, files, locked, what, wanted, options))
  } finally {
    files.close()
  }
}

/** Takes the last change that was made by hand back. Throws as `changeOffsets`, and LOGQ_GONE when there is none. */
export async function undoChange(
  store: Store,
  group: string,
  options: ChangeOffsetsOptions = {},
): Promise<ChangedOffsets & { readonly undone: HistoryEntry }> {
  const files = GroupFiles.open(store, group)
  try {
    return await inGroup(files, options, (locked) => {
      refuseMembers(store, files, locked, options)
      const undone = locked.history.lastToUndo()
      if (undone === undefined) {
        throw new LogqError('LOGQ_GONE', `nothing was changed by hand in group '${group}' that could be taken back`, {
          hint: `see 'logq group show ${group}'`,
        })
      }
      const wanted = undone.changes.flatMap(({ topic, partition, from, topicId }) =>
        // A topic that was created anew never had these offsets.
        findTopic(store, topic)?.topicId === topicId ? [{ topic, partition, offset: from }] : [],
      )
      return { undone, ...apply(store, files, locked, { command: 'undo', undoes: undone.number }, wanted, options) }
    })
  } finally {
    files.close()
  }
}

async function inGroup<Result>(
  files: GroupFiles,
  { wait, dryRun = false }: ChangeOffsetsOptions,
  change: (locked: LockedGroup) => Result,
): Promise<Result> {
  const result = await files.change(change, wait)
  if (!dryRun) await files.sync()
  return result
}

/**
 * 1 members put out; 2 the history's line; 3 the commit. Crash before 3: the line says what was about to be done, and undoing it is
 * harmless.
 */
function apply(
  store: Store,
  files: GroupFiles,
  locked: LockedGroup,
  what: Pick<HistoryEntry, 'command' | 'reason' | 'undoes'>,
  wanted: readonly WantedOffset[],
  { force = false, dryRun = false }: ChangeOffsetsOptions,
): ChangedOffsets {
  const present = refuseMembers(store, files, locked, { force })
  if (!force) locked.requireOffsets()
  const changes = wanted.map(({ topic, partition, offset }): OffsetChange => {
    const topicId = findTopic(store, topic)?.topicId
    if (topicId === undefined)
      throw new LogqError('LOGQ_UNKNOWN_TOPIC', `topic '${topic}' does not exist`, { hint: "see 'logq topic ls'" })
    return { topic, topicId, partition, from: locked.offsets.get(topic, topicId, partition)?.offset ?? null, to: offset }
  })
  if (dryRun || (changes.length === 0 && what.undoes === undefined))
    return { changes, damagedCopy: undefined, removedMembers: 0 }
  let { state } = locked
  const members = Object.keys(state.members)
  if (members.length > 0) {
    state = { ...withoutMembers(state, members), generation: state.generation + 1, assignment: {}, owners: {} }
    locked.saveState(state) // 1
    sweepMembers(store.system, files.directory, () => false)
  }
  store.system.failpoint('group-change.after-state')
  const damagedCopy = files.read().damage.length > 0 ? locked.salvageOffsets() : undefined
  locked.history.add({ ...what, changes }) // 2
  store.system.failpoint('group-change.after-history')
  locked.commit({
    generation: state.generation,
    member: what.command,
    timeMs: store.system.clock.nowMs(),
    topics: commitsOf(changes),
  }) // 3
  return { changes, damagedCopy, removedMembers: present.length }
}

function commitsOf(changes: readonly OffsetChange[]): TopicCommit[] {
  const topics = new Map<string, { topic: string; topicId: string; offsets: Map<number, CommittedOffset | null> }>()
  for (const { topic, topicId, partition, to } of changes) {
    let one = topics.get(topic)
    if (one === undefined) topics.set(topic, (one = { topic, topicId, offsets: new Map() }))
    one.offsets.set(partition, to === null ? null : { offset: to, leaderEpoch: -1 })
  }
  return [...topics.values()]
}

/** Members whose processes are there, be they stopped or not. Throws LOGQ_CONFLICT, unless it is forced. */
function refuseMembers(
  store: Store,
  files: GroupFiles,
  { state }: LockedGroup,
  { force = false }: Pick<ChangeOffsetsOptions, 'force'>,
): string[] {
  const liveness = new Liveness(store.system, files.directory)
  try {
    const present = Object.entries(state.members)
      .filter(([member, { isAway }]) => isAway !== true && liveness.verdict(member) !== 'dead')
      .map(([member]) => member)
    if (present.length > 0 && !force) throw groupIsActive(files.group, present, liveness)
    return present
  } finally {
    liveness.close()
  }
}

function groupIsActive(group: string, present: readonly string[], liveness: Liveness): LogqError {
  const pids = present.flatMap((member) => liveness.file(member)?.pid ?? [])
  const who = pids.length === present.length ? `process${pids.length === 1 ? '' : 'es'} ${pids.join(', ')}` : present.join(', ')
  return new LogqError('LOGQ_CONFLICT', `group '${group}' has members: ${who}`, {
    hint: 'end them first, or put them out with --force: they begin anew at the new offsets',
  })
}
