/** `members/<member>.json`: who a member of a group is, for those who look (format-spec/group-members.md). */
import { openOrCreateFile, readSmallFile, writeFully, type Ownership } from '../../system/durable.js'
import type { System } from '../../system/system.js'
import { isFiniteNumber } from './checked-line.js'
import { MEMBER_SUFFIX, memberPath } from './group-paths.js'

export interface MemberFile {
  readonly member: string
  /** Topics and patterns, as they were given. */
  readonly subscription: readonly string[]
  readonly host: string
  readonly pid: number
  readonly startTicks: number
  /** 32 hexadecimal digits; zeros when unknown. Kernel locks tell about processes of the same boot. */
  readonly bootId: string
  readonly command: string
  /** RFC 3339, UTC. */
  readonly joined: string
  /** A lease that was not refreshed for so long is that of a member that stands still. */
  readonly sessionTimeoutMs: number
}

/** Not by replacing it: nobody looks at it before the group names the member, and whoever dies here leaves no temporary file behind. */
export function writeMemberFile(system: System, directory: string, file: MemberFile, ownership: Ownership): void {
  const bytes = Buffer.from(`${JSON.stringify({ formatVersion: 1, ...file }, undefined, 1)}\n`)
  const path = memberPath(directory, file.member, MEMBER_SUFFIX)
  const fd = openOrCreateFile(system, path, ownership)
  try {
    writeFully(system.fs, fd, bytes, 0, path)
  } finally {
    system.fs.close(fd)
  }
}

/** Undefined when the file is missing or damaged. */
export function readMemberFile(system: Pick<System, 'fs'>, directory: string, member: string): MemberFile | undefined {
  const bytes = readSmallFile(system.fs, memberPath(directory, member, MEMBER_SUFFIX))
  try {
    const content: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'))
    return isMemberFile(content) ? content : undefined
  } catch {
    return undefined
  }
}

function isMemberFile(content: unknown): content is MemberFile {
  if (typeof content !== 'object' || content === null) return false
  const { host, pid, startTicks, bootId, command, joined, sessionTimeoutMs, subscription } = content as Record<string, unknown>
  return (
    [host, bootId, command, joined].every((text) => typeof text === 'string') &&
    [pid, startTicks, sessionTimeoutMs].every(isFiniteNumber) &&
    Array.isArray(subscription) &&
    subscription.every((topic) => typeof topic === 'string')
  )
}
