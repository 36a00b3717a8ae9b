/**
 * How many records each key has, in memory of a fixed size: an open hash table over the hashes of keys (key-hash.ts), 17 bytes a key.
 * It counts the keys of one range of hashes. When there are more of them than fit, the caller begins again with a smaller range, and
 * deals with the others in later passes over the log; so the number of keys has no limit.
 */
import type { KeyHash } from './key-hash.js'

/** Three words of the hash, and how many records are still to come. */
const ENTRY_WORDS = 4
const ENTRY_BYTES = 4 * ENTRY_WORDS + 1
/** Above it look-ups become long. */
const LOAD_LIMIT = 0.85
export const HASH_COUNT = 2 ** 32
/** More records of a key than this are not told apart. */
const MAX_LIVING = 255

/** The least memory that is worth a pass. */
export const MIN_TABLE_BYTES = 1 << 20

export class KeyCounts {
  readonly #slots: number
  /** Fewer than there are slots, so that every look-up ends. */
  readonly #maxKeys: number
  readonly #words: Int32Array
  /** Records of a key from its last tombstone on, that one included: what is before a tombstone is deleted. */
  readonly #living: Uint8Array
  #keyCount = 0

  /**
   * Counts keys whose hash begins with a number in [from, to). There are no more than `mostKeys`: a table that is no larger than it has
   * to be stays in the caches of the processor.
   */
  constructor(
    maxBytes: number,
    private readonly from = 0,
    private readonly to = HASH_COUNT,
    mostKeys = Infinity,
  ) {
    this.#slots = Math.floor(Math.min(maxBytes / ENTRY_BYTES, mostKeys / LOAD_LIMIT + 2))
    this.#maxKeys = Math.floor(this.#slots * LOAD_LIMIT)
    this.#words = new Int32Array(this.#slots * ENTRY_WORDS)
    this.#living = new Uint8Array(this.#slots)
  }

  get keyCount(): number {
    return this.#keyCount
  }

  holds({ a }: KeyHash): boolean {
    const place = a >>> 0
    return place >= this.from && place < this.to
  }

  /** One more record of a key that is held. False when the table is full. */
  add(hash: KeyHash, isTombstone: boolean): boolean {
    const slot = this.#find(hash)
    const at = slot * ENTRY_WORDS
    const count = this.#words[at + 3] ?? 0
    if (count === 0) {
      if (this.#keyCount >= this.#maxKeys) return false
      this.#keyCount += 1
      this.#words[at] = hash.a
      this.#words[at + 1] = hash.b
      this.#words[at + 2] = hash.c
    }
    this.#words[at + 3] = count + 1
    this.#living[slot] = isTombstone ? 1 : Math.min(MAX_LIVING, (this.#living[slot] ?? 0) + 1)
    return true
  }

  /**
   * The records of a key, in the order in which they were counted: whether this one is among the last `keepCount` of them, and not
   * before a tombstone.
   */
  keepsNext(hash: KeyHash, keepCount: number): boolean {
    const slot = this.#find(hash)
    const at = slot * ENTRY_WORDS + 3
    const count = this.#words[at] ?? 0
    // The last one stays in the table, which must not get holes.
    if (count > 1) this.#words[at] = count - 1
    return count <= Math.min(keepCount, this.#living[slot] ?? 0)
  }

  /** The slot of a key, or the free one where it would be. */
  #find({ a, b, c }: KeyHash): number {
    const words = this.#words
    // Not the word that ranges go by: within a narrow range it says little.
    let slot = Math.floor((c >>> 0) * (this.#slots / HASH_COUNT))
    for (;;) {
      const at = slot * ENTRY_WORDS
      if (words[at + 3] === 0) return slot
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c) return slot
      slot = slot + 1 === this.#slots ? 0 : slot + 1
    }
  }
}
