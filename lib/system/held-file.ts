/**
 * Whether the file at a path is still the one that was read: told by one look. The file is held open, so its inode number cannot be given
 * to the one that replaces it. For small files that are replaced and never written in place.
 */
import { systemErrorCode } from '../errors.js'
import type { FileSystem } from './file-system.js'

interface Held {
  readonly fd: number
  readonly inode: number
  readonly sizeBytes: number
  readonly modifiedMs: number
}

export class HeldFile {
  #held: Held | undefined

  constructor(
    private readonly fs: FileSystem,
    private readonly path: string,
  ) {}

  /** False too when there was none when `take` looked. Throws a system error. */
  isSame(): boolean {
    const held = this.#held
    if (held === undefined) return false
    const present = this.fs.pathStatus(this.path)
    return present?.inode === held.inode && present.sizeBytes === held.sizeBytes && present.modifiedMs === held.modifiedMs
  }

  /** Takes what stands there now, to be read at once; undefined when nothing does. Throws a system error. */
  take(): { readonly fd: number; readonly sizeBytes: number } | undefined {
    this.close()
    let fd: number
    try {
      fd = this.fs.open(this.path, 'read')
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
    this.#held = { fd, ...this.fs.fileStatus(fd) }
    return this.#held
  }

  close(): void {
    if (this.#held !== undefined) this.fs.close(this.#held.fd)
    this.#held = undefined
  }
}
