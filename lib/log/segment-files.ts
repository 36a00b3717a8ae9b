/**
 * The three files of one segment, open for writing, and how a new segment comes to be (format-spec/segment.md).
 */
import { createFile, openOrCreateFile, removeQuietly, unshareFile, type Ownership } from '../system/durable.js'
import type { System } from '../system/system.js'
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
  segmentFileName,
  type SegmentSuffix,
} from './file-names.js'
import type { IndexSink, SegmentTail } from './segment-tail.js'

export class SegmentFiles implements IndexSink {
  private constructor(
    private readonly system: System,
    private readonly directory: string,
    readonly baseOffset: number,
    readonly logFd: number,
    private readonly offsetIndexFd: number,
    private readonly timeIndexFd: number,
  ) {}

  /**
   * Opens a segment; index files that are missing are created empty, and the caller finds them too short and rebuilds.
   */
  static open(system: System, directory: string, baseOffset: number, ownership: Ownership): SegmentFiles {
    const path = (suffix: SegmentSuffix) => `${directory}/${segmentFileName(baseOffset, suffix)}`
    const logFd = system.fs.open(path(LOG_SUFFIX), 'read-write')
    try {
      const offsetIndexFd = openOrCreateFile(system, path(OFFSET_INDEX_SUFFIX), ownership)
      try {
        const timeIndexFd = openOrCreateFile(system, path(TIME_INDEX_SUFFIX), ownership)
        return new SegmentFiles(system, directory, baseOffset, logFd, offsetIndexFd, timeIndexFd)
      } catch (error) {
        system.fs.close(offsetIndexFd)
        throw error
      }
    } catch (error) {
      system.fs.close(logFd)
      throw error
    }
  }

  /**
   * Creates an empty segment. The .log comes last: its name is what makes the segment exist, and left-over index files of a
   * creation that crashed are overwritten. The directory entry is durable on return.
   */
  static create(system: System, directory: string, baseOffset: number, ownership: Ownership): SegmentFiles {
    const path = (suffix: SegmentSuffix) => `${directory}/${segmentFileName(baseOffset, suffix)}`
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const) {
      unshareFile(system, path(suffix), ownership)
      const fd = openOrCreateFile(system, path(suffix), ownership)
      try {
        system.fs.truncate(fd, 0)
      } finally {
        system.fs.close(fd)
      }
    }
    system.failpoint('segment.before-create')
    system.fs.close(createFile(system, path(LOG_SUFFIX), ownership))
    system.failpoint('segment.after-create')
    system.fs.syncDirectory(directory)
    return SegmentFiles.open(system, directory, baseOffset, ownership)
  }

  get logPath(): string {
    return `${this.directory}/${segmentFileName(this.baseOffset, LOG_SUFFIX)}`
  }

  get indexDescriptors(): { readonly offsetIndexFd: number; readonly timeIndexFd: number } {
    return { offsetIndexFd: this.offsetIndexFd, timeIndexFd: this.timeIndexFd }
  }

  writeOffsetEntry(bytes: Uint8Array, position: number): boolean {
    return this.#writeEntry(this.offsetIndexFd, bytes, position)
  }

  writeTimeEntry(bytes: Uint8Array, position: number): boolean {
    return this.#writeEntry(this.timeIndexFd, bytes, position)
  }

  /** Drops index entries beyond these lengths. */
  truncateIndexes(offsetIndexBytes: number, timeIndexBytes: number): void {
    for (const [fd, sizeBytes] of [
      [this.offsetIndexFd, offsetIndexBytes],
      [this.timeIndexFd, timeIndexBytes],
    ] as const) {
      if (this.system.fs.fileStatus(fd).sizeBytes > sizeBytes) this.system.fs.truncate(fd, sizeBytes)
    }
  }

  /** Takes back entries of a batch that was cut off again. */
  dropEntriesBeyond({ offsetIndexBytes, timeIndexBytes }: Pick<SegmentTail, 'offsetIndexBytes' | 'timeIndexBytes'>): void {
    try {
      this.truncateIndexes(offsetIndexBytes, timeIndexBytes)
    } catch {
      // An index is a cache: the next append writes over them.
    }
  }

  /** Whether both indexes are as long as somebody remembers them. */
  hasIndexes(offsetIndexBytes: number, timeIndexBytes: number): boolean {
    const { fs } = this.system
    return (
      fs.fileStatus(this.offsetIndexFd).sizeBytes === offsetIndexBytes &&
      fs.fileStatus(this.timeIndexFd).sizeBytes === timeIndexBytes
    )
  }

  /** Before a segment is closed for good, so that a power cut does not leave half an index that nobody would walk again. */
  syncIndexes(): void {
    for (const fd of [this.offsetIndexFd, this.timeIndexFd]) {
      try {
        this.system.fs.fdatasyncBlocking(fd)
      } catch {
        // An index is a cache: what it says is checked against the log by whoever uses it.
      }
    }
  }

  close(): void {
    for (const fd of [this.logFd, this.offsetIndexFd, this.timeIndexFd]) this.system.fs.close(fd)
  }

  #writeEntry(fd: number, bytes: Uint8Array, position: number): boolean {
    try {
      return this.system.fs.write(fd, bytes, 0, bytes.length, position) === bytes.length
    } catch {
      // A full disk, usually. The next entry that is due takes this place; look-ups scan a little further until then.
      return false
    }
  }
}

/** Unlinks the files of a segment, indexes first: a .log without indexes is whole, indexes without a .log are litter. */
export function unlinkSegment(system: System, directory: string, baseOffset: number): void {
  for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX] as const) {
    removeQuietly(system.fs, `${directory}/${segmentFileName(baseOffset, suffix)}`)
  }
  system.fs.unlink(`${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`)
}
