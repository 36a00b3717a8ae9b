/**
 * Groups of records and their tallies, as many as memory has room for. What a group is comes from a key, a header, a timestamp or a
 * partition; values are not looked at.
 *
 * When there are more groups than there is room for, the table keeps those whose hash lies below a limit, lowers that limit until
 * they fit, and forgets the others. What it holds at the end is exact, and with the next reading it goes on from the limit:
 * so any number of groups is counted exactly in a bounded memory, at the cost of reading again.
 *
 * Numbers and ids stand in a few large arrays, and a hash table of indexes finds them: objects would take several times as much.
 */
import { murmur2 } from '../bytes/murmur2.js'
import type { LentRecord } from '../record/lent-record.js'
import { Tally, TALLY_NUMBERS } from './tally.js'

export type GroupBy =
  | { readonly kind: 'partition' }
  | { readonly kind: 'key' }
  /** By the last header of that name. */
  | { readonly kind: 'header'; readonly name: string }
  /** By the time that the timestamp falls in: multiples of so many ms since 1970. */
  | { readonly kind: 'time'; readonly durationMs: number }

/**
 * A partition number, the ms since 1970 at which a stretch of time begins, or the bytes of a key or header value as characters
 * (latin1). Null for a null key, a header that is absent or null, and a record without a timestamp.
 */
export type GroupId = string | number | null

export interface GroupLimits {
  readonly groups: number
  /** Bytes of all ids together; a single one may be larger. */
  readonly idBytes: number
}

/** Hashes are below it. */
export const HASHES = 2 ** 32

/** What is kept of the room when it was too small. */
const KEPT_SHARE = 0.8
const NULL_HASH = 0x9e3779b9

export class GroupTable {
  /** Groups that are held. */
  size = 0
  /** Hashes from here on were not held. */
  endHash = HASHES

  #numbers = new Float64Array(16 * TALLY_NUMBERS)
  #hashes = new Uint32Array(16)
  #idStarts = new Uint32Array(16)
  /** -1 for null. */
  #idLengths = new Int32Array(16)
  #ids = new Uint8Array(1024)
  #idBytes = 0
  /** By hash, with linear probing: index of a group and 1, or 0. */
  #slots = new Uint32Array(64)
  readonly #tally = new Tally(this.#numbers)
  readonly #number = new Float64Array(1)

  constructor(
    private readonly by: GroupBy,
    private fromHash: number,
    private readonly limits: GroupLimits,
  ) {}

  /** Empty again, and for the groups that were not held. The arrays stay: new ones for each reading would pile up. */
  goOn(): void {
    this.fromHash = this.endHash
    this.endHash = HASHES
    this.size = 0
    this.#idBytes = 0
    this.#slots.fill(0)
  }

  add(partition: number, record: LentRecord): void {
    const index = this.#indexOf(this.#bytesOf(groupOf(this.by, partition, record)))
    if (index >= 0) this.#tallyAt(index).add(partition, record)
  }

  /** Makes a group that is there without records. */
  open(partition: number): void {
    this.#indexOf(this.#bytesOf(partition))
  }

  /** Lent: until the next call. */
  tally(index: number): Tally {
    return this.#tallyAt(index)
  }

  id(index: number): GroupId {
    const bytes = this.#idAt(index)
    if (bytes === undefined) return null
    const isText = this.by.kind === 'key' || this.by.kind === 'header'
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    return isText ? view.toString('latin1') : (new Float64Array(bytes.slice().buffer)[0] ?? 0)
  }

  #bytesOf(id: Uint8Array | number | null): Uint8Array | undefined {
    if (typeof id !== 'number') return id ?? undefined
    this.#number[0] = id
    return new Uint8Array(this.#number.buffer)
  }

