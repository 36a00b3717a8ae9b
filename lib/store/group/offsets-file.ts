/**
 * The `offsets` file of a group: one checked line a commit, only ever appended to, and written anew when it has grown large
 * (format-spec/group-offsets.md). Whoever appends holds the group's lock; anybody may read.
 *
 * What is above the synced length and not whole was cut off by a crash, and is passed over. Below it, it is damage: commits that were
 * promised are gone, and going on would deliver records again from far back, or begin at the end.
 */
import { LogqError, systemErrorCode } from '../../errors.js'
import { openOrCreateFile, readUpTo, replaceFileInPieces, shortWriteError, type Ownership } from '../../system/durable.js'
import type { System } from '../../system/system.js'
import { checkedLines, formatCheckedLine } from './checked-line.js'
import { CommittedOffsets, commitFromJson, commitToJson, type Commit } from './committed-offsets.js'
import type { GroupLock, SyncedLength } from './group-lock.js'

/** A file above this size is written anew when most of it is out of date. */
const REWRITE_FROM_BYTES = 1 << 20
const REWRITE_FACTOR = 4
const MAX_READ_BYTES = 1 << 20

/** Where lines of the file are damaged. */
export interface OffsetsDamage {
  readonly position: number
  readonly sizeBytes: number
}

interface BadLine extends OffsetsDamage {
  /** It has NUL bytes in it, which no line has: what a power cut leaves where something was never written. */
  readonly isHole: boolean
}

export class OffsetsFile {
  readonly path: string
  #fd: number | undefined
  #inode = 0
  /** Up to where the file was read: the end of a whole line. */
  #readBytes = 0
  #offsets = new CommittedOffsets()
  #damage: BadLine[] = []
  #syncedBytes = 0

  constructor(
    private readonly system: System,
    directory: string,
    fileName: string,
    private readonly ownership: Ownership,
  ) {
    this.path = `${directory}/${fileName}`
  }

  /** As of the last `refresh`. */
  get offsets(): CommittedOffsets {
    return this.#offsets
  }

  /** Bytes that were read. */
  get sizeBytes(): number {
    return this.#readBytes
  }

