/**
 * A file system in which a partition also has the segments that are archived and no longer here, so that everything that reads a log reads
 * them too. Only what is read is touched: a segment that is not compressed at its place, a compressed one block by block. What is on
 * S3 is fetched first: `read` throws AwaitedBytes. The log start offset is that of the first such segment.
 */
import { systemErrorCode } from '../../errors.js'
import {
  LOG_START_OFFSET_FILE,
  LOG_SUFFIX,
  RECOVERY_POINT_FILE,
  parseSegmentFileName,
  segmentFileName,
} from '../../log/file-names.js'
import type { ArchivedHint } from '../../log/log-view.js'
import { formatLogStartOffset } from '../../log/log-start-offset.js'
import { encodeRecoveryPoint } from '../../log/recovery-point.js'
import { readSmallFile } from '../../system/durable.js'
import type { FileStatus, FileSystem, OpenMode } from '../../system/file-system.js'
import { systemError } from '../../system/system-error.js'
import { objectPath } from './archive-names.js'
import { CompressedBlocks } from './compressed-blocks.js'
import { firstEndingAbove } from './covered.js'
import type { ArchivedPartition, ArchivedSegment, Manifest } from './manifest.js'
import { damagedObject, type StoredObjects } from './stored-objects.js'

/** No descriptor of the system is so large. */
const FIRST_DESCRIPTOR = 2 ** 40

interface OpenFile {
  readonly status: FileStatus
  read(buffer: Uint8Array, start: number, length: number, position: number): number
  close(): void
}

interface ArchivedObject {
  readonly partition: ArchivedPartition
  readonly segment: ArchivedSegment
}

export interface ArchiveSource {
  /** Of the partition; it need not be there. */
  readonly directory: string
  readonly objects: StoredObjects
  /**
   * What of the archive is to be seen beside the segments that are in the directory, as things are now. Always asked after the directory:
   * a segment is archived first and removed then, so that who looks in this order finds it in one of the two.
   */
  readonly archived: () => Manifest | undefined
  /** Nothing of the partition is here: the archive is all of it. */
  readonly isAlone: boolean
}

export class ArchiveFileSystem implements FileSystem {
  readonly #open = new Map<number, OpenFile>()
  #nextDescriptor = FIRST_DESCRIPTOR

  constructor(
    private readonly inner: FileSystem,
    private readonly source: ArchiveSource,
  ) {}

  open(path: string, mode: OpenMode, permissions?: number): number {
    const file = mode === 'read' ? this.#openForReading(path) : this.inner.open(path, mode, permissions)
    if (typeof file === 'number') return file
    const fd = (this.#nextDescriptor += 1)
    this.#open.set(fd, file)
    return fd
  }

  close(fd: number): void {
    const file = this.#open.get(fd)
    if (file === undefined) {
      this.inner.close(fd)
      return
    }
    this.#open.delete(fd)
    file.close()
  }

  read(fd: number, buffer: Uint8Array, start: number, length: number, position: number): number {
    const file = this.#open.get(fd)
    return file === undefined
      ? this.inner.read(fd, buffer, start, length, position)
      : file.read(buffer, start, length, position)
  }

  fileStatus(fd: number): FileStatus {
    return this.#open.get(fd)?.status ?? this.inner.fileStatus(fd)
  }

  pathStatus(path: string): FileStatus | undefined {
    const here = this.inner.pathStatus(path)
    if (here !== undefined) return here
    const found = this.#segmentAt(path)
    return found === undefined ? undefined : statusOf(found.segment.baseOffset, found.segment.sizeBytes)
  }

  list(path: string): string[] {
    if (path !== this.source.directory) return this.inner.list(path)
    const here = this.source.isAlone ? [] : this.inner.list(path)
    const archived = this.#segments().map(({ baseOffset }) => segmentFileName(baseOffset, LOG_SUFFIX))
    return [...new Set([...here, ...archived])].sort()
  }

  write(fd: number, buffer: Uint8Array, start: number, length: number, position: number): number {
    return this.inner.write(fd, buffer, start, length, position)
  }

  truncate(fd: number, sizeBytes: number): void {
    this.inner.truncate(fd, sizeBytes)
  }

  async fdatasync(fd: number): Promise<void> {
    if (!this.#open.has(fd)) await this.inner.fdatasync(fd)
  }

  fdatasyncBlocking(fd: number): void {
    if (!this.#open.has(fd)) this.inner.fdatasyncBlocking(fd)
  }

  syncDirectory(path: string): void {
    this.inner.syncDirectory(path)
  }

  makeDirectory(...values: Parameters<FileSystem['makeDirectory']>): void {
    this.inner.makeDirectory(...values)
  }

  removeDirectory(path: string): void {
    this.inner.removeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.inner.rename(from, to)
  }

  link(from: string, to: string): void {
    this.inner.link(from, to)
  }

  unlink(path: string): void {
    this.inner.unlink(path)
  }

  changeMode(fd: number, permissions: number): void {
    this.inner.changeMode(fd, permissions)
  }

  changeOwner(fd: number, userId: number, groupId: number): void {
    this.inner.changeOwner(fd, userId, groupId)
  }

  fileSystemType(path: string): number {
    return this.inner.fileSystemType(path)
  }

  freeBytes(path: string): number {
    return this.inner.freeBytes(path)
  }

  totalBytes(path: string): number {
    return this.inner.totalBytes(path)
  }

  #segments(): readonly ArchivedSegment[] {
    return this.source.archived()?.segments ?? []
  }

  #segmentAt(path: string): ArchivedObject | undefined {
    const { directory } = this.source
    if (!path.startsWith(`${directory}/`)) return undefined
    const base = parseSegmentFileName(path.slice(directory.length + 1), LOG_SUFFIX)
    if (base === undefined) return undefined
    return this.#archived(base)
  }

  #archived(baseOffset: number): ArchivedObject | undefined {
    const manifest = this.source.archived()
    if (manifest === undefined) return undefined
    const { partition, segments } = manifest
    const segment = segments[firstEndingAbove(segments, baseOffset)]
    return segment?.baseOffset === baseOffset ? { partition, segment } : undefined
  }

