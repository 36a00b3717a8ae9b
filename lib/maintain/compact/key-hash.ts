/**
 * A hash of a record's key, 128 bits: HalfSipHash-1-3 twice, each with a secret of its own that is drawn anew for every compaction.
 * Compaction takes two keys for the same when their hashes are. So nobody may be able to choose a key that meets another's, which the
 * secrets see to; and chance must not do it either, which the length does (among 10 million keys, once in more than 10^13 compactions).
 */
import type { Random } from '../../system/system.js'

export class KeyHash {
  /** Of the last key, 32 bits each, as signed numbers. */
  a = 0
  b = 0
  c = 0
  d = 0
  #first = 0
  #second = 0
  readonly #k0: number
  readonly #k1: number
  readonly #k2: number
  readonly #k3: number

  constructor(random: Pick<Random, 'bytes'>) {
    const secret = new Int32Array(random.bytes(16).slice().buffer)
    ;[this.#k0 = 0, this.#k1 = 0, this.#k2 = 0, this.#k3 = 0] = secret
  }

  /** Hashes `bytes[start, end)` into `a` to `d`. */
  of(bytes: Uint8Array, start: number, end: number): void {
    this.#run(bytes, start, end, this.#k0, this.#k1)
    this.a = this.#first
    this.b = this.#second
    this.#run(bytes, start, end, this.#k2, this.#k3)
    this.c = this.#first
    this.d = this.#second
  }

  /** One round for each word of the key, the last word being what is left and the length; then twice three that finish. */
  #run(bytes: Uint8Array, start: number, end: number, k0: number, k1: number): void {
    let v0 = k0
    let v1 = k1 ^ 0xee
    let v2 = k0 ^ 0x6c796765
    let v3 = k1 ^ 0x74656462
    const wholeWords = (end - start) >> 2
    for (let step = 0; step <= wholeWords + 6; step += 1) {
      const at = start + 4 * step
      let word = 0
      if (step < wholeWords) word = wordAt(bytes, at)
      else if (step === wholeWords) word = lastWord(bytes, at, end, end - start)
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
      if (step === wholeWords) v2 ^= 0xee
      if (step === wholeWords + 3) {
        this.#first = v1 ^ v3
        v1 ^= 0xdd
      }
    }
    this.#second = v1 ^ v3
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
}

function lastWord(bytes: Uint8Array, at: number, end: number, length: number): number {
  let word = length << 24
  for (let n = 0; at + n < end; n += 1) word |= (bytes[at + n] ?? 0) << (8 * n)
  return word
}
