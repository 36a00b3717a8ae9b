/**
 * A file system that fails when told to, over any other one: for tests that fail every call in turn, or crash before every step.
 *
 * It also keeps a list of what was called, with paths in place of descriptors.
 */
import type { FileStatus, FileSystem, OpenMode } from '../../lib/system/file-system.js'
import { systemError } from '../../lib/system/system-error.js'

export type FileOperation = keyof FileSystem

export interface Fault {
  readonly operation: FileOperation
  /** Only calls whose path contains this; every path when left out. */
  readonly pathIncludes?: string
  /** Which of the matching calls from now on fails; the first when left out. */
  readonly nth?: number
  /** What it fails with, such as 'ENOSPC'. */
  readonly code: string
  /** All later matching calls fail as well. */
  readonly persistent?: boolean
  /** For 'write': the n-th call writes this many bytes less and says so, as a disk does that fills up; the next one fails. */
  readonly shortBy?: number
}

export interface RecordedOperation {
  readonly operation: FileOperation
  readonly path: string
  /** The second path of a rename or a link. */
  readonly to?: string
  readonly position?: number
  readonly length?: number
  readonly mode?: OpenMode
  /** 1 for the first operation that changes something or makes a change durable; undefined for the others. */
  readonly mutation?: number
}

/** Stands for the death of the process at that point. Every later call throws it as well: the dead clean nothing up. */
export class CrashSignal extends Error {
  readonly mutation: number

  constructor(mutation: number) {
    super(`the process dies before mutation ${mutation}`)
    this.name = 'CrashSignal'
    this.mutation = mutation
  }
}

interface ArmedFault extends Fault {
  /** Matching calls so far. */
  seen: number
  /** Which of them fails; one later once a write was short. */
  failing: number
}

const PAGE_BYTES = 4096

type CallDetails = Omit<RecordedOperation, 'operation' | 'path' | 'mutation'>

const MUTATING: ReadonlySet<FileOperation> = new Set([
  'write',
  'truncate',
  'fdatasync',
  'fdatasyncBlocking',
  'syncDirectory',
  'makeDirectory',
  'removeDirectory',
  'rename',
  'link',
  'unlink',
  'changeMode',
  'changeOwner',
])

export class FaultyFileSystem implements FileSystem {
  /** Everything that was called, in order, failed calls included. */
  readonly operations: RecordedOperation[] = []
  readonly #inner: FileSystem
  readonly #onSyncFailure: (fd: number) => void
  readonly #paths = new Map<number, string>()
  #faults: ArmedFault[] = []
  #badPages: { readonly inode: number | undefined; readonly position: number }[] = []
  #mutations = 0
  #crashBefore = Infinity
  #crash: CrashSignal | undefined

  /**
   * `onSyncFailure` is called when an fdatasync is made to fail, instead of the real one: a disk in memory then loses the pages, as
   * a real one does (MemoryProcess.failSync).
   */
  constructor(inner: FileSystem, options: { onSyncFailure?: (fd: number) => void } = {}) {
    this.#inner = inner
    this.#onSyncFailure = options.onSyncFailure ?? (() => undefined)
  }

  failNth(fault: Fault): void {
    this.#faults.push({ ...fault, seen: 0, failing: fault.nth ?? 1 })
  }

  /** The 4096 bytes from `position` on of the file that is now at this path cannot be read from now on. */
  breakPage(path: string, position: number): void {
    this.#badPages.push({ inode: this.#inner.pathStatus(path)?.inode, position })
    this.#badPages.sort((a, b) => a.position - b.position)
  }

  /** Takes back all faults and the crash; the recorded operations stay. */
  reset(): void {
    this.#faults = []
    this.#badPages = []
    this.#crashBefore = Infinity
    this.#crash = undefined
  }

  /** Throws CrashSignal instead of doing the n-th mutating operation, counted from the making of this object, and from then on. */
  crashBefore(n: number): void {
    this.#crashBefore = n
  }

  /** Mutating operations so far. */
  get mutations(): number {
    return this.#mutations
  }

  get hasCrashed(): boolean {
    return this.#crash !== undefined
  }

  open(path: string, mode: OpenMode, permissions?: number): number {
    this.#enter('open', path, { mode })
    const fd = this.#inner.open(path, mode, permissions)
    this.#paths.set(fd, path)
    return fd
  }

  close(fd: number): void {
    this.#enter('close', this.#pathOf(fd))
    this.#inner.close(fd)
    this.#paths.delete(fd)
  }

  read(fd: number, buffer: Uint8Array, start: number, length: number, position: number): number {
    const path = this.#pathOf(fd)
    this.#enter('read', path, { position, length })
    const bad = this.#badPageOf(fd, position)
    if (bad === undefined || position + length <= bad.position) return this.#inner.read(fd, buffer, start, length, position)
    // As the kernel does: what stands before the page is read, and the page itself is an error.
    if (position >= bad.position) throw systemError('EIO', 'read', path)
    return this.#inner.read(fd, buffer, start, bad.position - position, position)
  }

