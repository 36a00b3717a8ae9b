/**
 * A disk in memory for tests, which several "processes" use at once and whose power can be cut.
 *
 * It keeps what processes see apart from what is durable, and after a power cut loses as much of the rest as a real file system
 * might. Contents: memory-file-content.ts. Directories: creations, removals and renames wait in one list until a sync makes them
 * durable; each happens whole or not at all (a rename never loses the old and the new file).
 *
 * - `syncDirectory` makes everything durable that changed entries of that directory, and whatever those changes build on. It does
 *   not make the entry of the directory itself durable, nor the contents of its files.
 * - `fdatasync` makes the contents and length of a file durable, not its entry. (ext4 often does both; nobody may rely on it.)
 * - After a power cut with 'random', by the seed: either the list survives up to some point, at least to the last sync of anything,
 *   as on a file system with one journal; or any part of it survives in which nothing is missing that a later change builds on.
 * - With 'none' nothing that was not synced survives, with 'all' everything does.
 */
import { FileContent, type KeepUnsynced } from './memory-file-content.js'
import { createSeededRandom, type SeededRandom } from './seeded-random.js'

export interface Attributes {
  readonly mode: number
  readonly userId: number
  readonly groupId: number
}

interface InodeBase {
  readonly number: number
  attributes: Attributes
  syncedAttributes: Attributes
  modifiedMs: number
}

export interface FileInode extends InodeBase {
  readonly kind: 'file'
  readonly content: FileContent
  /** Names and open descriptors: when both are 0 the file is gone. */
  links: number
  opens: number
}

export interface DirectoryInode extends InodeBase {
  readonly kind: 'directory'
  readonly entries: Map<string, Inode>
  syncedEntries: Map<string, Inode>
  /** The directory that this one is in, as processes see it; itself for the root. */
  parent: DirectoryInode
}

export type Inode = FileInode | DirectoryInode

export interface MemoryDiskOptions {
  /** Bytes that files may hold together, in pages of 4 KiB. Unlimited when left out. */
  readonly capacityBytes?: number
  /** What `FileStatus.modifiedMs` is taken from. */
  readonly nowMs?: () => number
  /** statfs type; ext4 when left out. */
  readonly fileSystemType?: number
  /** Permission bits that new files and directories do not get. */
  readonly umask?: number
  readonly userId?: number
  readonly groupId?: number
}

export interface PowerCut {
  readonly seed: number
  /** As a function: for each file, by its name, what is left of its contents; changes of directories all survive then. */
  readonly keepUnsynced: KeepUnsynced | ((name: string) => KeepUnsynced)
}

/** One change of directory entries, which happens whole or not at all. */
interface EntryChange {
  readonly entries: readonly { readonly directory: DirectoryInode; readonly name: string; readonly inode: Inode | undefined }[]
  /** A moved directory: builds on everything before it, or parts of the tree could end up inside themselves. */
  readonly movesDirectory: boolean
  readonly sequence: number
}

const EXT4 = 0xef53

export class MemoryDisk {
  readonly options: MemoryDiskOptions
  readonly root: DirectoryInode
  /** The power was cut: every call of every process fails with EIO. */
  dead = false
  /** While true, `fdatasync` does not complete: for tests of what happens meanwhile. `releaseSyncs` lets all go on. */
  holdSyncs = false
  /** While true, an `fdatasync` completes only when everything that could be done meanwhile was done. */
  syncsTakeTime = false
  readonly #heldSyncs: (() => void)[] = []
  #nextInode = 2
  readonly #freeInodes: number[] = []
  #usedPages = 0
  #pending: EntryChange[] = []
  #nextSequence = 0
  /** The last change that was made before the last completed sync of anything began. */
  #journaledSequence = 0

  constructor(options: MemoryDiskOptions = {}) {
    this.options = options
    this.root = this.#directoryInode({ mode: 0o755, userId: options.userId ?? 0, groupId: options.groupId ?? 0 })
  }

