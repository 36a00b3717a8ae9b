/**
 * The last records of each key, in memory of a fixed size: an open hash table over the hashes of keys (key-hash.ts), 16 bytes a key when
 * one record of each is kept. Whatever a later record takes the place of is told to be dead (dead-records.ts).
 *
 * It knows the keys of one range of hashes. When there are more of them than fit, the caller begins again with a smaller range, and counts
 * the others in later passes over the log; so the number of keys has no limit. What was told before stays true.
 */
import type { DeadRecords } from './dead-records.js'
import type { KeyHash } from './key-hash.js'

const HASH_WORDS = 3
/** Above it look-ups become long. */
const LOAD_LIMIT = 0.85
export const HASH_COUNT = 2 ** 32
/** Records are told apart below this number: those above it are for a later round. */
export const MOST_RECORDS = 0xffff_fffe

/** The least memory that is worth a pass. */
export const MIN_TABLE_BYTES = 1 << 20

export interface LastRecordsOptions {
  readonly maxBytes: number
  /** Keys whose hash begins with a number in [from, to). */
  readonly from: number
  readonly to: number
  /** Records of each key that live. */
  readonly keepCount: number
  /** There are no more keys than this: a table that is no larger than it has to be stays in the caches of the processor. */
  readonly mostKeys: number
}

export class LastRecords {
  readonly #from: number
  readonly #to: number
  readonly #keepCount: number
  /** Of an entry: the hash, the living records of the key as their numbers + 1, in a ring, and of several where that begins. */
  readonly #entryWords: number
  readonly #slots: number
  /** Fewer than there are slots, so that every look-up ends. */
  readonly #maxKeys: number
  readonly #words: Int32Array
  #keyCount = 0

  constructor(
    { maxBytes, from, to, keepCount, mostKeys }: LastRecordsOptions,
    private readonly dead: DeadRecords,
  ) {
    this.#from = from
    this.#to = to
    this.#keepCount = keepCount
    this.#entryWords = HASH_WORDS + keepCount + (keepCount === 1 ? 0 : 1)
    const slots = Math.floor(Math.min(maxBytes / (4 * this.#entryWords), mostKeys / LOAD_LIMIT + 2))
    // Two keys fit, whatever the memory.
    this.#slots = Math.max(slots, 3)
    this.#maxKeys = Math.floor(this.#slots * LOAD_LIMIT)
    this.#words = new Int32Array(this.#slots * this.#entryWords)
  }

  get keyCount(): number {
    return this.#keyCount
  }

  holds({ a }: KeyHash): boolean {
    const place = a >>> 0
    return place >= this.#from && place < this.#to
  }

  /** The next record of a key that is held. False when the table is full. */
  add(hash: KeyHash, ordinal: number, isTombstone: boolean): boolean {
    const at = this.#find(hash)
    const words = this.#words
    if (words[at + HASH_WORDS] === 0) {
      if (this.#keyCount >= this.#maxKeys) return false
      this.#keyCount += 1
      words[at] = hash.a
      words[at + 1] = hash.b
      words[at + 2] = hash.c
    }
    const number = Math.min(ordinal, MOST_RECORDS) + 1
    if (this.#keepCount > 1) this.#push(at + HASH_WORDS, number, isTombstone)
    else {
      this.#tell(words[at + HASH_WORDS] ?? 0)
      words[at + HASH_WORDS] = number
    }
    return true
  }

  /** What is before a tombstone is deleted, and of the others as many live as are kept. */
  #push(ringAt: number, number: number, isTombstone: boolean): void {
    const words = this.#words
    const keepCount = this.#keepCount
    const headAt = ringAt + keepCount
    if (isTombstone) {
      for (let n = 0; n < keepCount; n += 1) {
        this.#tell(words[ringAt + n] ?? 0)
        words[ringAt + n] = 0
      }
      words[headAt] = 0
    }
    const head = words[headAt] ?? 0
    this.#tell(words[ringAt + head] ?? 0)
    words[ringAt + head] = number
    words[headAt] = head + 1 === keepCount ? 0 : head + 1
  }

  #tell(number: number): void {
    if (number !== 0) this.dead.add((number >>> 0) - 1)
  }

  /** Where the entry of a key begins, or the free one where it would be. */
  #find({ a, b, c }: KeyHash): number {
    const words = this.#words
    // Not the word that ranges go by: within a narrow range it says little.
    let slot = Math.floor((c >>> 0) * (this.#slots / HASH_COUNT))
    for (;;) {
      const at = slot * this.#entryWords
      if (words[at + HASH_WORDS] === 0) return at
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c) return at
      slot = slot + 1 === this.#slots ? 0 : slot + 1
    }
  }
}
