/**
 * Big-endian integers, as everything Kafka writes has them.
 *
 * Plain functions over a Uint8Array: a DataView per batch would cost more than it saves. Positions are byte places; nothing here checks
 * them against the array's length, which is the caller's business (a read beyond the end gives zero bytes).
 */

/** Signed 16-bit integer. */
export function readInt16(bytes: Uint8Array, position: number): number {
  return (((bytes[position] ?? 0) << 24) >> 16) | (bytes[position + 1] ?? 0)
}

/** Signed 32-bit integer. */
export function readInt32(bytes: Uint8Array, position: number): number {
  return (
    ((bytes[position] ?? 0) << 24) |
    ((bytes[position + 1] ?? 0) << 16) |
    ((bytes[position + 2] ?? 0) << 8) |
    (bytes[position + 3] ?? 0)
  )
}

/** Unsigned 32-bit integer. */
export function readUint32(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position) >>> 0
}

/** Signed 64-bit integer as a number, or NaN when it lies outside ±(2^53 − 1). */
export function readInt64(bytes: Uint8Array, position: number): number {
  // The high half is signed, the low half is not; their sum is exact whenever it is a safe integer.
  const value = readInt32(bytes, position) * 0x1_0000_0000 + readUint32(bytes, position + 4)
  return Number.isSafeInteger(value) ? value : Number.NaN
}

/** Signed 64-bit integer: a number where it is a safe integer, else a bigint. */
export function readInt64Exactly(bytes: Uint8Array, position: number): number | bigint {
  const value = readInt64(bytes, position)
  if (!Number.isNaN(value)) return value
  return (BigInt(readInt32(bytes, position)) << 32n) | BigInt(readUint32(bytes, position + 4))
}

export function writeInt16(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >> 8
  bytes[position + 1] = value
}

/** Writes the low 32 bits of `value`: a signed or an unsigned 32-bit integer. */
export function writeInt32(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >> 24
  bytes[position + 1] = value >> 16
  bytes[position + 2] = value >> 8
  bytes[position + 3] = value
}

/** Writes a signed 64-bit integer. Throws RangeError for a number that is not a safe integer or a bigint beyond 64 bits. */
export function writeInt64(bytes: Uint8Array, position: number, value: number | bigint): void {
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit in 64 bits`)
    writeInt32(bytes, position, Number(BigInt.asIntN(32, value >> 32n)))
    writeInt32(bytes, position + 4, Number(BigInt.asIntN(32, value)))
    return
  }
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`)
  writeInt32(bytes, position, Math.floor(value / 0x1_0000_0000))
  writeInt32(bytes, position + 4, value % 0x1_0000_0000)
}
