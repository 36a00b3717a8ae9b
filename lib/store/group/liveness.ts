/**
 * Whether members of a group are there (format-spec/group-members.md). On the same kernel a member holds a kernel lock for life: it is
 * probed, and a killed member is noticed at the first look, as is one of this machine before it was booted again. A lease, refreshed by a
 * thread of the member, says whether it moves: one that was not refreshed for the session timeout, as this process counts time, is that of
 * a member that stands still, or of another kernel.
 *
 * A verdict only saves waiting. What keeps a member that comes back late from harm is that its commits are refused.
 */
import { systemErrorCode } from '../../errors.js'
import { LeaseWatch } from '../../system/lease-watch.js'
import type { System } from '../../system/system.js'
import { MEMBER_LEASE_SUFFIX, MEMBER_LOCK_SUFFIX, memberPath } from './group-paths.js'
import { readMemberFile, type MemberFile } from './member-file.js'

/** dead: its process is gone. still: it does not refresh its lease. */
export type Verdict = 'alive' | 'dead' | 'still'

/** For a member of which nothing is known but its name. */
const DEFAULT_SESSION_TIMEOUT_MS = 10_000

export class Liveness {
  readonly #watch: LeaseWatch
  readonly #files = new Map<string, MemberFile>()
  readonly #lockFds = new Map<string, number>()

  constructor(
    private readonly system: System,
    private readonly directory: string,
  ) {
    this.#watch = new LeaseWatch(system.clock, system.fs)
  }

  /** Throws a system error when the look fails. */
  verdict(member: string): Verdict {
    const file = this.file(member)
    const probed = this.#probe(member, file)
    if (probed === 'dead') return 'dead'
    const timeoutMs = file?.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS
    const isStale = this.#watch.isStale(memberPath(this.directory, member, MEMBER_LEASE_SUFFIX), timeoutMs)
    if (!isStale) return 'alive'
    return probed === 'held' ? 'still' : 'dead'
  }

  /** Undefined when its file is missing or damaged. */
  file(member: string): MemberFile | undefined {
    const known = this.#files.get(member) ?? readMemberFile(this.system, this.directory, member)
    if (known !== undefined) this.#files.set(member, known)
    return known
  }

  /** The member is gone: nothing is to be remembered of it. */
  forget(member: string): void {
    const fd = this.#lockFds.get(member)
    if (fd !== undefined) this.system.fs.close(fd)
    this.#lockFds.delete(member)
    this.#files.delete(member)
    this.#watch.forget(memberPath(this.directory, member, MEMBER_LEASE_SUFFIX))
  }

  close(): void {
    for (const fd of this.#lockFds.values()) this.system.fs.close(fd)
    this.#lockFds.clear()
  }

  /**
   * 'unknown' where the lock says nothing: a member of another kernel, whose locks this one may not see. One of this machine before it was
   * booted again holds none, and is dead.
   */
  #probe(member: string, file: MemberFile | undefined): 'held' | 'dead' | 'unknown' {
    const { system } = this
    try {
      system.failpoint('group.probe')
    } catch {
      // Tests see to it that the lease alone decides.
      return 'unknown'
    }
    const isOfThisKernel = file === undefined || file.bootId === bootIdText(system)
    if (!isOfThisKernel && file.host !== system.self.hostName) return 'unknown'
    const fd = this.#openLock(member)
    if (fd === undefined) return file === undefined ? 'dead' : 'unknown'
    if (!system.locks.tryLock(fd, true)) return 'held'
    system.locks.unlock(fd)
    return 'dead'
  }

  #openLock(member: string): number | undefined {
    const known = this.#lockFds.get(member)
    if (known !== undefined) return known
    try {
      const fd = this.system.fs.open(memberPath(this.directory, member, MEMBER_LOCK_SUFFIX), 'read')
      this.#lockFds.set(member, fd)
      return fd
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }
}

export function bootIdText(system: System): string {
  return Buffer.from(system.self.bootId).toString('hex')
}
