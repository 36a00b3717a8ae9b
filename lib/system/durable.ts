/**
 * Durable changes of whole small files, and the few helpers that every reader of small files needs.
 *
 * The order is the one that survives a power cut (format-spec/ordering.md): temporary name in the same directory, data synced,
 * renamed over the old file, directory synced. A rename before the data are synced can leave an empty file.
 */
import { LogqError, systemErrorCode } from '../errors.js'
import type { FileStatus, FileSystem } from './file-system.js'
import type { System } from './system.js'

/** Who owns a new file and what its mode is: both come from the directory that it is made in. */
export interface Ownership {
  readonly userId: number
  readonly groupId: number
  /** Mode of files, without execute bits. */
  readonly fileMode: number
  readonly directoryMode: number
}

export function ownershipOf(directory: FileStatus): Ownership {
  return {
    userId: directory.userId,
    groupId: directory.groupId,
    fileMode: directory.mode & 0o666,
    directoryMode: directory.mode & 0o777,
  }
}

/** Creates a file that must not exist, with the owner and mode of its directory. Returns the open descriptor. */
export function createFile(system: System, path: string, ownership: Ownership): number {
  refuseForeignOwner(system, path, ownership)
  const fd = system.fs.open(path, 'create-new', ownership.fileMode)
  try {
    applyOwnership(system, fd, ownership)
  } catch (error) {
    system.fs.close(fd)
    system.fs.unlink(path)
    throw error
  }
  return fd
}

/**
 * Makes a directory that must not exist, with the owner and mode of the store. Throws LOGQ_IO, and makes nothing, for a user who cannot
 * give it to that owner.
 */
export function createDirectory(system: System, path: string, ownership: Ownership): void {
  // What is there is not made: the caller hears EEXIST, whoever it is.
  if (system.fs.pathStatus(path) === undefined) refuseForeignOwner(system, path, ownership)
  system.fs.makeDirectory(path, ownership.directoryMode, system.self.userId === 0 ? ownership : undefined)
}