  /** The group of an id, made when there is none; -1 when this table does not hold it. */
  #indexOf(id: Uint8Array | undefined): number {
    const hash = id === undefined ? NULL_HASH : murmur2(id) >>> 0
    if (hash < this.fromHash || hash >= this.endHash) return -1
    let slot = hash & (this.#slots.length - 1)
    for (let found = this.#slots[slot] ?? 0; found !== 0; found = this.#slots[slot] ?? 0) {
      if (this.#hashes[found - 1] === hash && this.#hasId(found - 1, id)) return found - 1
      slot = (slot + 1) & (this.#slots.length - 1)
    }
    const index = this.#append(hash, id)
    this.#slots[slot] = index + 1
    if (this.#isFull) {
      this.#makeRoom()
      return hash < this.endHash ? this.#indexOf(id) : -1
    }
    if (2 * this.size > this.#slots.length) this.#fillSlots(2 * this.#slots.length)
    return index
  }

  #idAt(index: number): Uint8Array | undefined {
    const length = this.#idLengths[index] ?? -1
    const start = this.#idStarts[index] ?? 0
    return length < 0 ? undefined : this.#ids.subarray(start, start + length)
  }

  #hasId(index: number, id: Uint8Array | undefined): boolean {
    const held = this.#idAt(index)
    return held === undefined || id === undefined ? held === id : Buffer.compare(held, id) === 0
  }

  #tallyAt(index: number): Tally {
    this.#tally.numbers = this.#numbers
    this.#tally.start = index * TALLY_NUMBERS
    return this.#tally
  }

  #append(hash: number, id: Uint8Array | undefined): number {
    const index = this.size
    this.size += 1
    if (this.size > this.#hashes.length) {
      this.#numbers = grown(this.#numbers, new Float64Array(2 * this.#numbers.length))
      this.#hashes = grown(this.#hashes, new Uint32Array(2 * this.#hashes.length))
      this.#idStarts = grown(this.#idStarts, new Uint32Array(2 * this.#idStarts.length))
      this.#idLengths = grown(this.#idLengths, new Int32Array(2 * this.#idLengths.length))
    }
    const length = id?.length ?? 0
    if (this.#idBytes + length > this.#ids.length)
      this.#ids = grown(this.#ids, new Uint8Array(Math.max(2 * this.#ids.length, this.#idBytes + length)))
    if (id !== undefined) this.#ids.set(id, this.#idBytes)
    this.#hashes[index] = hash
    this.#idStarts[index] = this.#idBytes
    this.#idLengths[index] = id?.length ?? -1
    this.#idBytes += length
    this.#tallyAt(index).clear()
    return index
  }

  get #isFull(): boolean {
    const canShrink = this.size > 1 && this.endHash - this.fromHash > 1
    return canShrink && (this.size > this.limits.groups || this.#idBytes > this.limits.idBytes)
  }

  /** A part of what is held goes, again and again; one group stays, however long its id is. */
  #makeRoom(): void {
    while (this.#isFull) {
      this.endHash = this.fromHash + Math.max(1, Math.floor((this.endHash - this.fromHash) * KEPT_SHARE))
      this.#dropHidden()
    }
    this.#fillSlots(this.#slots.length)
  }

  /** Moves what is still held together, in place. */
  #dropHidden(): void {
    let kept = 0
    let keptBytes = 0
    for (let index = 0; index < this.size; index += 1) {
      const hash = this.#hashes[index] ?? 0
      if (hash >= this.endHash) continue
      const start = this.#idStarts[index] ?? 0
      const length = this.#idLengths[index] ?? -1
      const from = index * TALLY_NUMBERS
      this.#ids.copyWithin(keptBytes, start, start + Math.max(0, length))
      this.#numbers.copyWithin(kept * TALLY_NUMBERS, from, from + TALLY_NUMBERS)
      this.#hashes[kept] = hash
      this.#idStarts[kept] = keptBytes
      this.#idLengths[kept] = length
      keptBytes += Math.max(0, length)
      kept += 1
    }
    this.size = kept
    this.#idBytes = keptBytes
  }

  #fillSlots(length: number): void {
    this.#slots = length === this.#slots.length ? this.#slots.fill(0) : new Uint32Array(length)
    for (let index = 0; index < this.size; index += 1) {
      let slot = (this.#hashes[index] ?? 0) & (length - 1)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (length - 1)
      this.#slots[slot] = index + 1
    }
  }
}

function grown<Numbers extends Float64Array | Uint32Array | Int32Array | Uint8Array>(old: Numbers, larger: Numbers): Numbers {
  larger.set(old)
  return larger
}

function groupOf(by: GroupBy, partition: number, record: LentRecord): Uint8Array | number | null {
  switch (by.kind) {
    case 'partition':
      return partition
    case 'key':
      return record.key
    case 'header': {
      let last: Uint8Array | null = null
      for (const { key, value } of record.headers) if (key === by.name) last = value
      return last
    }
    case 'time': {
      const ms = Number(record.timestampMs)
      return ms === -1 ? null : Math.floor(ms / by.durationMs) * by.durationMs
    }
  }
}

/** Null comes last. */
export function compareIds(a: GroupId, b: GroupId): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  if (a === b) return 0
  return a < b ? -1 : 1
}
