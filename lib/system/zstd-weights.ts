/**
 * A guard before the package fzstd: of all that damage can make of a block, one thing would keep it going for ever. The weights of a
 * Huffman tree are coded by FSE (RFC 8878, 4.2.1.1); where a single symbol has all of the probability, each weight takes no bit, and
 * the package never comes to the end of the bits.
 */

const COMPRESSED_LITERALS = 2

/** True of the content of a compressed block whose Huffman weights would never end. No compressor writes such a block. */
export function hasEndlessWeights(block: Uint8Array): boolean {
  const first = block[0] ?? 0
  if ((first & 3) !== COMPRESSED_LITERALS) return false
  const sizeFormat = (first >> 2) & 3
  const treeAt = sizeFormat < 2 ? 3 : sizeFormat + 2
  const isCodedByFse = (block[treeAt] ?? 0) < 128
  return isCodedByFse && givesOneSymbolAll(block, treeAt + 1)
}

/** Reads an FSE table description up to the first symbol that has a probability (RFC 8878, 4.1.1). */
function givesOneSymbolAll(bytes: Uint8Array, at: number): boolean {
  const accuracyLog = ((bytes[at] ?? 0) & 15) + 5
  const total = 2 ** accuracyLog
  let bit = 8 * at + 4
  const read = (count: number): number => {
    let value = 0
    for (let n = 0; n < count; n += 1) value |= (((bytes[(bit + n) >> 3] ?? 0) >> ((bit + n) & 7)) & 1) << n
    return value
  }
  for (let symbol = 0; symbol < 256; symbol += 1) {
    // Values up to `total + 1`, of which the lower ones take a bit less.
    const bits = accuracyLog + 1
    const whole = read(bits)
    const shortValue = whole & (total - 1)
    const shortCount = 2 ** bits - 1 - (total + 1)
    const isShort = shortValue < shortCount
    bit += isShort ? bits - 1 : bits
    const value = isShort ? shortValue : whole >= total ? whole - shortCount : whole
    const probability = value - 1
    if (probability !== 0) return probability === total
    for (let repeat = 3; repeat === 3; bit += 2) {
      repeat = read(2)
      symbol += repeat
      if (bit > 8 * bytes.length) return false
    }
  }
  return false
}
