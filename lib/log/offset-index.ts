/**
 * The offset index: a sparse map from offset to position, a cache that is rebuilt from the .log (format-spec/offset-index.md).
 *
 * An entry is a batch's last offset, relative to the segment's base, and the position where that batch starts. An entry of relative
 * offset 0 after the first is the tail that Kafka preallocates, and ends the file.
 */
import type { FileSystem } from '../system/file-system.js'
import { readInto } from '../system/durable.js'

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

/** Reads entries one by one, so that a look-up in a large index reads a dozen entries and not the file. */
export class OffsetIndexReader {
  readonly entryCount: number
  readonly #bytes = new Uint8Array(OFFSET_INDEX_ENTRY_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)

  constructor(
    private readonly fs: FileSystem,
    private readonly fd: number,
    private readonly baseOffset: number,
  ) {
    this.entryCount = Math.floor(fs.fileStatus(fd).sizeBytes / OFFSET_INDEX_ENTRY_BYTES)
  }

  /** The n-th entry; undefined past the end and in the preallocated tail. */
  entry(n: number): OffsetIndexEntry | undefined {
    if (n < 0 || n >= this.entryCount) return undefined
    const count = readInto(this.fs, this.fd, this.#bytes, 0, OFFSET_INDEX_ENTRY_BYTES, n * OFFSET_INDEX_ENTRY_BYTES)
    if (count !== OFFSET_INDEX_ENTRY_BYTES) return undefined
    const relativeOffset = this.#view.getInt32(0)
    const position = this.#view.getInt32(4)
    if (relativeOffset < 0 || position < 0 || (n > 0 && relativeOffset === 0)) return undefined
    return { offset: this.baseOffset + relativeOffset, position }
  }

  /** Number of the last entry whose offset is at most `offset`, -1 when there is none. */
  slotFor(offset: number): number {
    return this.#lastSlotWhere((entry) => entry.offset <= offset)
  }

  /** Number of the last entry whose position is at most `position`, -1 when there is none. */
  slotForPosition(position: number): number {
    return this.#lastSlotWhere((entry) => entry.position <= position)
  }

  #lastSlotWhere(holds: (entry: OffsetIndexEntry) => boolean): number {
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
