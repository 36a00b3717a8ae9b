/**
 * A file system in which a partition also has the segments that are archived in a directory and no longer here, so that everything that
 * reads a log reads them too. Only what is read is touched: a segment that is not compressed at its place, a compressed one block by
 * block. The log start offset is that of the first such segment.
 */
import { CorruptionError, systemErrorCode } from '../../errors.js'
import {
  LOG_START_OFFSET_FILE,
  LOG_SUFFIX,
  RECOVERY_POINT_FILE,
  parseSegmentFileName,
  segmentFileName,
} from '../../log/file-names.js'
import { formatLogStartOffset } from '../../log/log-start-offset.js'
import { encodeRecoveryPoint } from '../../log/recovery-point.js'
import { InvalidBatchError } from '../../record/batch.js'
import { decompress } from '../../record/compression.js'
import { readSmallFile, readUpTo } from '../../system/durable.js'
import type { FileStatus, FileSystem, OpenMode } from '../../system/file-system.js'
import { systemError } from '../../system/system-error.js'
import { objectPath } from './archive-names.js'
import { BLOCK_BYTES, type ArchivedPartition, type ArchivedSegment, type Manifest } from './manifest.js'

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
  /** An absolute path. */
  readonly location: string
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
    const manifest = this.source.archived()
    const segment = manifest?.segments.find(({ baseOffset }) => baseOffset === base)
    return manifest === undefined || segment === undefined ? undefined : { partition: manifest.partition, segment }
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
    const parts = objectPath(partition, segment).split('/')
    let path = this.source.location
    const damaged = (what: string, position = 0, cause?: unknown) =>
      new CorruptionError(
        `'${partition.topic}-${partition.partition}' is damaged in its archive: ${what},`,
        { topic: partition.topic, partition: partition.partition, offset: segment.baseOffset, file: path, position },
        { hint: "see 'logq archive --verify'; is the file system of the archive mounted?", cause },
      )
    for (const [n, part] of parts.entries()) {
      path += `/${part}`
      const kind = this.inner.pathStatus(path)?.kind
      if (kind === undefined) throw damaged('the file is missing')
      if (kind !== (n === parts.length - 1 ? 'file' : 'directory')) throw damaged(`a ${kind} is in its place`)
    }
    const { inner } = this
    const fd = inner.open(path, 'read')
    const { sizeBytes } = inner.fileStatus(fd)
    if (sizeBytes !== segment.storedBytes) {
      inner.close(fd)
      throw damaged(`the file has ${sizeBytes} bytes, and ${segment.storedBytes} are expected`)
    }
    const status = statusOf(segment.baseOffset, segment.sizeBytes)
    const close = () => {
      inner.close(fd)
    }
    if (segment.codec === 'none')
      return { status, close, read: (buffer, start, length, position) => inner.read(fd, buffer, start, length, position) }
    const blocks = new Blocks(segment, (position, length) => readUpTo(inner, fd, position, length), damaged)
    return { status, close, read: (buffer, start, length, position) => blocks.read(buffer, start, length, position) }
  }
}

/** The bytes of a compressed segment. The block that was looked at last is kept, and the one before it. */
class Blocks {
  readonly #starts: number[] = []
  #kept: { readonly n: number; readonly bytes: Uint8Array }[] = []

  constructor(
    private readonly segment: ArchivedSegment,
    private readonly stored: (position: number, length: number) => Uint8Array,
    private readonly damaged: (what: string, position: number, cause?: unknown) => CorruptionError,
  ) {
    let start = 0
    for (const size of segment.blocks) {
      this.#starts.push(start)
      start += size
    }
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): number {
    let done = 0
    while (done < length && position + done < this.segment.sizeBytes) {
      const n = Math.floor((position + done) / BLOCK_BYTES)
      const within = position + done - n * BLOCK_BYTES
      const piece = this.#block(n).subarray(within, within + length - done)
      buffer.set(piece, start + done)
      done += piece.length
    }
    return done
  }

  #block(n: number): Uint8Array {
    const known = this.#kept.find((one) => one.n === n)
    if (known !== undefined) return known.bytes
    const position = this.#starts[n] ?? 0
    const expected = Math.min(BLOCK_BYTES, this.segment.sizeBytes - n * BLOCK_BYTES)
    const bytes = this.#decompressed(position, this.segment.blocks[n] ?? 0, expected)
    this.#kept = [{ n, bytes }, ...this.#kept.slice(0, 1)]
    return bytes
  }

  #decompressed(position: number, length: number, expected: number): Uint8Array {
    let cause: unknown
    try {
      const bytes = decompress(this.segment.codec, this.stored(position, length), expected)
      if (bytes.length === expected) return bytes
    } catch (error) {
      if (!(error instanceof InvalidBatchError)) throw error
      cause = error
    }
    throw this.damaged('a compressed block cannot be read', position, cause)
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
