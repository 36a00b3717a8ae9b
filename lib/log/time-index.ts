/**
 * The time index: a sparse map from timestamp to offset, a cache that is rebuilt from the .log (format-spec/time-index.md).
 *
 * An entry is the largest timestamp of the segment so far and the last offset, relative to the segment's base, of the first batch
 * that has it. Timestamps strictly increase. A relative offset of 0 after the first entry is the tail that Kafka preallocates.
 */
import type { FileSystem } from '../system/file-system.js'
import { IndexFileReader } from './index-file.js'

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

export class TimeIndexReader extends IndexFileReader<TimeIndexEntry> {
  constructor(fs: FileSystem, fd: number, baseOffset: number) {
    super(fs, fd, baseOffset, TIME_INDEX_ENTRY_BYTES)
  }

  /** Number of the last entry whose timestamp is at most `timestampMs`, -1 when there is none. */
  slotForTimestamp(timestampMs: number): number {
    return this.lastSlotWhere((entry) => entry.timestampMs <= timestampMs)
  }

  /** Number of the last entry whose offset is at most `offset`, -1 when there is none. */
  slotForOffset(offset: number): number {
    return this.lastSlotWhere((entry) => entry.offset <= offset)
  }

  /** A timestamp beyond 2^53-1 is none that can be looked up. */
  protected decode(view: DataView, n: number): TimeIndexEntry | undefined {
    const timestampMs = Number(view.getBigInt64(0))
    const relativeOffset = view.getInt32(8)
    if (relativeOffset < 0 || (n > 0 && relativeOffset === 0) || !Number.isSafeInteger(timestampMs)) return undefined
    return { timestampMs, offset: this.baseOffset + relativeOffset }
  }
}
