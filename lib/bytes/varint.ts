/**
 * Zigzag varints, the integers inside a record (format-spec/record-batch.md): seven bits a byte, least significant first, the high bit
 * set on all bytes but the last; signed numbers are folded so that small magnitudes stay short (0, −1, 1, −2 … become 0, 1, 2, 3 …).
 *
 * A varint holds 32 bits in at most 5 bytes, a varlong 64 bits in at most 10. Numbers serve up to ±(2^53 − 1); only beyond that is
 * BigInt used, because it is many times slower.
 */

export const MAX_VARINT_BYTES = 5
export const MAX_VARLONG_BYTES = 10

/** A place to read from: `bytes[position, end)`; reading moves `position`. */
export interface ReadPlace {
  readonly bytes: Uint8Array
  position: number
  readonly end: number
}

/** Bytes that `value` (a 32-bit signed integer) takes as a varint. */
export function varintSize(value: number): number {
  const folded = ((value << 1) ^ (value >> 31)) >>> 0
  if (folded < 0x80) return 1
  if (folded < 0x4000) return 2
  if (folded < 0x20_0000) return 3
  return folded < 0x1000_0000 ? 4 : 5
}

/** Writes a 32-bit signed integer as a varint; gives the position after it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  let folded = ((value << 1) ^ (value >> 31)) >>> 0
  while (folded >= 0x80) {
    bytes[position++] = (folded & 0x7f) | 0x80
    folded >>>= 7
  }
  bytes[position++] = folded
  return position
}

/** Reads a varint. NaN, with the position where it was, when it passes the end, is longer than 5 bytes or has more than 32 bits. */
export function readVarint(place: ReadPlace): number {
  const { bytes, end } = place
  let position = place.position
  let folded = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (position >= end) return Number.NaN
    const byte = bytes[position++] ?? 0
    // The fifth byte has room for the last four of the 32 bits.
    if (shift === 28 && byte > 0x0f) return Number.NaN
    folded |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      place.position = position
      return (folded >>> 1) ^ -(folded & 1)
    }
  }
  return Number.NaN
}

/** Bytes that `value` takes as a varlong. */
export function varlongSize(value: number | bigint): number {
  if (typeof value === 'bigint') {
    let size = 1
    for (let rest = foldBigInt(value) >> 7n; rest > 0n; rest >>= 7n) size++
    return size
  }
  // The number of 7-bit groups of the folded value, which is 2|v| or 2|v| − 1.
  let magnitude = value < 0 ? -(value + 1) : value
  let size = 1
  for (magnitude = Math.floor(magnitude / 64); magnitude > 0; magnitude = Math.floor(magnitude / 128)) size++
  return size
}

/** Writes a 64-bit signed integer as a varlong; gives the position after it. A number must be a safe integer. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number | bigint): number {
  if (typeof value === 'number') {
    if (value >= -0x4000_0000 && value < 0x4000_0000) return writeVarint(bytes, position, value)
    return writeFoldedNumber(bytes, position, value)
  }
  let folded = foldBigInt(value)
  while (folded >= 0x80n) {
    bytes[position++] = Number(folded & 0x7fn) | 0x80
    folded >>= 7n
  }
  bytes[position++] = Number(folded)
  return position
}

/** Reads a varlong: a number where it is a safe integer, else a bigint. NaN as readVarint, with 10 bytes and 64 bits. */
export function readVarlong(place: ReadPlace): number | bigint {
  const { bytes, end, position: start } = place
  let position = start
  let low = 0
  // Four bytes (28 bits) cover nearly every delta, and stay within the integers that the engine handles fastest.
  for (let shift = 0; shift < 28; shift += 7) {
    if (position >= end) return Number.NaN
    const byte = bytes[position++] ?? 0
    low |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      place.position = position
      return (low >>> 1) ^ -(low & 1)
    }
  }
  return readLongVarlong(place, start)
}

function readLongVarlong(place: ReadPlace, start: number): number | bigint {
  const { bytes, end } = place
  let folded = 0n
  for (let index = 0; index < MAX_VARLONG_BYTES; index++) {
    const position = start + index
    if (position >= end) return Number.NaN
    const byte = bytes[position] ?? 0
    // The tenth byte has room for the last one of the 64 bits.
    if (index === 9 && byte > 1) return Number.NaN
    folded |= BigInt(byte & 0x7f) << BigInt(7 * index)
    if (byte < 0x80) {
      place.position = position + 1
      return narrow((folded >> 1n) ^ -(folded & 1n))
    }
  }
  return Number.NaN
}

function narrow(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

function foldBigInt(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
}

/** Writes 2|v| (or 2|v| − 1), which may pass 2^53, in two steps: the lowest seven bits, then the rest. */
function writeFoldedNumber(bytes: Uint8Array, position: number, value: number): number {
  const magnitude = value < 0 ? -(value + 1) : value
  const sign = value < 0 ? 1 : 0
  let rest = Math.floor(magnitude / 64)
  bytes[position++] = ((magnitude % 64) << 1) | sign | 0x80
  while (rest >= 0x80) {
    bytes[position++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  bytes[position++] = rest
  return position
}
