/**
 * The bytes of one file in memory, twice: as processes see them (the page cache) and as they would be after a power cut (the
 * device), in pages of 4 KiB.
 *
 * What a power cut may do to bytes that were not synced:
 *
 * - every page written since the last sync, or every 512-byte sector of it, is there or is not, each by itself and in any order;
 * - a file that grew has any length between the synced and the current one; where the length came but the page did not, zeros;
 * - a cut that was not synced may not have happened; then nothing that was written behind the cut has happened either;
 * - synced bytes that were not written again are always there.
 */
import type { SeededRandom } from './seeded-random.js'

export const PAGE_BYTES = 4096
const SECTOR_BYTES = 512

/** How much of what was not synced a power cut leaves. */
export type KeepUnsynced = 'none' | 'all' | 'random'

interface Page {
  readonly bytes: Uint8Array
  /** A sync holds these bytes: the next write makes a copy first. */
  frozen: boolean
}

/** What one sync, once complete, makes durable: everything that was written before it began. */
export interface ContentSync {
  readonly pages: ReadonlyMap<number, Page>
  readonly sizeBytes: number
  readonly cutTo: number
}

export class FileContent {
  sizeBytes = 0
  /** A hole is undefined. */
  #pages: (Page | undefined)[] = []
  readonly #dirty = new Set<number>()
  /** The smallest size that the file was cut to since the last sync began; Infinity when it was not. */
  #cutTo = Infinity
  #syncedPages: (Page | undefined)[] = []
  #syncedSizeBytes = 0
  readonly #running = new Set<ContentSync>()

