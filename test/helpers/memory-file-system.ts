/**
 * One process's view of a disk in memory (memory-disk.ts): `FileSystem` and `KernelLocks` with descriptors of its own. Error codes are
 * Linux's; memory-file-system.test.ts compares every operation with the real file system.
 */
import type { FileStatus, FileSystem, OpenMode } from '../../lib/system/file-system.js'
import type { DirectoryInode, FileInode, Inode, MemoryDisk } from './memory-disk.js'
import { LockTable } from './memory-locks.js'
import { systemError } from '../../lib/system/system-error.js'
import type { KernelLocks } from '../../lib/system/system.js'

/** A process on `disk`, with descriptors and locks of its own; any number of them may use one disk. */
export function openProcess(disk: MemoryDisk): MemoryProcess {
  return new MemoryProcess(disk)
}

/** Numbers that no real file system would give, so that a mix-up is noticed. */
const DEVICE = 0xd15c

const LONGEST_NAME_BYTES = 255
const LONGEST_PATH_BYTES = 4095

/** A name in a directory, whether or not something has it. */
interface Place {
  readonly directory: DirectoryInode
  readonly name: string
}

interface OpenFile {
  readonly inode: FileInode
  readonly writable: boolean
}

export class MemoryProcess implements FileSystem, KernelLocks {
  readonly #disk: MemoryDisk
  readonly #files = new Map<number, OpenFile>()
  #killed = false

  constructor(disk: MemoryDisk) {
    this.#disk = disk
  }

