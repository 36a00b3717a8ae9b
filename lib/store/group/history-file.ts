/**
 * The `history` of a group: every change of offsets that somebody made by hand, one checked line each, so that it can be taken back
 * (format-spec/group-history.md). Writers hold the group's lock. Lines that are damaged are passed over: they can only not be undone.
 */
import { openOrCreateFile, readSmallFile, writeFully, type Ownership } from '../../system/durable.js'
import type { System } from '../../system/system.js'
import { checkedLines, formatCheckedLine, isCount, isFiniteNumber, type JsonObject } from './checked-line.js'

/** One partition of which the committed offset was changed; null where there was none. */
export interface OffsetChange {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly from: number | null
  readonly to: number | null
}

export interface HistoryEntry {
  /** Grows by one. */
  readonly number: number
  readonly timeMs: number
  /** seek, skip or undo. */
  readonly command: string
  readonly reason?: string
  /** Of an undo: the number of the entry that it took back. */
  readonly undoes?: number
  readonly userId: number
  readonly pid: number
  readonly changes: readonly OffsetChange[]
}

const MAX_BYTES = 256 << 20

export class HistoryFile {
  constructor(
    private readonly system: System,
    private readonly path: string,
    private readonly ownership: Ownership,
  ) {}

  /** Oldest first. */
  entries(): HistoryEntry[] {
    const bytes = readSmallFile(this.system.fs, this.path, MAX_BYTES) ?? new Uint8Array(0)
    return [...checkedLines(bytes)].flatMap(({ content }) => entryOf(content))
  }

  /** The newest change that was not taken back yet, and is no undo itself. */
  lastToUndo(): HistoryEntry | undefined {
    const entries = this.entries()
    const undone = new Set(entries.map(({ undoes }) => undoes))
    return entries.findLast(({ number, undoes }) => undoes === undefined && !undone.has(number))
  }

  /** Appends an entry, durably. */
  add(entry: Omit<HistoryEntry, 'number' | 'timeMs' | 'userId' | 'pid'>): HistoryEntry {
    const { fs, clock, self } = this.system
    const number = (this.entries().at(-1)?.number ?? 0) + 1
    const whole: HistoryEntry = { number, timeMs: clock.nowMs(), userId: self.userId, pid: self.pid, ...entry }
    const fd = openOrCreateFile(this.system, this.path, this.ownership)
    try {
      const bytes = readSmallFile(fs, this.path, MAX_BYTES) ?? new Uint8Array(0)
      // Half a line of somebody who was killed stays, as a line that is passed over.
      const isWhole = bytes.length === 0 || bytes.at(-1) === 0x0a
      const line = formatCheckedLine({ ...whole })
      writeFully(fs, fd, isWhole ? line : Buffer.concat([Buffer.from('\n'), line]), bytes.length, this.path)
      fs.fdatasyncBlocking(fd)
    } finally {
      fs.close(fd)
    }
    return whole
  }
}

function entryOf(content: JsonObject | undefined): HistoryEntry[] {
  if (content === undefined) return []
  const { number, timeMs, command, changes } = content
  if (!isCount(number) || !isFiniteNumber(timeMs) || typeof command !== 'string') return []
  if (!Array.isArray(changes) || !changes.every(isChange)) return []
  // The checksum holds: the rest is as it was written, by this program or one that says the same in more words.
  return [content as unknown as HistoryEntry]
}

function isChange(value: unknown): value is OffsetChange {
  if (typeof value !== 'object' || value === null) return false
  const { topic, topicId, partition, from, to } = value as JsonObject
  const areOffsets = [from, to].every((offset) => offset === null || isCount(offset))
  return typeof topic === 'string' && typeof topicId === 'string' && isCount(partition) && areOffsets
}
