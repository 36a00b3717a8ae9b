/**
 * The real file system. Opens carry O_NOFOLLOW | O_NONBLOCK and are followed by fstat, so that a symbolic link, a FIFO or a device
 * that stands where a segment should be is refused instead of followed or waited for (libuv adds O_CLOEXEC to every open).
 */
import fs from 'node:fs'
import { systemErrorCode } from '../errors.js'
import type { FileStatus, FileSystem, OpenMode } from './file-system.js'
import { systemError } from './system-error.js'

export function createNodeFileSystem(): FileSystem {
  return nodeFileSystem
}

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECTORY } = fs.constants
// Both are undefined on Windows, where only reading is supported; `|` takes that for 0.
const GUARD_FLAGS = fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK

const OPEN_FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY | GUARD_FLAGS,
  'read-write': O_RDWR | GUARD_FLAGS,
  create: O_RDWR | O_CREAT | GUARD_FLAGS,
  'create-new': O_RDWR | O_CREAT | O_EXCL | GUARD_FLAGS,
}

/** By descriptor, for messages. */
const openPaths = new Map<number, string>()

const nodeFileSystem: FileSystem = {
  open(path, mode, permissions = 0o666) {
    let fd: number
    try {
      fd = fs.openSync(path, OPEN_FLAGS[mode], permissions)
    } catch (error) {
      throw refusalOf(path, error)
    }
    let status: fs.Stats
    try {
      status = fs.fstatSync(fd)
      if (status.isFile()) {
        openPaths.set(fd, path)
        return fd
      }
    } catch (error) {
      fs.closeSync(fd)
      throw withPath(path, error)
    }
    fs.closeSync(fd)
    throw systemError('EINVAL', 'open', path, `is a ${kindInWords(status)}, not a regular file`)
  },

  close(fd) {
    openPaths.delete(fd)
    fs.closeSync(fd)
  },

  read(fd, buffer, start, length, position) {
    try {
      return onFile(fd, () => fs.readSync(fd, buffer, start, length, position))
    } catch (error) {
      throw error instanceof Error ? Object.assign(error, { position }) : error
    }
  },
  write: (fd, buffer, start, length, position) => onFile(fd, () => fs.writeSync(fd, buffer, start, length, position)),
  truncate: (fd, sizeBytes) => onFile(fd, () => fs.ftruncateSync(fd, sizeBytes)),
  fdatasync: (fd) =>
    new Promise((resolve, reject) => {
      fs.fdatasync(fd, (error) => {
        if (error) reject(withPath(openPaths.get(fd), error))
        else resolve()
      })
    }),

  fdatasyncBlocking: (fd) => onFile(fd, () => fs.fdatasyncSync(fd)),
  syncDirectory(path) {
    const fd = fs.openSync(path, O_RDONLY | O_DIRECTORY)
    try {
      fs.fsyncSync(fd)
    } catch (error) {
      throw withPath(path, error)
    } finally {
      fs.closeSync(fd)
    }
  },

  fileStatus: (fd) => onFile(fd, () => statusOf(fs.fstatSync(fd))),
  pathStatus(path) {
    try {
      const status = fs.lstatSync(path, { throwIfNoEntry: false })
      return status === undefined ? undefined : statusOf(status)
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw error
    }
  },

  list: (path) => fs.readdirSync(path).sort(),
  makeDirectory(path, permissions = 0o777, owner) {
    fs.mkdirSync(path, permissions)
    if (owner !== undefined) fs.lchownSync(path, owner.userId, owner.groupId)
  },
  removeDirectory: (path) => fs.rmdirSync(path),
  rename: (from, to) => fs.renameSync(from, to),
  link: (from, to) => fs.linkSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  changeMode: (fd, permissions) => onFile(fd, () => fs.fchmodSync(fd, permissions)),
  changeOwner: (fd, userId, groupId) => onFile(fd, () => fs.fchownSync(fd, userId, groupId)),
  fileSystemType: (path) => fs.statfsSync(path).type,
  freeBytes(path) {
    const { bavail, bsize } = fs.statfsSync(path)
    return bavail * bsize
  },
  totalBytes(path) {
    const { blocks, bfree, bavail, bsize } = fs.statfsSync(path)
    return (blocks - bfree + bavail) * bsize
  },
}

/** The system knows the descriptor only; whoever reads the message wants to know the file. */
function onFile<Result>(fd: number, call: () => Result): Result {
  try {
    return call()
  } catch (error) {
    throw withPath(openPaths.get(fd), error)
  }
}

function withPath(path: string | undefined, error: unknown): Error {
  const named = error instanceof Error ? error : new Error(String(error))
  return path === undefined || 'path' in named ? named : Object.assign(named, { path })
}

function statusOf(status: fs.Stats): FileStatus {
  return {
    kind: status.isFile() ? 'file' : status.isDirectory() ? 'directory' : status.isSymbolicLink() ? 'symlink' : 'other',
    device: status.dev,
    inode: status.ino,
    links: status.nlink,
    sizeBytes: status.size,
    // Undefined on Windows.
    allocatedBytes: Number.isFinite(status.blocks) ? status.blocks * 512 : status.size,
    modifiedMs: status.mtimeMs,
    mode: status.mode & 0o7777,
    userId: status.uid,
    groupId: status.gid,
  }
}

function kindInWords(status: fs.Stats): string {
  if (status.isSymbolicLink()) return 'symbolic link'
  if (status.isDirectory()) return 'directory'
  if (status.isFIFO()) return 'FIFO'
  if (status.isSocket()) return 'socket'
  if (status.isCharacterDevice() || status.isBlockDevice()) return 'device'
  return 'special file'
}

function isAbsence(error: unknown): boolean {
  const code = systemErrorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** The kernel says ELOOP, EISDIR or ENXIO by itself for some of what is refused; the message then names what stands there. */
function refusalOf(path: string, error: unknown): unknown {
  const code = systemErrorCode(error)
  // FreeBSD has EMLINK for what O_NOFOLLOW refuses.
  if (code !== 'ELOOP' && code !== 'EMLINK' && code !== 'EISDIR' && code !== 'ENXIO') return error
  const status = fs.lstatSync(path, { throwIfNoEntry: false })
  if (status === undefined) return error
  if (status.isSymbolicLink()) return systemError('ELOOP', 'open', path, 'is a symbolic link, not a regular file')
  if (status.isFile()) return error
  return systemError('EINVAL', 'open', path, `is a ${kindInWords(status)}, not a regular file`)
}
