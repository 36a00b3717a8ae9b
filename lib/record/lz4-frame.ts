/**
 * Reads the structure of an LZ4 frame without decompressing it: how many bytes it holds, and whether it is whole. Checksums are left to
 * the decompressor.
 */

import { damaged, tooLarge } from './codec-package.js'
import type { InvalidBatchError } from './invalid-batch-error.js'

const MAGIC = 0x184d2204
const VERSION_MASK = 0xc0
const VERSION_1 = 0x40
const INDEPENDENT_BLOCKS = 0x20
const BLOCK_CHECKSUMS = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const DICTIONARY_ID = 0x01
const UNCOMPRESSED_BLOCK = 0x8000_0000

/** The decompressed size of the one frame that `bytes` must be. Throws InvalidBatchError; stops at `maxBytes`. */
export function measureLz4Frame(bytes: Uint8Array, maxBytes: number): number {
  if (bytes.length < 7) throw cut()
  if (readUint32(bytes, 0) !== MAGIC) throw damaged('lz4', 'it does not begin as a frame')
  const flags = bytes[4] ?? 0
  if ((flags & VERSION_MASK) !== VERSION_1) throw damaged('lz4', 'the frame version is not 1')
  if ((flags & INDEPENDENT_BLOCKS) === 0) throw damaged('lz4', 'its blocks depend on one another, which Kafka does not read')
  if ((flags & DICTIONARY_ID) !== 0) throw damaged('lz4', 'it needs a dictionary')
  const sizeCode = ((bytes[5] ?? 0) >> 4) & 0x07
  if (sizeCode < 4) throw damaged('lz4', `block size code ${sizeCode} is not known`)
  const maxBlockBytes = 2 ** (8 + 2 * sizeCode)

  const checksumBytes = (flags & BLOCK_CHECKSUMS) === 0 ? 0 : 4
  // Magic, flags, block size and the header's checksum, a byte, around the optional content size.
  let position = (flags & CONTENT_SIZE) === 0 ? 7 : 15
  let total = 0
  for (;;) {
    if (position + 4 > bytes.length) throw cut()
    const word = readUint32(bytes, position)
    position += 4
    if (word === 0) break
    const isCompressed = word < UNCOMPRESSED_BLOCK
    const blockBytes = isCompressed ? word : word - UNCOMPRESSED_BLOCK
    if (blockBytes > maxBlockBytes) throw damaged('lz4', `a block of ${blockBytes} bytes is larger than the frame allows`)
    if (position + blockBytes + checksumBytes > bytes.length) throw cut()
    const contentBytes = isCompressed ? measureBlock(bytes, position, position + blockBytes) : blockBytes
    if (contentBytes > maxBlockBytes) throw damaged('lz4', 'a block holds more than the frame allows')
    total += contentBytes
    if (total > maxBytes) throw tooLarge('lz4', maxBytes)
    position += blockBytes + checksumBytes
  }
  if ((flags & CONTENT_CHECKSUM) !== 0) position += 4
  if (position > bytes.length) throw cut()
  if (position < bytes.length) throw damaged('lz4', `${bytes.length - position} bytes are left over`)
  return total
}

/**
 * The decompressed size of a block: a row of sequences, each a token, literals, and, but for the last, a two-byte distance and a match.
 * Lengths of 15 go on in further bytes, up to and with the first that is not 255.
 */
function measureBlock(bytes: Uint8Array, start: number, end: number): number {
  let position = start
  let total = 0
  while (position < end) {
    const token = bytes[position++] ?? 0
    let literals = token >> 4
    if (literals === 15) {
      let more = 255
      while (more === 255) {
        if (position >= end) throw cut()
        more = bytes[position++] ?? 0
        literals += more
      }
    }
    position += literals
    total += literals
    if (position === end) return total
    position += 2
    let match = token & 0x0f
    if (match === 15) {
      let more = 255
      while (more === 255) {
        if (position >= end) throw cut()
        more = bytes[position++] ?? 0
        match += more
      }
    }
    total += match + 4
  }
  // The last sequence ends with its literals.
  throw cut()
}

function cut(): InvalidBatchError {
  return damaged('lz4', 'it is cut short')
}

function readUint32(bytes: Uint8Array, position: number): number {
  return (
    ((bytes[position] ?? 0) |
      ((bytes[position + 1] ?? 0) << 8) |
      ((bytes[position + 2] ?? 0) << 16) |
      ((bytes[position + 3] ?? 0) << 24)) >>>
    0
  )
}
