/**
 * The time index: a sparse map from timestamp to offset, a cache that is rebuilt from the .log (format-spec/time-index.md).
 *
 * An entry is the largest timestamp of the segment so far and the last offset, relative to the segment's base, of the first batch
 * that has it. Timestamps strictly increase. A relative offset of 0 after the first entry is the tail that Kafka preallocates.
 */
import type { FileSystem } from '../system/file-system.js'
import { readInto } from '../system/durable.js'

export const TIME_INDEX_ENTRY_BYTES = 12

export interface TimeIndexEntry {
  readonly timestampMs: number
  readonly offset: number
}

export function encodeTimeIndexEntry(entry: TimeIndexEntry, baseOffset: number): Uint8Array {
  const bytes = new Uint8Array(TIME_INDEX_ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, BigInt(entry.timestampMs))
  view.setInt32(8, entry.offset - baseOffset)
  return bytes
}

export class TimeIndexReader {
  readonly entryCount: number
  readonly #bytes = new Uint8Array(TIME_INDEX_ENTRY_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)

  constructor(
    private readonly fs: FileSystem,
    private readonly fd: number,
    private readonly baseOffset: number,
  ) {
    this.entryCount = Math.floor(fs.fileStatus(fd).sizeBytes / TIME_INDEX_ENTRY_BYTES)
  }

  /** The n-th entry; undefined past the end, in the preallocated tail, and for a timestamp beyond 2^53-1. */
  entry(n: number): TimeIndexEntry | undefined {
    if (n < 0 || n >= this.entryCount) return undefined
    const count = readInto(this.fs, this.fd, this.#bytes, 0, TIME_INDEX_ENTRY_BYTES, n * TIME_INDEX_ENTRY_BYTES)
    if (count !== TIME_INDEX_ENTRY_BYTES) return undefined
    const timestampMs = Number(this.#view.getBigInt64(0))
    const relativeOffset = this.#view.getInt32(8)
    if (relativeOffset < 0 || (n > 0 && relativeOffset === 0) || !Number.isSafeInteger(timestampMs)) return undefined
    return { timestampMs, offset: this.baseOffset + relativeOffset }
  }

  /** Number of the last entry whose timestamp is at most `timestampMs`, -1 when there is none. */
  slotForTimestamp(timestampMs: number): number {
    return this.#lastSlotWhere((entry) => entry.timestampMs <= timestampMs)
  }

  /** Number of the last entry whose offset is at most `offset`, -1 when there is none. */
  slotForOffset(offset: number): number {
    return this.#lastSlotWhere((entry) => entry.offset <= offset)
  }

  #lastSlotWhere(holds: (entry: TimeIndexEntry) => boolean): number {
    let low = -1
    let high = this.entryCount - 1
    while (low < high) {
      const middle = low + Math.ceil((high - low) / 2)
      const entry = this.entry(middle)
      if (entry !== undefined && holds(entry)) low = middle
      else high = middle - 1
    }
    return low
  }
}
