/**
 * Murmur2 over key bytes, as Kafka's Java client has it: the same key lands on the same partition number in logq and in Kafka.
 */

const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995

/** 32-bit murmur2 of `bytes[start, end)` with Kafka's seed, signed as Java's int. */
export function murmur2(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = SEED ^ (end - start)
  let position = start
  for (; position + 4 <= end; position += 4) {
    let word =
      (bytes[position] ?? 0) |
      ((bytes[position + 1] ?? 0) << 8) |
      ((bytes[position + 2] ?? 0) << 16) |
      ((bytes[position + 3] ?? 0) << 24)
    word = Math.imul(word, MULTIPLIER)
    word ^= word >>> 24
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  if (position < end) {
    let tail = 0
    for (let place = end - 1; place >= position; place--) tail = (tail << 8) | (bytes[place] ?? 0)
    hash = Math.imul(hash ^ tail, MULTIPLIER)
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** Drops the sign bit, as Kafka does before it takes the remainder. Not the absolute value. */
export function toPositive(hash: number): number {
  return hash & 0x7fffffff
}

/** The partition of a key among `partitionCount`, as Kafka's default partitioner. */
export function partitionOfKey(key: Uint8Array, partitionCount: number): number {
  return toPositive(murmur2(key)) % partitionCount
}
