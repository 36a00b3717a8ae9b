/**
 * Shows the entries of both kinds of index, and of each whether the .log beside it bears it out. Whether an entry that does not is a
 * fault of the index is for the check to say: behind damage of the .log it is not.
 */
import { readInt32, readInt64Exactly } from '../bytes/big-endian.js'
import { BatchPlaces, indexableTimestamp, type BatchPlace } from '../log/batch-places.js'
import { OFFSET_INDEX_ENTRY_BYTES } from '../log/offset-index.js'
import { TIME_INDEX_ENTRY_BYTES } from '../log/time-index.js'
import { readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import type { OffsetIndexEntryItem, PassedItem, PreallocatedItem, TimeIndexEntryItem } from './dump-item.js'

export interface IndexFile {
  readonly path: string
  readonly baseOffset: number
  /** Undefined when there is none beside it. */
  readonly logPath: string | undefined
}

export type IndexItem = OffsetIndexEntryItem | TimeIndexEntryItem | PreallocatedItem | PassedItem

const CHUNK_ENTRIES = 4096

/** Throws a system error: ENOENT when the file is gone. */
export function* dumpOffsetIndex(fs: FileSystem, index: IndexFile): Generator<IndexItem> {
  yield* withLog(fs, index, function* (places) {
    yield* entries(fs, index.path, OFFSET_INDEX_ENTRY_BYTES, (bytes, at, entry) => {
      const offset = index.baseOffset + readInt32(bytes, at)
      const logPosition = readInt32(bytes, at + 4)
      const matches = places === undefined ? undefined : places.at(logPosition)?.lastOffset === offset
      const position = entry * OFFSET_INDEX_ENTRY_BYTES
      return { type: 'offset-index-entry', file: index.path, position, entry, offset, logPosition, matches }
    })
  })
}

/** Throws a system error: ENOENT when the file is gone. */
export function* dumpTimeIndex(fs: FileSystem, index: IndexFile): Generator<IndexItem> {
  yield* withLog(fs, index, function* (places) {
    const walk = places === undefined ? undefined : new Walk(places)
    yield* entries(fs, index.path, TIME_INDEX_ENTRY_BYTES, (bytes, at, entry) => {
      const timestampMs = readInt64Exactly(bytes, at)
      const offset = index.baseOffset + readInt32(bytes, at + 8)
      const batch = walk?.to(offset)
      const matches =
        batch === undefined
          ? undefined
          : batch !== 'none' && indexableTimestamp({ maxTimestampMs: timestampMs }) === batch.maxTimestampMs
      const position = entry * TIME_INDEX_ENTRY_BYTES
      return { type: 'time-index-entry', file: index.path, position, entry, timestampMs, offset, matches }
    })
  })
}

/** Walks the headers of the log once, forwards, beside an index whose entries rise. */
class Walk {
  readonly #batches: Iterator<BatchPlace>
  #present: BatchPlace | undefined

  constructor(places: BatchPlaces) {
    this.#batches = places.from(0)
    this.#advance()
  }

  /** The batch with that last offset; 'none' when there is none, undefined when the log cannot be read up to there. */
  to(offset: number): BatchPlace | 'none' | undefined {
    if (this.#present !== undefined && this.#present.lastOffset > offset) return 'none'
    while (this.#present !== undefined && this.#present.lastOffset < offset) this.#advance()
    return this.#present === undefined ? undefined : this.#present.lastOffset === offset ? this.#present : 'none'
  }

  #advance(): void {
    const next = this.#batches.next()
    this.#present = next.done === true ? undefined : next.value
  }
}

function* withLog(
  fs: FileSystem,
  { logPath }: IndexFile,
  dump: (places: BatchPlaces | undefined) => Generator<IndexItem>,
): Generator<IndexItem> {
  const fd = logPath === undefined || fs.pathStatus(logPath)?.kind !== 'file' ? undefined : fs.open(logPath, 'read')
  try {
    yield* dump(fd === undefined ? undefined : new BatchPlaces(fs, fd))
  } finally {
    if (fd !== undefined) fs.close(fd)
  }
}

function* entries<Item extends OffsetIndexEntryItem | TimeIndexEntryItem>(
  fs: FileSystem,
  path: string,
  entryBytes: number,
  decode: (bytes: Uint8Array, at: number, entry: number) => Item,
): Generator<Item | PreallocatedItem | PassedItem> {
  const fd = fs.open(path, 'read')
  try {
    const contentEnd = endOfContent(fs, fd)
    for (let first = 0; ; first += CHUNK_ENTRIES) {
      const bytes = readUpTo(fs, fd, first * entryBytes, CHUNK_ENTRIES * entryBytes)
      const count = Math.floor(bytes.length / entryBytes)
      for (let n = 0; n < count; n += 1) {
        const at = n * entryBytes
        const position = (first + n) * entryBytes
        const item = decode(bytes, at, first + n)
        // The first entry may be one of zeros, when the log has such a batch.
        if (position >= contentEnd && (position > 0 || item.matches !== true)) {
          yield { type: 'preallocated', file: path, position, sizeBytes: fs.fileStatus(fd).sizeBytes - position }
          return
        }
        yield item
      }
      if (count === CHUNK_ENTRIES) continue
      const rest = bytes.length - count * entryBytes
      if (rest > 0) yield { type: 'passed-over', file: path, position: (first + count) * entryBytes, sizeBytes: rest }
      return
    }
  } finally {
    fs.close(fd)
  }
}

/** Where the zero bytes begin that the file ends with; its size when it ends with another. */
function endOfContent(fs: FileSystem, fd: number): number {
  for (let end = fs.fileStatus(fd).sizeBytes; end > 0;) {
    const start = Math.max(0, end - (1 << 16))
    const last = readUpTo(fs, fd, start, end - start).findLastIndex((byte) => byte !== 0)
    if (last >= 0) return start + last + 1
    end = start
  }
  return 0
}