  /** Reads what was committed since the last call. */
  refresh(): void {
    const { fs } = this.system
    const present = fs.pathStatus(this.path)
    if (this.#fd === undefined || present?.inode !== this.#inode || present.sizeBytes < this.#readBytes) this.#reopen()
    if (this.#fd === undefined) return
    const { sizeBytes } = fs.fileStatus(this.#fd)
    while (this.#readBytes < sizeBytes) {
      const left = sizeBytes - this.#readBytes
      if (!this.#readLines(this.#fd, Math.min(left, MAX_READ_BYTES)) && !this.#readLines(this.#fd, left)) break
    }
  }

  /** Appends a line. The caller holds the group's lock, and has refreshed under it. Throws LOGQ_IO; then the file is as it was. */
  append(commit: Commit, lock: GroupLock): void {
    const { fs } = this.system
    // What a power cut left between whole lines would be taken for damage once it lies below the synced length.
    // A copy made of hard links has the same file, and commits nothing by itself.
    const isShared = this.#fd !== undefined && fs.fileStatus(this.#fd).links > 1
    if (this.#damage.length > 0 || isShared) this.rewrite(lock)
    const fd = (this.#fd ??= this.#create())
    // Half a line, of somebody who was killed: what follows it would be part of it.
    if (fs.fileStatus(fd).sizeBytes > this.#readBytes) fs.truncate(fd, this.#readBytes)
    const line = formatCheckedLine(commitToJson(commit))
    try {
      const writtenBytes = fs.write(fd, line, 0, line.length, this.#readBytes)
      if (writtenBytes !== line.length) throw shortWriteError(this.path, writtenBytes, line.length)
    } catch (error) {
      fs.truncate(fd, this.#readBytes)
      throw error instanceof Error && !('path' in error) ? Object.assign(error, { path: this.path }) : error
    }
    this.#readBytes += line.length
    this.#offsets.apply(commit)
  }

  /** Writes the file anew when it is large for what it says. The caller holds the group's lock. */
  rewriteWhenLarge(lock: GroupLock): void {
    if (this.#readBytes < REWRITE_FROM_BYTES || this.#damage.length > 0) return
    const lines = this.#offsets.commits().map((commit) => formatCheckedLine(commitToJson(commit)))
    if (lines.reduce((sum, { length }) => sum + length, 0) * REWRITE_FACTOR > this.#readBytes) return
    this.rewrite(lock, lines)
  }

  /** Writes all that is known, without what is damaged. The caller holds the group's lock. */
  rewrite(lock: GroupLock, lines = this.#offsets.commits().map((commit) => formatCheckedLine(commitToJson(commit)))): void {
    this.system.failpoint('offsets.before-rewrite')
    replaceFileInPieces(this.system, this.path, lines, this.ownership)
    this.system.failpoint('offsets.after-rewrite')
    this.#reopen()
    this.refresh()
    // The file system may give this file the number of one that was there before, and the note would speak of that.
    this.#syncedBytes = this.#readBytes
    lock.writeSyncedLength({ inode: this.#inode, sizeBytes: this.#readBytes })
  }

  /**
   * Lines below the synced length that cannot be read. Of a file that was put in the place of the one that the length speaks of, such as a
   * restored one: all that cannot be read, and are not what a power cut leaves.
   */
  damage(synced: SyncedLength | undefined): OffsetsDamage[] {
    if (this.#fd === undefined) return synced === undefined ? [] : [{ position: 0, sizeBytes: synced.sizeBytes }]
    if (synced?.inode !== this.#inode) return this.#damage.filter(({ isHole }) => !isHole)
    const syncedBytes = synced.sizeBytes
    const lost = this.#readBytes < syncedBytes ? [{ position: this.#readBytes, sizeBytes: syncedBytes - this.#readBytes }] : []
    return [...this.#damage.filter(({ position }) => position < syncedBytes), ...lost]
  }

  /** Throws LOGQ_CORRUPT where commits that were promised cannot be read. */
  refuseDamage(synced: SyncedLength | undefined, group: string): void {
    const [first] = this.damage(synced)
    if (first === undefined) return
    throw new LogqError('LOGQ_CORRUPT', `'${this.path}' is damaged at position ${first.position}: commits may be missing`, {
      hint: `see 'logq group show ${group}', then set the offsets with 'logq group seek ${group} --force', which keeps a copy of the file`,
    })
  }

  /** Makes what was appended so far durable, and notes so in the lock file. Other processes may append meanwhile. */
  async sync(lock: GroupLock): Promise<void> {
    const fd = this.#fd
    const length = { inode: this.#inode, sizeBytes: this.#readBytes }
    if (fd === undefined || length.sizeBytes <= this.#syncedBytes) return
    await this.system.fs.fdatasync(fd)
    // Whoever wrote the file anew meanwhile did so durably, and noted its length.
    if (this.#inode !== length.inode || this.system.fs.pathStatus(this.path)?.inode !== length.inode) return
    this.#syncedBytes = length.sizeBytes
    lock.writeSyncedLength(length)
  }

  close(): void {
    if (this.#fd !== undefined) this.system.fs.close(this.#fd)
    this.#fd = undefined
  }

  #reopen(): void {
    this.close()
    this.#readBytes = 0
    this.#syncedBytes = 0
    this.#damage = []
    this.#offsets = new CommittedOffsets()
    try {
      this.#fd = this.system.fs.open(this.path, 'read-write')
    } catch (error) {
      const code = systemErrorCode(error)
      if (code === 'ENOENT') return
      // Somebody who may only look.
      if (code !== 'EACCES' && code !== 'EROFS') throw error
      this.#fd = this.system.fs.open(this.path, 'read')
    }
    this.#inode = this.system.fs.fileStatus(this.#fd).inode
  }

  #create(): number {
    const fd = openOrCreateFile(this.system, this.path, this.ownership)
    this.#inode = this.system.fs.fileStatus(fd).inode
    this.system.fs.syncDirectory(this.path.slice(0, this.path.lastIndexOf('/')))
    return fd
  }

  /** False when there is no whole line in so many bytes. */
  #readLines(fd: number, lengthBytes: number): boolean {
    const bytes = readUpTo(this.system.fs, fd, this.#readBytes, lengthBytes)
    const start = this.#readBytes
    for (const { position, sizeBytes, content } of checkedLines(bytes, start)) {
      if (bytes[position - start + sizeBytes - 1] !== 0x0a) break
      if (content === undefined) {
        const isHole = bytes.subarray(position - start, position - start + sizeBytes).includes(0)
        this.#damage.push({ position, sizeBytes, isHole })
      }
      const commit = content === undefined ? undefined : commitFromJson(content)
      if (commit !== undefined) this.#offsets.apply(commit)
      this.#readBytes = position + sizeBytes
    }
    return this.#readBytes > start
  }
}
