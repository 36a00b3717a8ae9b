/** Makes an input into another one that is like it: structure is kept where it is, and broken somewhere. */
import type { SeededRandom } from '../helpers/seeded-random.js'

const MAX_BYTES = 1 << 16
/** What lengths, counts and numbers go wrong at. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5c, 0x0a, 0x7b, 0x7d, 0x5b, 0x5d]

export function mutate(
  input: Uint8Array,
  others: readonly Uint8Array[],
  words: readonly string[],
  random: SeededRandom,
): Uint8Array {
  let bytes: Buffer = Buffer.from(input)
  do bytes = change(bytes, others, words, random)
  while (random.chance(0.5))
  return bytes.subarray(0, MAX_BYTES)
}

function change(bytes: Buffer, others: readonly Uint8Array[], words: readonly string[], random: SeededRandom): Buffer {
  const at = random.integer(bytes.length + 1)
  const length = 1 + random.integer(random.chance(0.8) ? 8 : Math.max(1, bytes.length))
  const before = bytes.subarray(0, at)
  const after = bytes.subarray(Math.min(bytes.length, at + length))
  switch (random.integer(9)) {
    case 0: {
      const flipped = Buffer.from(bytes)
      if (at < bytes.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.integer(8))
      return flipped
    }
    case 1: {
      const set = Buffer.from(bytes)
      if (at < bytes.length) set[at] = EDGES[random.integer(EDGES.length)] ?? 0
      return set
    }
    case 2:
      return Buffer.concat([before, after])
    case 3:
      return Buffer.concat([before, random.bytes(1 + random.integer(4)), bytes.subarray(at)])
    case 4: // the same part again, once or often
      return Buffer.concat([
        before,
        ...Array.from({ length: 1 + random.integer(random.chance(0.9) ? 3 : 200) }, () => bytes.subarray(at, at + length)),
        bytes.subarray(at),
      ]).subarray(0, MAX_BYTES)
    case 5: {
      const other = others[random.integer(others.length)] ?? bytes
      const from = random.integer(other.length + 1)
      return Buffer.concat([before, other.subarray(from, from + length), random.chance(0.5) ? after : bytes.subarray(at)])
    }
    case 6: // a number of four bytes at its extremes
      return Buffer.concat([before, numbers[random.integer(numbers.length)] ?? before, bytes.subarray(at + 4)])
    case 7:
      return before
    default: {
      const word = Buffer.from(words[random.integer(words.length)] ?? '')
      return Buffer.concat([before, word, random.chance(0.5) ? after : bytes.subarray(at)])
    }
  }
}

const numbers = ['00000000', '7fffffff', 'ffffffff', '80000000', '00000001', '0000ffff', 'ffffff0f'].map((number) =>
  Buffer.from(number, 'hex'),
)