  /** Of a segment that is in the archive, what is known without reading it. */
  hintOf(baseOffset: number): ArchivedHint | undefined {
    const found = this.#archived(baseOffset)
    if (found === undefined) return undefined
    const { largestTimestampMs } = found.segment
    return { path: `${this.source.objects.name}/${objectPath(found.partition, found.segment)}`, largestTimestampMs }
  }

  /** What is in the directory, and else in the archive. The log start of the archive comes first, and is looked for in the same order. */
  #openForReading(path: string): number | OpenFile {
    const { directory, isAlone } = this.source
    if (isAlone && path === `${directory}/${RECOVERY_POINT_FILE}`) return this.#endOfAll() ?? this.inner.open(path, 'read')
    if (path === `${directory}/${LOG_START_OFFSET_FILE}`) return this.#openLogStart(path)
    try {
      return this.inner.open(path, 'read')
    } catch (error) {
      const found = systemErrorCode(error) === 'ENOENT' ? this.#segmentAt(path) : undefined
      if (found === undefined) throw error
      return this.#openObject(found)
    }
  }

  #openLogStart(path: string): number | OpenFile {
    const here = readSmallFile(this.inner, path)
    const [first] = this.#segments()
    if (first !== undefined) return fileOf(formatLogStartOffset(first.baseOffset))
    if (here === undefined) throw systemError('ENOENT', 'open', path)
    return fileOf(here)
  }

  /** What says that the log ends where the archive does, so that nobody has to look for the end. */
  #endOfAll(): OpenFile | undefined {
    const last = this.#segments().at(-1)
    if (last === undefined) return undefined
    const { baseOffset, sizeBytes, lastOffset } = last
    return fileOf(
      encodeRecoveryPoint({ sequence: 1, offset: lastOffset + 1, segmentBaseOffset: baseOffset, position: sizeBytes }),
    )
  }

  #openObject({ partition, segment }: ArchivedObject): OpenFile {
    const object = this.source.objects.open(partition, segment)
    const status = statusOf(segment.baseOffset, segment.sizeBytes)
    const close = () => {
      object.close()
    }
    if (segment.codec === 'none')
      return { status, close, read: (buffer, start, length, position) => object.read(buffer, start, length, position) }
    const stored = (position: number, length: number) => {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, object.read(bytes, 0, length, position))
    }
    const file = `${this.source.objects.name}/${objectPath(partition, segment)}`
    const blocks = new CompressedBlocks(segment, stored, (what, position, cause) =>
      damagedObject(file, partition, segment, what, position, cause),
    )
    return { status, close, read: (buffer, start, length, position) => blocks.read(buffer, start, length, position) }
  }
}

function fileOf(bytes: Uint8Array): OpenFile {
  return {
    status: statusOf(0, bytes.length),
    read(buffer, start, length, position) {
      const piece = bytes.subarray(position, position + length)
      buffer.set(piece, start)
      return piece.length
    },
    close: () => undefined,
  }
}

/** A device and inodes that nothing on this machine has: what reads a log sees that a segment is another file than before. */
function statusOf(baseOffset: number, sizeBytes: number): FileStatus {
  const nobody = { userId: 0, groupId: 0 }
  return {
    kind: 'file',
    device: -1,
    inode: -1 - baseOffset,
    links: 1,
    sizeBytes,
    allocatedBytes: 0,
    modifiedMs: 0,
    mode: 0o400,
    ...nobody,
  }
}
