/** Which records a compaction drops: one bit for each, in the order in which the log is walked. What is not known to be dead stays. */

export class DeadRecords {
  #bits: Uint8Array
  #limit = Infinity

  /** There is room for so many; for more of them it grows. */
  constructor(recordCount: number) {
    this.#bits = new Uint8Array(Math.ceil(recordCount / 8))
  }

  /** What is noted of records from that number on is forgotten, and nothing more is noted. */
  limitTo(recordCount: number): void {
    this.#limit = recordCount
  }

  /** Whether that is news, and of a record below the limit. */
  add(ordinal: number): boolean {
    if (ordinal >= this.#limit) return false
    const at = Math.floor(ordinal / 8)
    if (at >= this.#bits.length) this.#grow(at + 1)
    const bit = 1 << (ordinal & 7)
    const before = this.#bits[at] ?? 0
    this.#bits[at] = before | bit
    return (before & bit) === 0
  }

  has(ordinal: number): boolean {
    return ((this.#bits[Math.floor(ordinal / 8)] ?? 0) & (1 << (ordinal & 7))) !== 0
  }

  /** How many of the records in [from, to) are dead, as far as that matters. */
  among(from: number, to: number): 'none' | 'some' | 'all' {
    const isFirstDead = this.has(from)
    for (let ordinal = from + 1; ordinal < to; ordinal += 1) if (this.has(ordinal) !== isFirstDead) return 'some'
    return isFirstDead && from < to ? 'all' : 'none'
  }

  #grow(least: number): void {
    const larger = new Uint8Array(Math.max(least, 2 * this.#bits.length))
    larger.set(this.#bits)
    this.#bits = larger
  }
}