  get freeBytes(): number {
    return Math.max(0, (this.options.capacityBytes ?? Number.MAX_SAFE_INTEGER) - this.#usedPages * 4096)
  }

  get fileSystemType(): number {
    return this.options.fileSystemType ?? EXT4
  }

  get usedBytes(): number {
    return this.#usedPages * 4096
  }

  /**
   * Cuts the power: every call of every process fails with EIO from now on. Returns the disk as it is found afterwards; calling it
   * again with other seeds gives other disks for the same moment.
   */
  crash(cut: PowerCut): MemoryDisk {
    this.dead = true
    return this.afterPowerCut(cut)
  }

  /** What `crash` would return, while this disk goes on. */
  afterPowerCut({ seed, keepUnsynced }: PowerCut): MemoryDisk {
    const random = createSeededRandom(seed)
    const entries = new Map<DirectoryInode, Map<string, Inode>>()
    const entriesOf = (directory: DirectoryInode): Map<string, Inode> => {
      let known = entries.get(directory)
      if (known === undefined) {
        known = new Map(directory.syncedEntries)
        entries.set(directory, known)
      }
      return known
    }
    const ofFile = typeof keepUnsynced === 'function' ? keepUnsynced : () => keepUnsynced
    for (const change of this.#survivors(typeof keepUnsynced === 'function' ? 'all' : keepUnsynced, random)) {
      for (const { directory, name, inode } of change.entries) setEntry(entriesOf(directory), name, inode)
    }
    const after = new MemoryDisk(this.options)
    const taken = new Set<number>([this.root.number])
    /** A file with several names is one file on the other side too. */
    const revived = new Map<Inode, FileInode>()
    const copy = (from: DirectoryInode, to: DirectoryInode): void => {
      for (const [name, inode] of [...entriesOf(from)].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const linked = revived.get(inode)
        if (linked !== undefined) {
          linked.links += 1
          to.entries.set(name, linked)
          continue
        }
        // A number that was freed and given away again may be on both sides of the cut.
        const number = taken.has(inode.number) ? undefined : inode.number
        if (number !== undefined) taken.add(number)
        const alive = after.#revive(inode, number, to, ofFile(name), random, copy)
        if (alive.kind === 'file') revived.set(inode, alive)
        to.entries.set(name, alive)
      }
      to.syncedEntries = new Map(to.entries)
    }
    after.#nextInode = this.#nextInode
    copy(this.root, after.root)
    return after
  }

  createFile(directory: DirectoryInode, name: string, permissions: number): FileInode {
    const attributes = this.#newAttributes(permissions)
    const inode: FileInode = { ...this.#inodeBase(attributes), kind: 'file', content: new FileContent(), links: 0, opens: 0 }
    this.change([{ directory, name, inode }])
    return inode
  }

  createDirectory(directory: DirectoryInode, name: string, permissions: number): void {
    const inode = this.#directoryInode(this.#newAttributes(permissions))
    inode.parent = directory
    this.change([{ directory, name, inode }])
  }

  /** Makes a change visible; it is durable after a sync. */
  change(entries: EntryChange['entries'], movesDirectory = false): void {
    const replaced: Inode[] = []
    for (const { directory, name, inode } of entries) {
      const old = directory.entries.get(name)
      if (old?.kind === 'file') old.links -= 1
      if (old !== undefined) replaced.push(old)
      setEntry(directory.entries, name, inode)
      if (inode?.kind === 'file') inode.links += 1
      else if (inode !== undefined) inode.parent = directory
      directory.modifiedMs = this.nowMs()
    }
    // Only now: what a rename took from one name it gave to another.
    for (const inode of replaced) this.release(inode)
    this.#nextSequence += 1
    this.#pending.push({ entries, movesDirectory, sequence: this.#nextSequence })
  }

  /** Gives back what an inode without names and descriptors holds. Its durable bytes stay known: the removal may not survive. */
  release(inode: Inode): void {
    if (inode.kind === 'directory') return
    if (inode.links > 0 || inode.opens > 0) return
    this.#usedPages -= inode.content.allocatedPages
    inode.content.forgetUnsynced()
    this.#freeInodes.push(inode.number)
  }

  /** Runs what completes a sync: soon, or when held syncs are released. */
  scheduleSync(complete: () => void): void {
    if (this.holdSyncs) this.#heldSyncs.push(complete)
    else if (this.syncsTakeTime) setImmediate(complete)
    else queueMicrotask(complete)
  }

  releaseSyncs(): void {
    this.holdSyncs = false
    for (const complete of this.#heldSyncs.splice(0)) complete()
  }

  /** Called once for each new page. False: the disk is full. */
  readonly allocatePage = (): boolean => {
    if ((this.#usedPages + 1) * 4096 > (this.options.capacityBytes ?? Infinity)) return false
    this.#usedPages += 1
    return true
  }

  freePages(count: number): void {
    this.#usedPages -= count
  }

  nowMs(): number {
    return this.options.nowMs?.() ?? 0
  }

  /** The last change so far, to be handed to `noteSync` when the sync that begins now has completed. */
  get lastSequence(): number {
    return this.#nextSequence
  }

  noteSync(sequence: number): void {
    this.#journaledSequence = Math.max(this.#journaledSequence, sequence)
  }

  syncDirectory(directory: DirectoryInode): void {
    const needed = this.#neededBy(directory)
    for (const change of needed) {
      for (const entry of change.entries) setEntry(entry.directory.syncedEntries, entry.name, entry.inode)
    }
    const durable = new Set(needed)
    this.#pending = this.#pending.filter((change) => !durable.has(change))
    this.noteSync(this.lastSequence)
  }

  /** The pending changes of a directory and all earlier ones that they build on, oldest first. */
  #neededBy(directory: DirectoryInode): EntryChange[] {
    const needed: EntryChange[] = []
    const places = new Places()
    let everything = false
    for (const change of this.#pending.toReversed()) {
      const touches = change.entries.some((entry) => entry.directory === directory)
      if (!everything && !touches && !places.hasAnyOf(change)) continue
      needed.push(change)
      places.add(change)
      everything ||= change.movesDirectory
    }
    return needed.reverse()
  }

  #survivors(keep: KeepUnsynced, random: SeededRandom): readonly EntryChange[] {
    if (keep === 'none') return []
    if (keep === 'all') return this.#pending
    if (random.chance(0.5)) {
      const least = this.#pending.filter((change) => change.sequence <= this.#journaledSequence).length
      return this.#pending.slice(0, least + random.integer(this.#pending.length - least + 1))
    }
    const lost = new Places()
    let anyLost = false
    return this.#pending.filter((change) => {
      const survives = !lost.hasAnyOf(change) && !(change.movesDirectory && anyLost) && random.chance(0.5)
      if (!survives) {
        lost.add(change)
        anyLost = true
      }
      return survives
    })
  }

  #revive(
    inode: Inode,
    number: number | undefined,
    parent: DirectoryInode,
    keep: KeepUnsynced,
    random: SeededRandom,
    copy: (from: DirectoryInode, to: DirectoryInode) => void,
  ): Inode {
    const keepAttributes = keep === 'all' || (keep === 'random' && random.chance(0.5))
    const attributes = keepAttributes ? inode.attributes : inode.syncedAttributes
    const base = { ...this.#inodeBase(attributes, number), modifiedMs: inode.modifiedMs }
    if (inode.kind === 'directory') {
      const directory: DirectoryInode = { ...base, kind: 'directory', entries: new Map(), syncedEntries: new Map(), parent }
      copy(inode, directory)
      return directory
    }
    const content = inode.content.afterPowerCut(keep, random)
    this.#usedPages += content.allocatedPages
    return { ...base, kind: 'file', content, links: 1, opens: 0 }
  }

  #directoryInode(attributes: Attributes): DirectoryInode {
    const base = this.#inodeBase(attributes)
    const directory = {
      ...base,
      kind: 'directory' as const,
      entries: new Map<string, Inode>(),
      syncedEntries: new Map<string, Inode>(),
    }
    // The root is its own parent; whoever makes another directory sets its parent.
    const root: { parent?: DirectoryInode } & typeof directory = directory
    root.parent = root as DirectoryInode
    return root as DirectoryInode
  }