/** Opens a file for writing, creating it with the owner and mode of its directory when it is missing. */
export function openOrCreateFile(system: System, path: string, ownership: Ownership): number {
  try {
    return system.fs.open(path, 'read-write')
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
  try {
    return createFile(system, path, ownership)
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
    return system.fs.open(path, 'read-write')
  }
}

/** Replaces a small file in one atomic, durable step. `path` is either the old content or the new one after any crash. */
export function replaceFile(system: System, path: string, content: Uint8Array, ownership: Ownership): void {
  replaceFileInPieces(system, path, [content], ownership)
}

/** The same for content that need not be in memory as a whole. */
export function replaceFileInPieces(system: System, path: string, pieces: Iterable<Uint8Array>, ownership: Ownership): void {
  const { fs } = system
  const directory = parentDirectory(path)
  const temporary = `${directory}/${temporaryName(system)}`
  const fd = createFile(system, temporary, ownership)
  try {
    try {
      let position = 0
      for (const piece of pieces) {
        writeFully(fs, fd, piece, position, temporary)
        position += piece.length
      }
      fs.fdatasyncBlocking(fd)
    } finally {
      fs.close(fd)
    }
    system.failpoint('replace.before-rename')
    fs.rename(temporary, path)
  } catch (error) {
    removeQuietly(fs, temporary)
    throw error
  }
  fs.syncDirectory(directory)
}

/**
 * Gives a path a file of its own where other paths name the same one (hard links: a snapshot, or a copy that somebody made), before
 * it is changed in place. Durable; without other names, or a file, nothing is done.
 */
export function unshareFile(system: System, path: string, ownership: Ownership): void {
  const { fs } = system
  const status = fs.pathStatus(path)
  if (status?.kind !== 'file' || status.links === 1) return
  const fd = fs.open(path, 'read')
  try {
    replaceFileInPieces(system, path, piecesOf(fs, fd), ownership)
  } finally {
    fs.close(fd)
  }
}

const PIECE_BYTES = 1 << 20

/** What a file holds, a piece at a time. */
export function* piecesOf(fs: FileSystem, fd: number, from = 0): Iterable<Uint8Array> {
  for (let position = from; ;) {
    const bytes = readUpTo(fs, fd, position, PIECE_BYTES)
    if (bytes.length === 0) return
    yield bytes
    position += bytes.length
  }
}

/**
 * Temporary names are short and hold nothing of the name that they stand for, so that no name becomes too long. They begin with a
 * dot and are recognised, and swept, by `isTemporaryName`.
 */
export function temporaryName(system: System): string {
  return `.tmp-${Buffer.from(system.random.bytes(6)).toString('hex')}`
}

export function isTemporaryName(name: string): boolean {
  return /^\.tmp-[0-9a-f]{12}$/.test(name)
}

/** The whole of a small file, or undefined when there is none. Larger than `maxBytes` is an error: it is not what it should be. */
export function readSmallFile(fs: FileSystem, path: string, maxBytes = 1 << 20): Uint8Array | undefined {
  let fd: number
  try {
    fd = fs.open(path, 'read')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const { sizeBytes } = fs.fileStatus(fd)
    if (sizeBytes > maxBytes)
      throw new LogqError('LOGQ_CORRUPT', `'${path}' has ${sizeBytes} bytes, at most ${maxBytes} are expected`)
    return readUpTo(fs, fd, 0, sizeBytes)
  } finally {
    fs.close(fd)
  }
}

/** Reads `length` bytes at `position`, fewer only where the file ends. */
export function readUpTo(fs: FileSystem, fd: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  const count = readInto(fs, fd, bytes, 0, length, position)
  return count === length ? bytes : bytes.subarray(0, count)
}

/** Node.js refuses to read 2 GiB at once. */
const MAX_READ_BYTES = 1 << 30

/** Repeats reads until `length` bytes are there or the file ends. Returns the number of bytes read. */
export function readInto(
  fs: FileSystem,
  fd: number,
  buffer: Uint8Array,
  start: number,
  length: number,
  position: number,
): number {
  let done = 0
  while (done < length) {
    const count = fs.read(fd, buffer, start + done, Math.min(length - done, MAX_READ_BYTES), position + done)
    if (count === 0) break
    done += count
  }
  return done
}

/** One write of everything. A short count means that an error is waiting (RELIABILITY: libuv repeats short writes by itself). */
export function writeFully(fs: FileSystem, fd: number, bytes: Uint8Array, position: number, path: string): void {
  const count = fs.write(fd, bytes, 0, bytes.length, position)
  if (count !== bytes.length) throw shortWriteError(path, count, bytes.length)
}

export function shortWriteError(path: string, writtenBytes: number, wantedBytes: number): LogqError {
  return new LogqError('LOGQ_IO', `only ${writtenBytes} of ${wantedBytes} bytes could be written to '${path}'`, {
    hint: 'the disk may be full, or a file size limit reached',
  })
}

export function removeQuietly(fs: FileSystem, path: string): void {
  try {
    fs.unlink(path)
  } catch {
    // It is litter with a temporary name; what failed before is what the caller has to hear about.
  }
}

export function parentDirectory(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}

/** What is made at `path` would not belong to the owner of the store, who could then not use it. */
function refuseForeignOwner(system: System, path: string, ownership: Ownership): void {
  const { userId } = system.self
  if (userId === 0 || userId === ownership.userId) return
  throw new LogqError(
    'LOGQ_IO',
    `cannot create '${path}': its directory belongs to user ${ownership.userId}, this is user ${userId}`,
    {
      hint: `run as the owner of the store (sudo -u '#${ownership.userId}' logq …)`,
    },
  )
}

function applyOwnership(system: System, fd: number, ownership: Ownership): void {
  // The umask only narrows: a mode that open() was asked for and did not get is what the umask took away.
  if (system.self.userId !== 0) return
  const status = system.fs.fileStatus(fd)
  if (status.userId !== ownership.userId || status.groupId !== ownership.groupId) {
    system.fs.changeOwner(fd, ownership.userId, ownership.groupId)
  }
}
