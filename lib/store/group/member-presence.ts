/**
 * What a member has on disk while it lives: its lock, its lease and its file (format-spec/group-members.md); and how the leftovers of
 * members that are gone are swept.
 *
 * 1 the lock file is made and locked; 2 the lease is taken; 3 the member's file is written. Crash before the group names the member: what
 * is there has no owner, and is swept by the next change of the group.
 */
import { LogqError, isLogqError, systemErrorCode } from '../../errors.js'
import { isTemporaryName, openOrCreateFile, removeQuietly, type Ownership } from '../../system/durable.js'
import type { Lease } from '../../system/lease.js'
import type { System } from '../../system/system.js'
import { MEMBERS_DIRECTORY, MEMBER_LEASE_SUFFIX, MEMBER_LOCK_SUFFIX, MEMBER_SUFFIX, memberPath } from './group-paths.js'
import { writeMemberFile, type MemberFile } from './member-file.js'

export class MemberPresence {
  #lease: Lease | undefined
  #isLost = false

  private constructor(
    private readonly system: System,
    private readonly directory: string,
    private readonly file: MemberFile,
    private readonly lockFd: number,
  ) {}

  static async begin(system: System, directory: string, file: MemberFile, ownership: Ownership): Promise<MemberPresence> {
    const lockFd = takeLock(system, memberPath(directory, file.member, MEMBER_LOCK_SUFFIX), ownership) // 1
    const presence = new MemberPresence(system, directory, file, lockFd)
    try {
      system.failpoint('group-join.after-lock')
      await presence.#takeLease() // 2
      system.failpoint('group-join.after-lease')
      writeMemberFile(system, directory, file, ownership) // 3
    } catch (error) {
      await presence.end()
      throw error
    }
    return presence
  }

  /**
   * Takes the lease again that was lost while this process stood still, or the clock was set. What lies in its place is this member's own:
   * nobody else has its name, as its lock proves. When it cannot be had, the next call tries again.
   */
  async renew(): Promise<void> {
    if (!this.#isLost) return
    await this.#lease?.release()
    removeLease(this.system, this.directory, this.file.member)
    try {
      await this.#takeLease()
      this.#isLost = false
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_BUSY')) throw error
    }
  }

  /** Never rejects: what stays is swept by others. */
  async end(): Promise<void> {
    const { fs } = this.system
    const { member } = this.file
    removeQuietly(fs, memberPath(this.directory, member, MEMBER_SUFFIX))
    await this.#lease?.release()
    removeQuietly(fs, memberPath(this.directory, member, MEMBER_LOCK_SUFFIX))
    fs.close(this.lockFd)
  }

  async #takeLease(): Promise<void> {
    const { member, sessionTimeoutMs } = this.file
    const onLost = (): void => {
      this.#isLost = true
    }
    this.#lease = await this.system.leases.hold(memberPath(this.directory, member, MEMBER_LEASE_SUFFIX), {
      staleMs: sessionTimeoutMs,
      onLost,
    })
  }
}

/** Its name is new, so nobody else holds it; but somebody who sweeps may have taken it for a leftover before it was locked. */
function takeLock(system: System, path: string, ownership: Ownership): number {
  for (;;) {
    const fd = openOrCreateFile(system, path, ownership)
    if (system.locks.tryLock(fd, false) && system.fs.pathStatus(path)?.inode === system.fs.fileStatus(fd).inode) return fd
    system.fs.close(fd)
  }
}

/**
 * Removes what members left that the group does not know and that are not there, and half-made files of the group. The caller holds the
 * group's lock, under which alone those are made.
 */
export function sweepMembers(system: System, directory: string, isKnown: (member: string) => boolean): void {
  const { fs } = system
  const folder = `${directory}/${MEMBERS_DIRECTORY}`
  for (const name of fs.list(directory)) if (isTemporaryName(name)) removeQuietly(fs, `${directory}/${name}`)
  const strangers = new Set<string>()
  for (const name of fs.list(folder)) {
    const suffix = [MEMBER_SUFFIX, MEMBER_LOCK_SUFFIX, MEMBER_LEASE_SUFFIX].find((end) => name.endsWith(end))
    const member = suffix === undefined ? undefined : name.slice(0, -suffix.length)
    if (member !== undefined && !isKnown(member)) strangers.add(member)
  }
  for (const member of strangers) {
    if (!isHeld(system, memberPath(directory, member, MEMBER_LOCK_SUFFIX))) removeMember(system, directory, member)
  }
}

function removeMember(system: System, directory: string, member: string): void {
  const { fs } = system
  removeQuietly(fs, memberPath(directory, member, MEMBER_SUFFIX))
  removeLease(system, directory, member)
  removeQuietly(fs, memberPath(directory, member, MEMBER_LOCK_SUFFIX))
}

/** One with something in it, which logq did not put there, stays. */
function removeLease({ fs }: System, directory: string, member: string): void {
  try {
    fs.removeDirectory(memberPath(directory, member, MEMBER_LEASE_SUFFIX))
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) throw error
  }
}

function isHeld(system: System, path: string): boolean {
  let fd: number
  try {
    fd = system.fs.open(path, 'read')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw error
  }
  try {
    return !system.locks.tryLock(fd, true)
  } finally {
    system.fs.close(fd)
  }
}

/** The member was taken out of its group while this process stood still, or by somebody's hand. */
export function fenced(group: string, member: string): LogqError {
  return new LogqError('LOGQ_FENCED', `member '${member}' is no member of group '${group}' any more`, {
    hint: `others took it for dead, or offsets were set by force: see 'logq group show ${group}'`,
  })
}