  write(fd: number, buffer: Uint8Array, start: number, length: number, position: number): number {
    const shortBy = this.#enter('write', this.#pathOf(fd), { position, length })
    return this.#inner.write(fd, buffer, start, length - shortBy, position)
  }

  truncate(fd: number, sizeBytes: number): void {
    this.#enter('truncate', this.#pathOf(fd), { length: sizeBytes })
    this.#inner.truncate(fd, sizeBytes)
  }

  async fdatasync(fd: number): Promise<void> {
    this.#enterSync('fdatasync', fd)
    await this.#inner.fdatasync(fd)
    // The process may have died while the device was busy: then nobody learns that it was done.
    if (this.#crash !== undefined) throw this.#crash
  }

  fdatasyncBlocking(fd: number): void {
    this.#enterSync('fdatasyncBlocking', fd)
    this.#inner.fdatasyncBlocking(fd)
  }

  syncDirectory(path: string): void {
    this.#enter('syncDirectory', path)
    this.#inner.syncDirectory(path)
  }

  fileStatus(fd: number): FileStatus {
    this.#enter('fileStatus', this.#pathOf(fd))
    return this.#inner.fileStatus(fd)
  }

  pathStatus(path: string): FileStatus | undefined {
    this.#enter('pathStatus', path)
    return this.#inner.pathStatus(path)
  }

  list(path: string): string[] {
    this.#enter('list', path)
    return this.#inner.list(path)
  }

  makeDirectory(...values: Parameters<FileSystem['makeDirectory']>): void {
    this.#enter('makeDirectory', values[0])
    this.#inner.makeDirectory(...values)
  }

  removeDirectory(path: string): void {
    this.#enter('removeDirectory', path)
    this.#inner.removeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#enter('rename', from, { to })
    this.#inner.rename(from, to)
    for (const [fd, path] of this.#paths) {
      if (path === from) this.#paths.set(fd, to)
      else if (path.startsWith(`${from}/`)) this.#paths.set(fd, to + path.slice(from.length))
    }
  }

  link(from: string, to: string): void {
    this.#enter('link', from, { to })
    this.#inner.link(from, to)
  }

  unlink(path: string): void {
    this.#enter('unlink', path)
    this.#inner.unlink(path)
  }

  changeMode(fd: number, permissions: number): void {
    this.#enter('changeMode', this.#pathOf(fd))
    this.#inner.changeMode(fd, permissions)
  }

  changeOwner(fd: number, userId: number, groupId: number): void {
    this.#enter('changeOwner', this.#pathOf(fd))
    this.#inner.changeOwner(fd, userId, groupId)
  }

  fileSystemType(path: string): number {
    this.#enter('fileSystemType', path)
    return this.#inner.fileSystemType(path)
  }

  freeBytes(path: string): number {
    this.#enter('freeBytes', path)
    return this.#inner.freeBytes(path)
  }

  totalBytes(path: string): number {
    this.#enter('totalBytes', path)
    return this.#inner.totalBytes(path)
  }

  #enterSync(operation: 'fdatasync' | 'fdatasyncBlocking', fd: number): void {
    try {
      this.#enter(operation, this.#pathOf(fd))
    } catch (error) {
      if (!(error instanceof CrashSignal)) this.#onSyncFailure(fd)
      throw error
    }
  }

  /** Records the call and throws what it shall fail with. Returns how many bytes short a write shall be. */
  #enter(operation: FileOperation, path: string, details: CallDetails = {}): number {
    if (this.#crash !== undefined) throw this.#crash
    const mutates = MUTATING.has(operation) || details.mode === 'create' || details.mode === 'create-new'
    if (!mutates) {
      this.operations.push({ operation, path, ...details })
    } else {
      if (this.#mutations + 1 >= this.#crashBefore) {
        this.#crash = new CrashSignal(this.#crashBefore)
        throw this.#crash
      }
      this.#mutations += 1
      this.operations.push({ operation, path, ...details, mutation: this.#mutations })
    }
    return this.#applyFaults(operation, path, details.to, details.length ?? 0)
  }

  #applyFaults(operation: FileOperation, path: string, to: string | undefined, length: number): number {
    for (const fault of this.#faults) {
      const where = fault.pathIncludes ?? ''
      if (fault.operation !== operation || !(path.includes(where) || to?.includes(where) === true)) continue
      fault.seen += 1
      if (fault.seen < fault.failing || (fault.seen > fault.failing && fault.persistent !== true)) continue
      const shortBy = fault.shortBy ?? 0
      if (fault.seen === (fault.nth ?? 1) && shortBy > 0 && shortBy < length) {
        fault.failing += 1
        return shortBy
      }
      throw systemError(fault.code, operation, path)
    }
    return 0
  }

  #badPageOf(fd: number, position: number): { readonly position: number } | undefined {
    if (this.#badPages.length === 0) return undefined
    const { inode } = this.#inner.fileStatus(fd)
    return this.#badPages.find((page) => page.inode === inode && position < page.position + PAGE_BYTES)
  }

  #pathOf(fd: number): string {
    return this.#paths.get(fd) ?? `descriptor ${fd}`
  }
}
