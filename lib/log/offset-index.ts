/**
 * The offset index: a sparse map from offset to position, a cache that is rebuilt from the .log (format-spec/offset-index.md).
 *
 * An entry is a batch's last offset, relative to the segment's base, and the position where that batch starts. An entry of relative
 * offset 0 after the first is the tail that Kafka preallocates, and ends the file.
 */
import type { FileSystem } from '../system/file-system.js'
import { IndexFileReader } from './index-file.js'

export const OFFSET_INDEX_ENTRY_BYTES = 8

export interface OffsetIndexEntry {
  /** Last offset of the batch. */
  readonly offset: number
  /** Where the batch starts in the .log. */
  readonly position: number
}

export function encodeOffsetIndexEntry(entry: OffsetIndexEntry, baseOffset: number): Uint8Array {
  const bytes = new Uint8Array(OFFSET_INDEX_ENTRY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, entry.offset - baseOffset)
  view.setInt32(4, entry.position)
  return bytes
}

export class OffsetIndexReader extends IndexFileReader<OffsetIndexEntry> {
  constructor(fs: FileSystem, fd: number, baseOffset: number) {
    super(fs, fd, baseOffset, OFFSET_INDEX_ENTRY_BYTES)
  }

  /** Number of the last entry whose offset is at most `offset`, -1 when there is none. */
  slotFor(offset: number): number {
    return this.lastSlotWhere((entry) => entry.offset <= offset)
  }

  /** Number of the last entry whose position is at most `position`, -1 when there is none. */
  slotForPosition(position: number): number {
    return this.lastSlotWhere((entry) => entry.position <= position)
  }

  protected decode(view: DataView, n: number): OffsetIndexEntry | undefined {
    const relativeOffset = view.getInt32(0)
    const position = view.getInt32(4)
    if (relativeOffset < 0 || position < 0 || (n > 0 && relativeOffset === 0)) return undefined
    return { offset: this.baseOffset + relativeOffset, position }
  }
}
