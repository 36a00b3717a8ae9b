/** Where a consumer group lies in a store, and what it may be called (format-spec/group.md). */
import { LogqError, systemErrorCode } from '../../errors.js'
import { isTemporaryName } from '../../system/durable.js'
import { isLegalName, NAME_RULE, twinOf } from '../names.js'
import type { Store } from '../store.js'

export const GROUPS_DIRECTORY = 'groups'
export const GROUP_FILE = 'group.json'
export const GROUP_LOCK_FILE = 'lock'
export const OFFSETS_FILE = 'offsets'
export const HISTORY_FILE = 'history'
export const MEMBERS_DIRECTORY = 'members'
export const MEMBER_SUFFIX = '.json'
export const MEMBER_LOCK_SUFFIX = '.lock'
export const MEMBER_LEASE_SUFFIX = '.lease'

/** Throws LOGQ_USAGE with the rule for a name that a group cannot have. */
export function checkGroupName(name: string): void {
  if (!isLegalName(name)) throw new LogqError('LOGQ_USAGE', `'${name}' cannot be a group name`, NAME_RULE)
}

export function groupsDirectory(store: Pick<Store, 'path'>): string {
  return `${store.path}/${GROUPS_DIRECTORY}`
}

export function groupDirectory(store: Pick<Store, 'path'>, group: string): string {
  return `${groupsDirectory(store)}/${group}`
}

export function memberPath(directory: string, member: string, suffix: string): string {
  return `${directory}/${MEMBERS_DIRECTORY}/${member}${suffix}`
}

/** Names of all groups, sorted; also of those whose lock file was lost, which `requireGroup` reports. */
export function listGroups(store: Store): string[] {
  let names: string[]
  try {
    names = store.system.fs.list(groupsDirectory(store))
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw error
  }
  // What is being made, renamed or removed begins with a dot, which no group does that has the lock file.
  const isThere = (name: string) => isGroup(store, name) || hasLostLock(store, name)
  return names.filter((name) => isLegalName(name) && !isTemporaryName(name) && isThere(name)).sort()
}

/** Whether there is such a group. Throws LOGQ_USAGE for a name that cannot be one. */
export function groupExists(store: Store, group: string): boolean {
  checkGroupName(group)
  return isGroup(store, group)
}

/** Throws LOGQ_USAGE, LOGQ_CORRUPT when its lock file was lost, or LOGQ_UNKNOWN_GROUP with a name that is like it. */
export function requireGroup(store: Store, group: string): void {
  if (groupExists(store, group)) return
  if (hasLostLock(store, group)) throw lockIsLost(store, group)
  const twin = twinOf(group, listGroups(store))
  const hint = twin === undefined ? "see 'logq group ls'" : `did you mean '${twin}'?`
  throw new LogqError('LOGQ_UNKNOWN_GROUP', `group '${group}' does not exist in store '${store.path}'`, { hint })
}

/** Commits without a lock file are no group that is being made: the file was removed, or something else is in its place. */
function hasLostLock(store: Store, group: string): boolean {
  const offsets = `${groupDirectory(store, group)}/${OFFSETS_FILE}`
  return store.system.fs.pathStatus(offsets)?.kind === 'file' && !isGroup(store, group)
}

function lockIsLost(store: Store, group: string): LogqError {
  const path = `${groupDirectory(store, group)}/${GROUP_LOCK_FILE}`
  const kind = store.system.fs.pathStatus(path)?.kind
  const again = `'logq consume' and 'logq group seek' of the group make it anew, and keep its commits`
  return kind === undefined
    ? new LogqError('LOGQ_CORRUPT', `the lock file of group '${group}' is missing: '${path}'`, { hint: again })
    : new LogqError('LOGQ_CORRUPT', `the lock file of group '${group}' is none: '${path}' is a ${kind}`, {
        hint: `move it away; ${again}`,
      })
}

/** The lock file is made last, so that a group is there as a whole or not at all. */
function isGroup({ system, path }: Store, group: string): boolean {
  return system.fs.pathStatus(`${groupDirectory({ path }, group)}/${GROUP_LOCK_FILE}`)?.kind === 'file'
}
