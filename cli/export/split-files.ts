/**
 * `export --dir`: one file for each topic, partition or key.
 *
 * 1. A file is written under a temporary name. Of many files only a few are open at a time; a closed one is opened again
 *    and written on. A file that is there already is not touched, unless with --force: it is named, and its records are left out.
 * 2. When all records are written, each file is synced and renamed to its name, and the directory is synced.
 *
 * When something fails, or a signal comes, before step 2, the temporary files are removed and no file has its name: what has
 * its name is whole.
 */
import { dirname, join } from 'node:path'
import { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import { systemErrorCode } from '../../lib/errors.js'
import type { FileSystem } from '../../lib/system/file-system.js'
import { failureOf } from '../errors.js'
import type { Io } from '../io.js'
import type { PrintedRecord } from '../print/printer.js'
import { fileNameOfKey, fileNameOfPartition } from './file-names.js'
import type { ExportOutput, ExportOutputs } from './outputs.js'

export type SplitBy = 'topic' | 'partition' | 'key'

export interface SplitOptions {
  readonly directory: string
  readonly by: SplitBy
  readonly extension: string
  readonly force: boolean
}

const MAX_OPEN_FILES = 64
const SYNCED_AT_ONCE = 32
/** What is written at once. */
const BUFFER_BYTES = 256 << 10
const NEW_FILE_MODE = 0o666

export class SplitFiles implements ExportOutputs {
  readonly isClosed = false
  readonly #files = new Map<string, SplitFile | 'exists'>()
  /** Those that are open, the one used longest ago first. */
  readonly #open = new Set<SplitFile>()
  readonly #fs: FileSystem

  constructor(
    private readonly options: SplitOptions,
    private readonly io: Io,
  ) {
    this.#fs = io.system.fs
    makeDirectories(this.#fs, options.directory)
  }

  outputOf(topic: string, partition: number, record: PrintedRecord): ExportOutput | undefined | Promise<undefined> {
    const name = `${this.#nameOf(topic, partition, record)}.${this.options.extension}`
    const known = this.#files.get(name)
    if (known === 'exists') return undefined
    if (known === undefined && !this.options.force && this.#isThere(name)) return this.#refuse(name)
    const file = known ?? this.#create(name)
    this.#use(file)
    return file
  }

  async finish(): Promise<void> {
    await this.#syncAll([...this.#files.values()].filter((entry) => entry !== 'exists'))
    for (const [name, entry] of this.#files) {
      if (entry === 'exists') continue
      if (!this.options.force && this.#isThere(name)) {
        await this.#refuse(name)
        this.#fs.unlink(entry.temporaryPath)
      } else {
        this.#fs.rename(entry.temporaryPath, join(this.options.directory, name))
        this.#files.set(name, 'exists')
      }
    }
    this.#fs.syncDirectory(this.options.directory)
  }

  abandon(): void {
    for (const entry of this.#files.values()) {
      if (entry === 'exists') continue
      entry.drop()
      try {
        this.#fs.unlink(entry.temporaryPath)
      } catch {
        // What failed before is what the user hears of.
      }
    }
  }

  /** Several at a time: a device takes them together. */
  async #syncAll(files: readonly SplitFile[]): Promise<void> {
    for (let from = 0; from < files.length; from += SYNCED_AT_ONCE) {
      const some = files.slice(from, from + SYNCED_AT_ONCE)
      for (const file of some) this.#use(file)
      const synced = await Promise.allSettled(some.map((file) => file.sync()))
      const failure = synced.find(({ status }) => status === 'rejected')
      if (failure?.status === 'rejected') throw failure.reason
      for (const file of some) this.#close(file)
    }
  }

  #nameOf(topic: string, partition: number, record: PrintedRecord): string {
    switch (this.options.by) {
      case 'topic':
        return topic
      case 'partition':
        return fileNameOfPartition(topic, partition)
      case 'key':
        return fileNameOfKey(record.key)
    }
  }

  #isThere(name: string): boolean {
    return this.#fs.pathStatus(join(this.options.directory, name)) !== undefined
  }

  async #refuse(name: string): Promise<undefined> {
    this.#files.set(name, 'exists')
    const path = join(this.options.directory, name)
    await this.io.failItem(`'${path}' exists: its records were not exported`, '--force replaces files that are there')
    return undefined
  }

  #create(name: string): SplitFile {
    const { pid } = this.io.system.self
    const path = join(this.options.directory, `.logq-export-${pid}-${this.#files.size}`)
    const file = new SplitFile(this.#fs, path, join(this.options.directory, name))
    file.open('create-new')
    this.#files.set(name, file)
    return file
  }

  /** Opens the file, if need be instead of another one, and makes it the one used last. */
  #use(file: SplitFile): void {
    if (!this.#open.delete(file)) {
      file.open('read-write')
      for (const oldest of this.#open) {
        if (this.#open.size < MAX_OPEN_FILES) break
        this.#close(oldest)
      }
    }
    this.#open.add(file)
  }

  #close(file: SplitFile): void {
    file.close()
    this.#open.delete(file)
  }
}

class SplitFile implements ExportOutput {
  readonly buffer = new GrowableBytes(0)
  isBegun = false
  #fd: number | undefined
  #sizeBytes = 0

  constructor(
    private readonly fs: FileSystem,
    readonly temporaryPath: string,
    private readonly finalPath: string,
  ) {}

  open(mode: 'create-new' | 'read-write'): void {
    this.#fd ??= this.fs.open(this.temporaryPath, mode, NEW_FILE_MODE)
  }

  settle(): undefined {
    if (this.buffer.length >= BUFFER_BYTES) this.#write()
  }

  /** What is buffered is written, and the buffer given back. */
  close(): void {
    this.#write()
    this.buffer.bytes = new Uint8Array(0)
    this.drop()
  }

  async sync(): Promise<void> {
    this.#write()
    try {
      if (this.#fd !== undefined) await this.fs.fdatasync(this.#fd)
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** Closes without writing. */
  drop(): void {
    if (this.#fd !== undefined) this.fs.close(this.#fd)
    this.#fd = undefined
  }

  #write(): void {
    const { buffer } = this
    for (let start = 0; start < buffer.length;) {
      if (this.#fd === undefined) throw new Error('a file that is closed is written to')
      const written = this.#writeSome(this.#fd, start)
      start += written
      this.#sizeBytes += written
    }
    buffer.clear()
    if (buffer.bytes.length > 4 * BUFFER_BYTES) buffer.bytes = new Uint8Array(0)
  }

  #writeSome(fd: number, start: number): number {
    try {
      return this.fs.write(fd, this.buffer.bytes, start, this.buffer.length - start, this.#sizeBytes)
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** The system names no file where it failed to write. */
  #failure(error: unknown): unknown {
    return systemErrorCode(error) === undefined || !(error instanceof Error) ? error : failureOf(error, `'${this.finalPath}'`)
  }
}

/** With those above it. */
function makeDirectories(fs: FileSystem, path: string): void {
  // With the dot, a link to a directory is one.
  if (fs.pathStatus(`${path}/.`)?.kind === 'directory') return
  try {
    fs.makeDirectory(path, 0o777)
  } catch (error) {
    const parent = dirname(path)
    if (systemErrorCode(error) !== 'ENOENT' || parent === path) throw error
    makeDirectories(fs, parent)
    fs.makeDirectory(path, 0o777)
  }
}
