/** Reads what groups commit, while they do, for the checker: every line of their offsets files, in order (format-spec/group-offsets.md). */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { groupPlans } from './group-plans.js'
import type { CommitsEvent } from './history.js'
import type { World } from './world.js'

interface Seen {
  readonly inode: number
  /** The end of the last whole line. */
  readonly position: number
}

type Line = CommitsEvent['lines'][number]

export class GroupWatch {
  readonly #seen = new Map<string, Seen>()

  constructor(private readonly world: World) {}

  look(): void {
    for (const { name } of groupPlans) this.#lookAt(name)
  }

  #lookAt(group: string): void {
    const before = this.#seen.get(group)
    const found = readFrom(join(this.world.store, 'groups', group, 'offsets'), before)
    if (found === undefined) return
    this.#seen.set(group, { inode: found.inode, position: found.position })
    if (found.text === '' && !found.isWhole) return
    const lines: Line[] = []
    let damagedCount = 0
    for (const text of found.text.split('\n').slice(0, -1)) {
      const line = parse(text)
      if (line === undefined) damagedCount += 1
      else lines.push(line)
    }
    const isWhole = found.isWhole && before !== undefined
    this.world.history.add({ process: 'driver', operation: 'commits', type: 'info', group, isWhole, lines, damagedCount })
  }
}

function readFrom(path: string, before: Seen | undefined): (Seen & { text: string; isWhole: boolean }) | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return undefined
  }
  try {
    const { ino, size } = fstatSync(fd)
    const isWhole = before?.inode !== ino || size < before.position
    const position = isWhole ? 0 : before.position
    const bytes = Buffer.alloc(size - position)
    const length = readSync(fd, bytes, 0, bytes.length, position)
    const wholeBytes = bytes.subarray(0, length).lastIndexOf(0x0a) + 1
    return { inode: ino, position: position + wholeBytes, text: bytes.subarray(0, wholeBytes).toString('utf8'), isWhole }
  } finally {
    closeSync(fd)
  }
}

function parse(text: string): Line | undefined {
  try {
    const { generation, member, offsets } = JSON.parse(text.slice(9)) as {
      generation: number
      member: string
      offsets: Record<string, { topicId: string; partitions: Record<string, [number] | null> }>
    }
    const flat = Object.entries(offsets).flatMap(([topic, { topicId, partitions }]) =>
      Object.entries(partitions).flatMap(([partition, committed]) => [
        ...[topic, topicId, Number(partition), committed?.[0] ?? null],
      ]),
    )
    return [generation, member, flat]
  } catch {
    return undefined
  }
}

/** What keeps the group from being at rest with so many members; undefined when it is. */
export function unrest(world: World, group: string, memberCount: number): string | undefined {
  let content
  try {
    content = JSON.parse(readFileSync(join(world.store, 'groups', group, 'group.json'), 'utf8')) as {
      state: string
      members: Record<string, { isAway?: boolean }>
      owners: Record<string, (string | null)[]>
    }
  } catch (error) {
    return String(error)
  }
  const { state, members, owners } = content
  const present = Object.keys(members).filter((member) => members[member]?.isAway !== true)
  if (state !== 'Stable') return `it is ${state}`
  if (present.length !== memberCount) return `it has ${present.length} members, and ${memberCount} processes run`
  for (const [topic, list] of Object.entries(owners)) {
    const ownerless = list.findIndex((owner) => owner === null || !present.includes(owner))
    if (ownerless !== -1 || list.length !== world.partitionsOf(topic).length)
      return `'${topic}' has ${list.length} owners, the first that is not there is that of ${ownerless}`
  }
  return undefined
}