  #inodeBase(attributes: Attributes, number?: number): InodeBase {
    return {
      // Freed numbers come back at once, as on ext4: who compares only inode numbers is to be found out.
      number: number ?? this.#freeInodes.pop() ?? this.#nextInode++,
      attributes,
      syncedAttributes: attributes,
      modifiedMs: this.nowMs(),
    }
  }

  #newAttributes(permissions: number): Attributes {
    const mode = permissions & 0o7777 & ~(this.options.umask ?? 0o022)
    return { mode, userId: this.options.userId ?? 0, groupId: this.options.groupId ?? 0 }
  }
}

function setEntry(entries: Map<string, Inode>, name: string, inode: Inode | undefined): void {
  if (inode === undefined) entries.delete(name)
  else entries.set(name, inode)
}

/** A set of (directory, name): a later change of the same place builds on the earlier one. */
class Places {
  readonly #names = new Map<DirectoryInode, Set<string>>()

  add(change: EntryChange): void {
    for (const { directory, name } of change.entries) {
      const names = this.#names.get(directory) ?? new Set<string>()
      names.add(name)
      this.#names.set(directory, names)
    }
  }

  hasAnyOf(change: EntryChange): boolean {
    return change.entries.some(({ directory, name }) => this.#names.get(directory)?.has(name) === true)
  }
}