  read(buffer: Uint8Array, start: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.sizeBytes - position))
    for (let done = 0; done < count;) {
      const { index, offset, room } = placeOf(position + done)
      const part = Math.min(room, count - done)
      const page = this.#pages[index]
      if (page === undefined) buffer.fill(0, start + done, start + done + part)
      else buffer.set(page.bytes.subarray(offset, offset + part), start + done)
      done += part
    }
    return count
  }

  /** Returns the bytes written: fewer than `length` when `allocate` (called once for each new page) says that the disk is full. */
  write(buffer: Uint8Array, start: number, length: number, position: number, allocate: () => boolean): number {
    let done = 0
    while (done < length) {
      const { index, offset, room } = placeOf(position + done)
      if (this.#pages[index] === undefined && !allocate()) break
      const part = Math.min(room, length - done)
      this.#writable(index).bytes.set(buffer.subarray(start + done, start + done + part), offset)
      this.#dirty.add(index)
      done += part
    }
    if (done > 0) this.sizeBytes = Math.max(this.sizeBytes, position + done)
    return done
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.sizeBytes) {
      const { index, offset } = placeOf(sizeBytes)
      if (offset > 0 && this.#pages[index] !== undefined) {
        this.#writable(index).bytes.fill(0, offset)
        this.#dirty.add(index)
      }
      const kept = pagesFor(sizeBytes)
      this.#pages.length = Math.min(this.#pages.length, kept)
      for (const dirty of this.#dirty) if (dirty >= kept) this.#dirty.delete(dirty)
      this.#cutTo = Math.min(this.#cutTo, sizeBytes)
    }
    this.sizeBytes = sizeBytes
  }

  get allocatedPages(): number {
    return this.#pages.reduce((count, page) => (page === undefined ? count : count + 1), 0)
  }

  beginSync(): ContentSync {
    const pages = new Map<number, Page>()
    for (const index of this.#dirty) {
      const page = this.#pages[index]
      if (page === undefined) continue
      page.frozen = true
      pages.set(index, page)
    }
    const sync = { pages, sizeBytes: this.sizeBytes, cutTo: this.#cutTo }
    this.#cutTo = Infinity
    this.#running.add(sync)
    return sync
  }

  completeSync(sync: ContentSync): void {
    this.#running.delete(sync)
    this.#syncedPages = cut(this.#syncedPages, sync.cutTo)
    for (const [index, page] of sync.pages) {
      this.#syncedPages[index] = page
      if (this.#pages[index] === page) this.#dirty.delete(index)
    }
    this.#syncedSizeBytes = sync.sizeBytes
  }

  /**
   * What Linux does when a sync fails: the pages are marked clean although the device never took them, so that the next sync
   * succeeds without them. `evict` drops them from the page cache as well, as memory pressure does sooner or later.
   */
  failSync(sync: ContentSync, evict: boolean): void {
    this.#running.delete(sync)
    for (const [index, page] of sync.pages) {
      if (this.#pages[index] !== page) continue
      this.#dirty.delete(index)
      if (evict) this.#pages[index] = thawed(this.#syncedPages[index])
    }
  }

  /** The last name and the last descriptor are gone: what was not written to the device never will be. */
  forgetUnsynced(): void {
    this.#pages = this.#syncedPages.map(thawed)
    this.#dirty.clear()
    this.#cutTo = Infinity
    this.sizeBytes = this.#syncedSizeBytes
  }

  /** The same file after a power cut. Everything in it counts as synced. */
  afterPowerCut(keep: KeepUnsynced, random: SeededRandom): FileContent {
    const after = new FileContent()
    after.#pages = this.#syncedPages.map(thawed)
    after.sizeBytes = this.#syncedSizeBytes
    if (keep !== 'none') this.#applyUnsynced(after, keep, random)
    after.#zeroBehindEnd()
    after.#syncedPages = [...after.#pages]
    for (const page of after.#pages) if (page !== undefined) page.frozen = true
    after.#syncedSizeBytes = after.sizeBytes
    return after
  }

  #applyUnsynced(after: FileContent, keep: KeepUnsynced, random: SeededRandom): void {
    let cutTo = this.#cutTo
    for (const sync of this.#running) cutTo = Math.min(cutTo, sync.cutTo)
    let writable = Infinity
    if (cutTo < after.sizeBytes) {
      if (keep === 'random' && random.chance(0.5)) {
        writable = placeOf(cutTo).index
      } else {
        after.#pages = cut(after.#pages, cutTo)
        after.sizeBytes = cutTo
      }
    }
    if (writable === Infinity) {
      after.sizeBytes = keep === 'all' ? this.sizeBytes : sizeBetween(after.sizeBytes, this.sizeBytes, random)
    }
    const unitBytes = keep === 'random' && random.chance(0.25) ? SECTOR_BYTES : PAGE_BYTES
    // Some power cuts come early in the writing back and some late.
    const survival = keep === 'all' ? 1 : random.integer(5) / 4
    for (const index of [...this.#dirty].sort((a, b) => a - b)) {
      const page = this.#pages[index]
      if (page === undefined || index >= writable) continue
      for (let offset = 0; offset < PAGE_BYTES; offset += unitBytes) {
        if (survival < 1 && !random.chance(survival)) continue
        after.#writable(index).bytes.set(page.bytes.subarray(offset, offset + unitBytes), offset)
      }
    }
  }

  #zeroBehindEnd(): void {
    this.#pages.length = Math.min(this.#pages.length, pagesFor(this.sizeBytes))
    const { index, offset } = placeOf(this.sizeBytes)
    if (offset > 0 && this.#pages[index] !== undefined) this.#writable(index).bytes.fill(0, offset)
  }

  #writable(index: number): Page {
    let page = this.#pages[index]
    if (page === undefined) page = { bytes: new Uint8Array(PAGE_BYTES), frozen: false }
    else if (page.frozen) page = { bytes: page.bytes.slice(), frozen: false }
    this.#pages[index] = page
    return page
  }
}

function placeOf(position: number): { index: number; offset: number; room: number } {
  const offset = position % PAGE_BYTES
  return { index: (position - offset) / PAGE_BYTES, offset, room: PAGE_BYTES - offset }
}

function pagesFor(sizeBytes: number): number {
  return Math.ceil(sizeBytes / PAGE_BYTES)
}

/** A page of the page cache that has the bytes of a synced one, and is copied before it is changed. */
function thawed(page: Page | undefined): Page | undefined {
  if (page !== undefined) page.frozen = true
  return page
}

function cut(pages: readonly (Page | undefined)[], sizeBytes: number): (Page | undefined)[] {
  if (sizeBytes === Infinity) return [...pages]
  const kept = pages.slice(0, pagesFor(sizeBytes))
  const { index, offset } = placeOf(sizeBytes)
  const last = kept[index]
  if (offset > 0 && last !== undefined) {
    const bytes = last.bytes.slice()
    bytes.fill(0, offset)
    kept[index] = { bytes, frozen: false }
  }
  return kept
}

/** Lengths come whole, not at all, at the edge of a page, or anywhere. */
function sizeBetween(from: number, to: number, random: SeededRandom): number {
  const way = random.integer(4)
  if (way === 0) return from
  if (way === 1) return to
  const size = from + random.integer(to - from + 1)
  if (way === 2) return size
  return Math.max(from, size - (size % PAGE_BYTES))
}
