/** Groups as a whole: what there is, what each is, and their removal and renaming (format-spec/group.md). */
import { LogqError, systemErrorCode } from '../../errors.js'
import { temporaryName } from '../../system/durable.js'
import type { LockWait } from '../../system/lock-wait.js'
import { GroupFiles, type GroupSnapshot } from '../../store/group/group-files.js'
import {
  MEMBERS_DIRECTORY,
  checkGroupName,
  groupDirectory,
  groupExists,
  groupsDirectory,
  listGroups,
} from '../../store/group/group-paths.js'
import { groupStateName, type GroupState, type GroupStateName } from '../../store/group/group-state.js'
import { Liveness, type Verdict } from '../../store/group/liveness.js'
import type { MemberFile } from '../../store/group/member-file.js'
import { twinOf } from '../../store/names.js'
import { requireWritable, type Store } from '../../store/store.js'
import type { TopicPartition } from '../assignors.js'
import { lagOf, type PartitionLag } from './lag.js'
import { partitionsOf } from './plan.js'

export interface MemberDescription {
  readonly member: string
  /** Undefined when its file is missing or damaged. */
  readonly file: MemberFile | undefined
  /** away: a static member whose partitions wait for it. */
  readonly presence: Verdict | 'away'
  readonly generation: number
  readonly partitions: readonly TopicPartition[]
}

export interface GroupDescription {
  readonly group: string
  readonly state: GroupStateName
  readonly generation: number
  readonly assignor: string
  readonly members: readonly MemberDescription[]
  readonly partitions: readonly PartitionLag[]
  /** When something was committed last, in ms since the Unix epoch. */
  readonly lastCommitMs: number | undefined
  /** What is wrong with the files of the group, in words. */
  readonly problems: readonly string[]
}

/** Reads only. Throws LOGQ_UNKNOWN_GROUP, LOGQ_NEWER_FORMAT, or a system error. */
export async function describeGroup(store: Store, group: string): Promise<GroupDescription> {
  const files = GroupFiles.open(store, group)
  const liveness = new Liveness(store.system, files.directory)
  try {
    const snapshot = files.read()
    const { state } = snapshot
    const members = describeMembers(state, liveness)
    // Whoever is dead is a member until somebody notices; for those who look, it is none.
    const isEmpty = members.every(({ presence }) => presence === 'dead' || presence === 'away')
    const partitions = await lagOf(store, group, snapshot)
    const commits = partitions.flatMap(({ committedAtMs }) => committedAtMs ?? [])
    return {
      group,
      state: isEmpty ? 'Empty' : groupStateName(state),
      generation: state.generation,
      assignor: state.assignor,
      members,
      partitions,
      lastCommitMs: commits.length === 0 ? undefined : Math.max(...commits),
      problems: groupProblems(files, snapshot),
    }
  } finally {
    liveness.close()
    files.close()
  }
}

/** By their names. Throws a system error. */
export function describeMembers(state: GroupState, liveness: Liveness): MemberDescription[] {
  return Object.entries(state.members).map(([member, { generation, isAway }]) => ({
    member,
    file: liveness.file(member),
    presence: isAway === true ? 'away' : liveness.verdict(member),
    generation,
    partitions: partitionsOf(state, member).owned,
  }))
}

/** What is wrong with the files of a group, in words. */
export function groupProblems(files: GroupFiles, { isStateDamaged, damage, offsets }: GroupSnapshot): string[] {
  const problems = damage.map(
    ({ position, sizeBytes }) =>
      `'${files.directory}/offsets' is damaged at position ${position} (${sizeBytes} bytes): commits may be missing`,
  )
  // A group that nobody joined yet has no group.json.
  if (isStateDamaged && offsets.generation > 0)
    problems.push(`'${files.directory}/group.json' is missing or damaged; the next member makes it anew`)
  return problems
}

export interface ChangeGroupOptions {
  /** Also while members read. */
  readonly force?: boolean
  readonly wait?: LockWait
}

/**
 * Removes a group with its offsets. 1 renamed aside: it is gone from here on; 2 its files removed. Crash before 2: the leftover, whose name
 * begins with a dot, is removed by the next removal. Throws LOGQ_UNKNOWN_GROUP, LOGQ_CONFLICT when members are there, or a system error.
 */
export async function removeGroup(store: Store, group: string, options: ChangeGroupOptions = {}): Promise<void> {
  requireWritable(store, { allowNetworkFileSystem: true })
  sweepRemoved(store)
  const aside = `${groupsDirectory(store)}/${temporaryName(store.system)}`
  await moveGroup(store, group, aside, options) // 1
  store.system.failpoint('group-rm.after-rename')
  removeFiles(store, aside) // 2
}

/** Throws as `removeGroup`, LOGQ_USAGE for a name that cannot be one, and LOGQ_CONFLICT when there is such a group. */
export async function renameGroup(store: Store, group: string, name: string, options: ChangeGroupOptions = {}): Promise<void> {
  requireWritable(store, { allowNetworkFileSystem: true })
  checkGroupName(name)
  const others = listGroups(store).filter((other) => other !== group)
  const twin = groupExists(store, name) ? name : twinOf(name, others)
  if (twin !== undefined)
    throw new LogqError('LOGQ_CONFLICT', `there is a group '${twin}' already`, {
      hint: 'choose another name, or remove that group',
    })
  await moveGroup(store, group, groupDirectory(store, name), options)
}

async function moveGroup(store: Store, group: string, to: string, { force = false, wait }: ChangeGroupOptions): Promise<void> {
  const files = GroupFiles.open(store, group)
  const liveness = new Liveness(store.system, files.directory)
  try {
    await files.change(({ state }) => {
      const present = Object.keys(state.members).filter(
        (member) => state.members[member]?.isAway !== true && liveness.verdict(member) !== 'dead',
      )
      if (present.length > 0 && !force) {
        throw new LogqError('LOGQ_CONFLICT', `group '${group}' has members: ${present.join(', ')}`, {
          hint: 'end them first, or use --force',
        })
      }
      store.system.fs.rename(files.directory, to)
      store.system.fs.syncDirectory(groupsDirectory(store))
    }, wait)
  } finally {
    liveness.close()
    files.close()
  }
}

/** Leftovers of removals that were killed. */
function sweepRemoved(store: Store): void {
  const { fs } = store.system
  const directory = groupsDirectory(store)
  if (fs.pathStatus(directory) === undefined) return
  for (const name of fs.list(directory)) if (name.startsWith('.tmp-')) removeFiles(store, `${directory}/${name}`)
}

/** Of a symbolic link in place of a directory the link goes, and nothing that it points at. */
function removeFiles(store: Store, directory: string): void {
  const { fs } = store.system
  const isOdd = (path: string) => !['directory', undefined].includes(fs.pathStatus(path)?.kind)
  if (isOdd(directory)) {
    fs.unlink(directory)
    return
  }
  for (const folder of [`${directory}/${MEMBERS_DIRECTORY}`, directory]) {
    if (fs.pathStatus(folder) === undefined || isOdd(folder)) continue
    for (const name of fs.list(folder)) {
      const path = `${folder}/${name}`
      try {
        if (fs.pathStatus(path)?.kind === 'directory') fs.removeDirectory(path)
        else fs.unlink(path)
      } catch (error) {
        // Somebody else removes it too.
        if (systemErrorCode(error) !== 'ENOENT') throw error
      }
    }
    fs.removeDirectory(folder)
  }
}