  /** SIGKILL: descriptors and locks are gone at once, what was written stays in the page cache. Later calls fail with EIO. */
  kill(): void {
    this.#killed = true
    for (const fd of [...this.#files.keys()]) this.#drop(fd)
  }

  get openDescriptors(): number {
    return this.#files.size
  }

  open(path: string, mode: OpenMode, permissions = 0o666): number {
    this.#requireLife('open', path)
    const place = this.#parentOf(path, 'open')
    let inode = lookUp(place, 'open', path)
    if (inode !== undefined && mode === 'create-new') throw systemError('EEXIST', 'open', path)
    if (inode?.kind === 'directory') throw systemError('EINVAL', 'open', path, 'is a directory, not a regular file')
    if (inode === undefined) {
      if (mode !== 'create' && mode !== 'create-new') throw systemError('ENOENT', 'open', path)
      inode = this.#disk.createFile(place.directory, place.name, permissions)
    }
    inode.opens += 1
    let fd = 3
    while (this.#files.has(fd)) fd += 1
    this.#files.set(fd, { inode, writable: mode !== 'read' })
    return fd
  }

  close(fd: number): void {
    this.#fileOf(fd, 'close')
    this.#drop(fd)
  }

  read(fd: number, buffer: Uint8Array, start: number, length: number, position: number): number {
    return this.#fileOf(fd, 'read').inode.content.read(buffer, start, length, position)
  }

  write(fd: number, buffer: Uint8Array, start: number, length: number, position: number): number {
    const { inode, writable } = this.#fileOf(fd, 'write')
    if (!writable) throw systemError('EBADF', 'write')
    const written = inode.content.write(buffer, start, length, position, this.#disk.allocatePage)
    if (written === 0 && length > 0) throw systemError('ENOSPC', 'write')
    if (written > 0) inode.modifiedMs = this.#disk.nowMs()
    return written
  }

  truncate(fd: number, sizeBytes: number): void {
    const { inode, writable } = this.#fileOf(fd, 'ftruncate')
    if (!writable || sizeBytes < 0) throw systemError('EINVAL', 'ftruncate')
    const before = inode.content.allocatedPages
    inode.content.truncate(sizeBytes)
    this.#disk.freePages(before - inode.content.allocatedPages)
    inode.modifiedMs = this.#disk.nowMs()
  }

  async fdatasync(fd: number): Promise<void> {
    const { inode } = this.#fileOf(fd, 'fdatasync')
    const complete = this.#beginSync(inode)
    await new Promise<void>((resolve) => {
      this.#disk.scheduleSync(resolve)
    })
    this.#requireLife('fdatasync')
    complete()
  }

  fdatasyncBlocking(fd: number): void {
    this.#beginSync(this.#fileOf(fd, 'fdatasync').inode)()
  }

  /**
   * Does to the page cache what a failed fdatasync does, for those who inject one: what was to be synced counts as clean although
   * the device never took it, and a later sync succeeds without it. With `evict`, readers see the old bytes from now on.
   */
  failSync(fd: number, evict = false): void {
    const { content } = this.#fileOf(fd, 'fdatasync').inode
    content.failSync(content.beginSync(), evict)
  }

  syncDirectory(path: string): void {
    this.#requireLife('open', path)
    this.#disk.syncDirectory(this.#directoryAt(path, 'open'))
  }

  fileStatus(fd: number): FileStatus {
    return statusOf(this.#fileOf(fd, 'fstat').inode)
  }

  pathStatus(path: string): FileStatus | undefined {
    this.#requireLife('lstat', path)
    try {
      const inode = this.#inodeAt(path, 'lstat')
      return inode === undefined ? undefined : statusOf(inode)
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error
    }
  }

  /** utimes on what is at `path`, with the time of the disk. */
  touch(path: string): void {
    this.#requireLife('utime', path)
    const inode = this.#inodeAt(path, 'utime')
    if (inode === undefined) throw systemError('ENOENT', 'utime', path)
    inode.modifiedMs = this.#disk.nowMs()
  }

  list(path: string): string[] {
    this.#requireLife('scandir', path)
    return [...this.#directoryAt(path, 'scandir').entries.keys()].sort()
  }

  makeDirectory(path: string, permissions = 0o777): void {
    this.#requireLife('mkdir', path)
    const place = this.#parentOf(path, 'mkdir')
    if (lookUp(place, 'mkdir', path) !== undefined) throw systemError('EEXIST', 'mkdir', path)
    this.#disk.createDirectory(place.directory, place.name, permissions)
  }

  removeDirectory(path: string): void {
    this.#requireLife('rmdir', path)
    const place = this.#parentOf(path, 'rmdir')
    const inode = lookUp(place, 'rmdir', path)
    if (place.name === '') throw systemError('EBUSY', 'rmdir', path)
    if (inode === undefined) throw systemError('ENOENT', 'rmdir', path)
    if (inode.kind !== 'directory') throw systemError('ENOTDIR', 'rmdir', path)
    if (inode.entries.size > 0) throw systemError('ENOTEMPTY', 'rmdir', path)
    this.#disk.change([{ ...place, inode: undefined }])
  }

  rename(from: string, to: string): void {
    this.#requireLife('rename', from)
    const source = this.#parentOf(from, 'rename')
    const target = this.#parentOf(to, 'rename')
    if (source.name === '' || target.name === '') throw systemError('EBUSY', 'rename', from)
    const inode = lookUp(source, 'rename', from)
    if (inode === undefined) throw systemError('ENOENT', 'rename', from)
    const old = lookUp(target, 'rename', to)
    if (inode.kind === 'directory' && isAtOrAbove(inode, target.directory)) throw systemError('EINVAL', 'rename', from)
    if (old?.kind === 'directory' && isAtOrAbove(old, source.directory)) throw systemError('ENOTEMPTY', 'rename', from)
    if (old === inode) return
    if (old !== undefined && inode.kind !== old.kind) {
      throw systemError(old.kind === 'directory' ? 'EISDIR' : 'ENOTDIR', 'rename', from)
    }
    if (old?.kind === 'directory' && old.entries.size > 0) throw systemError('ENOTEMPTY', 'rename', from)
    this.#disk.change(
      [
        { ...source, inode: undefined },
        { ...target, inode },
      ],
      inode.kind === 'directory',
    )
  }

  link(from: string, to: string): void {
    this.#requireLife('link', from)
    const source = this.#parentOf(from, 'link')
    const inode = lookUp(source, 'link', from)
    if (inode === undefined) throw systemError('ENOENT', 'link', from)
    const target = this.#parentOf(to, 'link')
    if (lookUp(target, 'link', to) !== undefined) throw systemError('EEXIST', 'link', to)
    if (inode.kind === 'directory') throw systemError('EPERM', 'link', from)
    this.#disk.change([{ ...target, inode }])
  }

  unlink(path: string): void {
    this.#requireLife('unlink', path)
    const place = this.#parentOf(path, 'unlink')
    const inode = lookUp(place, 'unlink', path)
    if (inode === undefined) throw systemError('ENOENT', 'unlink', path)
    if (inode.kind === 'directory') throw systemError('EISDIR', 'unlink', path)
    this.#disk.change([{ ...place, inode: undefined }])
  }

  changeMode(fd: number, permissions: number): void {
    const { inode } = this.#fileOf(fd, 'fchmod')
    inode.attributes = { ...inode.attributes, mode: permissions & 0o7777 }
  }

  changeOwner(fd: number, userId: number, groupId: number): void {
    const { inode } = this.#fileOf(fd, 'fchown')
    inode.attributes = { ...inode.attributes, userId, groupId }
  }

  fileSystemType(path: string): number {
    this.#requireLife('statfs', path)
    if (this.#inodeAt(path, 'statfs') === undefined) throw systemError('ENOENT', 'statfs', path)
    return this.#disk.fileSystemType
  }

  freeBytes(path: string): number {
    this.#requireLife('statfs', path)
    if (this.#inodeAt(path, 'statfs') === undefined) throw systemError('ENOENT', 'statfs', path)
    return this.#disk.freeBytes
  }

  totalBytes(path: string): number {
    return this.freeBytes(path) + this.#disk.usedBytes
  }

  tryLock(fd: number, shared: boolean): boolean {
    return LockTable.of(this.#lockable(fd, shared)).tryLock(this.#fileOf(fd, 'lock'), shared)
  }

  async waitForLock(fd: number, shared: boolean): Promise<void> {
    await LockTable.of(this.#lockable(fd, shared)).wait(this.#fileOf(fd, 'lock'), shared)
  }

  unlock(fd: number): void {
    const file = this.#fileOf(fd, 'unlock')
    LockTable.of(file.inode).unlock(file)
  }

  /** As the kernel has it: a shared lock needs a descriptor that may read, an exclusive one a descriptor that may write. */
  #lockable(fd: number, shared: boolean): FileInode {
    const file = this.#fileOf(fd, 'lock')
    if (!shared && !file.writable) throw systemError('EBADF', 'lock')
    return file.inode
  }

  #beginSync(inode: FileInode): () => void {
    const sync = inode.content.beginSync()
    const sequence = this.#disk.lastSequence
    const { attributes } = inode
    return () => {
      inode.content.completeSync(sync)
      inode.syncedAttributes = attributes
      this.#disk.noteSync(sequence)
    }
  }

  #drop(fd: number): void {
    const file = this.#files.get(fd)
    if (file === undefined) return
    this.#files.delete(fd)
    LockTable.of(file.inode).forget(file)
    file.inode.opens -= 1
    this.#disk.release(file.inode)
  }

  #requireLife(syscall: string, path?: string): void {
    if (this.#disk.dead) throw systemError('EIO', syscall, path, 'the power was cut')
    if (this.#killed) throw systemError('EIO', syscall, path, 'the process was killed')
  }

  #fileOf(fd: number, syscall: string): OpenFile {
    this.#requireLife(syscall)
    const file = this.#files.get(fd)
    if (file === undefined) throw systemError('EBADF', syscall)
    return file
  }

  /** The directory that a path's last part is in; an empty name for the root. */
  #parentOf(path: string, syscall: string): Place {
    if (path === '') throw systemError('ENOENT', syscall, path)
    if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) throw systemError('ENAMETOOLONG', syscall, path)
    const names = path.split('/').filter((name) => name !== '' && name !== '.')
    const last = names.pop() ?? ''
    let directory: DirectoryInode = this.#disk.root
    for (const name of names) {
      requireShort(name, syscall, path)
      const next = name === '..' ? directory.parent : directory.entries.get(name)
      if (next === undefined) throw systemError('ENOENT', syscall, path)
      if (next.kind !== 'directory') throw systemError('ENOTDIR', syscall, path)
      directory = next
    }
    return { directory, name: last }
  }

  #inodeAt(path: string, syscall: string): Inode | undefined {
    return lookUp(this.#parentOf(path, syscall), syscall, path)
  }

  #directoryAt(path: string, syscall: string): DirectoryInode {
    const inode = this.#inodeAt(path, syscall)
    if (inode === undefined) throw systemError('ENOENT', syscall, path)
    if (inode.kind !== 'directory') throw systemError('ENOTDIR', syscall, path)
    return inode
  }
}

function lookUp({ directory, name }: Place, syscall: string, path: string): Inode | undefined {
  requireShort(name, syscall, path)
  if (name === '') return directory
  return name === '..' ? directory.parent : directory.entries.get(name)
}

function requireShort(name: string, syscall: string, path: string): void {
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) throw systemError('ENAMETOOLONG', syscall, path)
}

function isAtOrAbove(directory: DirectoryInode, below: DirectoryInode): boolean {
  for (let place = below; ; place = place.parent) {
    if (place === directory) return true
    if (place.parent === place) return false
  }
}

function statusOf(inode: Inode): FileStatus {
  return {
    kind: inode.kind,
    device: DEVICE,
    inode: inode.number,
    links: inode.kind === 'file' ? inode.links : 2,
    sizeBytes: inode.kind === 'file' ? inode.content.sizeBytes : 4096,
    allocatedBytes: inode.kind === 'file' ? inode.content.allocatedPages * 4096 : 4096,
    modifiedMs: inode.modifiedMs,
    ...inode.attributes,
  }
}
