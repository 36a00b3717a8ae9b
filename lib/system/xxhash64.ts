/**
 * XXH64 with seed 0 of bytes that come in pieces: what Zstandard frames end with (its low 32 bits). 64-bit numbers are pairs of 32-bit
 * halves here, since BigInt would be several times slower than the decompression that it checks.
 */

/** The five primes, as high and low halves. */
const P1H = 0x9e3779b1 | 0
const P1L = 0x85ebca87 | 0
const P2H = 0xc2b2ae3d | 0
const P2L = 0x27d4eb4f | 0
const P3H = 0x165667b1 | 0
const P3L = 0x9e3779f9 | 0
const P4H = 0x85ebca77 | 0
const P4L = 0xc2b2ae63 | 0
const P5H = 0x27d4eb2f | 0
const P5L = 0x165667c5 | 0

const STRIPE_BYTES = 32

export class Xxh64 {
  /** Four lanes, each a high and a low half. */
  readonly #lanes = new Int32Array(8)
  readonly #rest = new Uint8Array(STRIPE_BYTES)
  #restBytes = 0
  #totalBytes = 0
  #high = 0
  #low = 0

  constructor() {
    this.#set(P1H, P1L)
    this.#add(P2H, P2L)
    this.#keep(0)
    this.#set(P2H, P2L)
    this.#keep(1)
    this.#set(0, 0)
    this.#keep(2)
    // 0 - P1
    this.#set(~P1H, -P1L | 0)
    this.#keep(3)
  }

  update(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length
    let position = 0
    if (this.#restBytes > 0) {
      position = Math.min(STRIPE_BYTES - this.#restBytes, bytes.length)
      this.#rest.set(bytes.subarray(0, position), this.#restBytes)
      this.#restBytes += position
      if (this.#restBytes < STRIPE_BYTES) return
      this.#stripe(this.#rest, 0)
      this.#restBytes = 0
    }
    for (; position + STRIPE_BYTES <= bytes.length; position += STRIPE_BYTES) this.#stripe(bytes, position)
    this.#rest.set(bytes.subarray(position))
    this.#restBytes = bytes.length - position
  }

  /** The low 32 bits of the hash of everything so far. */
  low32(): number {
    if (this.#totalBytes >= STRIPE_BYTES) this.#mergeLanes()
    else this.#set(P5H, P5L)
    this.#add(Math.floor(this.#totalBytes / 2 ** 32) | 0, this.#totalBytes | 0)
    this.#finishRest()
    this.#shiftXor(33)
    this.#multiply(P2H, P2L)
    this.#shiftXor(29)
    this.#multiply(P3H, P3L)
    this.#shiftXor(32)
    return this.#low >>> 0
  }

  #stripe(bytes: Uint8Array, position: number): void {
    for (let lane = 0; lane < 4; lane += 1) {
      this.#set(read32(bytes, position + 8 * lane + 4), read32(bytes, position + 8 * lane))
      this.#multiply(P2H, P2L)
      this.#add(this.#laneHigh(lane), this.#laneLow(lane))
      this.#rotate(31)
      this.#multiply(P1H, P1L)
      this.#keep(lane)
    }
  }

  #mergeLanes(): void {
    let [high, low] = [0, 0]
    for (const [lane, bits] of [1, 7, 12, 18].entries()) {
      this.#set(this.#laneHigh(lane), this.#laneLow(lane))
      this.#rotate(bits)
      this.#add(high, low)
      high = this.#high
      low = this.#low
    }
    for (let lane = 0; lane < 4; lane += 1) {
      this.#set(this.#laneHigh(lane), this.#laneLow(lane))
      this.#round()
      this.#high ^= high
      this.#low ^= low
      this.#multiply(P1H, P1L)
      this.#add(P4H, P4L)
      high = this.#high
      low = this.#low
    }
  }

  #finishRest(): void {
    let position = 0
    for (; position + 8 <= this.#restBytes; position += 8) {
      const [high, low] = [this.#high, this.#low]
      this.#set(read32(this.#rest, position + 4), read32(this.#rest, position))
      this.#round()
      this.#high ^= high
      this.#low ^= low
      this.#rotate(27)
      this.#multiply(P1H, P1L)
      this.#add(P4H, P4L)
    }
    if (position + 4 <= this.#restBytes) {
      const [high, low] = [this.#high, this.#low]
      this.#set(0, read32(this.#rest, position))
      this.#multiply(P1H, P1L)
      this.#high ^= high
      this.#low ^= low
      this.#rotate(23)
      this.#multiply(P2H, P2L)
      this.#add(P3H, P3L)
      position += 4
    }
    for (; position < this.#restBytes; position += 1) {
      const [high, low] = [this.#high, this.#low]
      this.#set(0, this.#rest[position] ?? 0)
      this.#multiply(P5H, P5L)
      this.#high ^= high
      this.#low ^= low
      this.#rotate(11)
      this.#multiply(P1H, P1L)
    }
  }

  /** One lane's step from nothing. */
  #round(): void {
    this.#multiply(P2H, P2L)
    this.#rotate(31)
    this.#multiply(P1H, P1L)
  }

  #laneHigh(lane: number): number {
    return this.#lanes[2 * lane] ?? 0
  }

  #laneLow(lane: number): number {
    return this.#lanes[2 * lane + 1] ?? 0
  }

  #keep(lane: number): void {
    this.#lanes[2 * lane] = this.#high
    this.#lanes[2 * lane + 1] = this.#low
  }

  #set(high: number, low: number): void {
    this.#high = high
    this.#low = low
  }

  #add(high: number, low: number): void {
    const sum = (this.#low >>> 0) + (low >>> 0)
    this.#high = (this.#high + high + (sum > 0xffff_ffff ? 1 : 0)) | 0
    this.#low = sum | 0
  }

  /** By fewer than 32 bits. */
  #rotate(bits: number): void {
    const high = this.#high
    const low = this.#low
    this.#high = (high << bits) | (low >>> (32 - bits))
    this.#low = (low << bits) | (high >>> (32 - bits))
  }

  /** The number, exclusive or itself shifted right. */
  #shiftXor(bits: number): void {
    const [high, low] = [this.#high, this.#low]
    if (bits >= 32) this.#low = low ^ (high >>> (bits - 32))
    else {
      this.#high = high ^ (high >>> bits)
      this.#low = low ^ ((low >>> bits) | (high << (32 - bits)))
    }
  }

  #multiply(high: number, low: number): void {
    const a1 = this.#low >>> 16
    const a0 = this.#low & 0xffff
    const b1 = low >>> 16
    const b0 = low & 0xffff
    const p00 = Math.imul(a0, b0) >>> 0
    const p01 = Math.imul(a0, b1) >>> 0
    const p10 = Math.imul(a1, b0) >>> 0
    const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff)
    const carried = Math.imul(a1, b1) + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16)
    this.#high = (carried + Math.imul(this.#high, low) + Math.imul(this.#low, high)) | 0
    this.#low = (p00 & 0xffff) | (middle << 16)
  }
}

/** Little endian. */
function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
}
