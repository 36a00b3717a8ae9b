/**
 * A directory as a location. Files are written under a temporary name in their folder, synced, renamed, and the folder is synced. Nothing
 * is followed: a symbolic link in the place of a folder or a file is refused.
 */
import { LogqError, systemErrorCode } from '../../errors.js'
import { isTemporaryName, parentDirectory, readUpTo, removeQuietly, temporaryName, writeFully } from '../durable.js'
import type { FileStatus } from '../file-system.js'
import type { System } from '../system.js'
import type { Location } from './location.js'

const NEW_DIRECTORY_MODE = 0o777

export class DirectoryLocation implements Location {
  private constructor(
    private readonly system: System,
    readonly name: string,
  ) {}

  static open(system: System, path: string, canCreate: boolean): DirectoryLocation {
    if (!path.startsWith('/')) throw new LogqError('LOGQ_USAGE', `'${path}' is neither an absolute path nor s3://BUCKET/PREFIX`)
    const name = path.replace(/(?<=.)\/+$/, '')
    const kind = kindOf(system, name)
    if (kind === 'directory') return new DirectoryLocation(system, name)
    if (kind !== undefined) throw new LogqError('LOGQ_IO', `'${name}' is not a directory`)
    if (!canCreate || kindOf(system, parentDirectory(name)) !== 'directory')
      throw new LogqError('LOGQ_IO', `'${name}' does not exist`, { hint: 'is its file system mounted?' })
    makeFolder(system, name)
    return new DirectoryLocation(system, name)
  }

  async list(folder: string): Promise<string[]> {
    const files: string[] = []
    const { fs } = this.system
    const walk = (path: string) => {
      for (const name of fs.list(`${this.name}/${path}`)) {
        const below = path === '' ? name : `${path}/${name}`
        const kind = isTemporaryName(name) ? undefined : fs.pathStatus(`${this.name}/${below}`)?.kind
        if (kind === 'directory') walk(below)
        else if (kind !== undefined) files.push(below)
      }
    }
    if (this.#folder(folder) !== undefined) walk(folder)
    return await Promise.resolve(files.sort())
  }

  async sizeOf(file: string): Promise<number | undefined> {
    const status = this.#folder(folderOf(file)) === undefined ? undefined : this.system.fs.pathStatus(`${this.name}/${file}`)
    return await Promise.resolve(status?.sizeBytes)
  }

  async read(file: string, position: number, lengthBytes: number): Promise<Uint8Array> {
    const { fs } = this.system
    this.#folder(folderOf(file))
    const fd = fs.open(`${this.name}/${file}`, 'read')
    try {
      return await Promise.resolve(readUpTo(fs, fd, position, lengthBytes))
    } finally {
      fs.close(fd)
    }
  }

  async put(file: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const { fs } = this.system
    const folder = this.#makeFolders(folderOf(file))
    const temporary = `${folder}/${temporaryName(this.system)}`
    const mode = (fs.pathStatus(folder)?.mode ?? 0) & 0o666
    const fd = fs.open(temporary, 'create-new', mode)
    try {
      const ahead = new SyncAhead(() => fs.fdatasync(fd))
      try {
        let position = 0
        for await (const piece of pieces) {
          writeFully(fs, fd, piece, position, temporary)
          position += piece.length
          ahead.wrote(piece.length)
        }
        await ahead.finish()
      } finally {
        await ahead.end()
        fs.close(fd)
      }
      this.system.failpoint('location.before-rename')
      fs.rename(temporary, `${this.name}/${file}`)
    } catch (error) {
      removeQuietly(fs, temporary)
      throw error
    }
    fs.syncDirectory(folder)
  }

  async remove(file: string): Promise<void> {
    const folder = this.#folder(folderOf(file))
    if (folder === undefined) return
    try {
      this.system.fs.unlink(`${this.name}/${file}`)
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error
    }
    await Promise.resolve()
    this.system.fs.syncDirectory(folder)
  }

  sweep(folder: string): void {
    const path = this.#folder(folder)
    if (path === undefined) return
    for (const name of this.system.fs.list(path)) if (isTemporaryName(name)) removeQuietly(this.system.fs, `${path}/${name}`)
  }

  close(): void {
    // Nothing is held open.
  }

  /** Undefined when it is not there. Throws LOGQ_IO for what is no directory. */
  #folder(folder: string): string | undefined {
    let path = this.name
    for (const part of partsOf(folder)) {
      path += `/${part}`
      const kind = this.system.fs.pathStatus(path)?.kind
      if (kind === undefined) return undefined
      if (kind !== 'directory') throw new LogqError('LOGQ_IO', `'${path}' is not a directory`)
    }
    return path
  }

  #makeFolders(folder: string): string {
    let path = this.name
    for (const part of partsOf(folder)) {
      path += `/${part}`
      const kind = this.system.fs.pathStatus(path)?.kind
      if (kind === undefined) makeFolder(this.system, path)
      else if (kind !== 'directory') throw new LogqError('LOGQ_IO', `'${path}' is not a directory`)
    }
    return path
  }
}

/** So much is written before the device is asked for it, while the next bytes are made. */
const SYNC_AHEAD_BYTES = 8 << 20

/** Lets the device write while the bytes that follow are read, compressed and digested: the sync at the end then finds little to do. */
class SyncAhead {
  #unsyncedBytes = 0
  #pending: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(private readonly sync: () => Promise<void>) {}

  /** Throws what a sync failed with that was begun before. */
  wrote(lengthBytes: number): void {
    this.#throwFailure()
    this.#unsyncedBytes += lengthBytes
    if (this.#unsyncedBytes < SYNC_AHEAD_BYTES || this.#pending !== undefined) return
    this.#unsyncedBytes = 0
    this.#pending = this.sync().then(
      () => {
        this.#pending = undefined
      },
      (error: unknown) => {
        this.#failure = { error }
        this.#pending = undefined
      },
    )
  }

  /** All that was written is on the device. */
  async finish(): Promise<void> {
    await this.#pending
    this.#throwFailure()
    await this.sync()
  }

  /** Nothing is under way any more: the file may be closed. */
  async end(): Promise<void> {
    await this.#pending
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

/** Behind a symbolic link: the location itself may be one, as a store may. */
function kindOf({ fs }: System, path: string): FileStatus['kind'] | undefined {
  const kind = fs.pathStatus(path)?.kind
  return kind === 'symlink' ? fs.pathStatus(`${path}/.`)?.kind : kind
}

function partsOf(folder: string): string[] {
  return folder === '' ? [] : folder.split('/')
}

function folderOf(file: string): string {
  return file.slice(0, Math.max(file.lastIndexOf('/'), 0))
}

/** With the mode of the directory that it is in. */
function makeFolder(system: System, path: string): void {
  const parent = parentDirectory(path)
  const mode = system.fs.pathStatus(parent)?.mode ?? NEW_DIRECTORY_MODE
  try {
    system.fs.makeDirectory(path, mode & NEW_DIRECTORY_MODE)
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
  }
  system.fs.syncDirectory(parent)
}
