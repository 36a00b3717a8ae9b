/**
 * Codec snappy: blocks of raw snappy in the framing of the Java library (xerial), which Kafka's own clients write. librdkafka writes
 * one raw block without framing; Kafka reads that too, and so does logq. See format-spec/compression.md.
 */

import type * as Snappy from 'snappy'
import { readInt32, writeInt32 } from '../bytes/big-endian.js'
import { GrowableBytes } from '../bytes/growable-bytes.js'
import { asBuffer, damaged, loadCodecPackage, reasonOf, tooLarge, type CodecPackage } from './codec-package.js'

/** 0x82 'SNAPPY' 0x00. Raw snappy cannot begin so: it would be a block of 10 KB or more whose first element copies from nowhere. */
const FRAMING_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0)

/** Magic, version and lowest compatible version. */
const FRAMING_HEADER_BYTES = FRAMING_MAGIC.length + 4 + 4
const FRAMING_VERSION = 1

/** Uncompressed bytes of a block: what the Java library uses. */
const BLOCK_BYTES = 32 * 1024

/** The longest copy that snappy's three-byte element makes is 64 bytes, so no block grows by more than this factor. */
const MAX_RATIO = 22

export function loadSnappy(): CodecPackage {
  const snappy = loadCodecPackage('snappy', 'snappy') as typeof Snappy
  return {
    compress: (bytes) => compress(snappy, bytes),
    decompress: (bytes, maxBytes) =>
      beginsWithMagic(bytes, 0) ? decompressFramed(snappy, bytes, maxBytes) : decompressBlock(snappy, bytes, maxBytes),
  }
}

function compress(snappy: typeof Snappy, bytes: Uint8Array): Uint8Array {
  // Room for bytes that do not compress: what is not written to takes no memory, and growing would take twice as much.
  const out = new GrowableBytes(bytes.length + (bytes.length >> 10) + 1024)
  out.append(FRAMING_MAGIC)
  appendInt32(out, FRAMING_VERSION)
  appendInt32(out, FRAMING_VERSION)
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = snappy.compressSync(asBuffer(bytes.subarray(start, start + BLOCK_BYTES)))
    appendInt32(out, block.length)
    out.append(block)
  }
  return out.view()
}

function decompressFramed(snappy: typeof Snappy, bytes: Uint8Array, maxBytes: number): Uint8Array {
  // What the blocks declare is summed first: nothing is decompressed of what is too large, and the rest has room at once.
  let declaredBytes = 0
  for (const block of blocksOf(bytes)) {
    declaredBytes += declaredLength(block)
    if (declaredBytes > maxBytes) throw tooLarge('snappy', maxBytes)
  }
  const out = new GrowableBytes(declaredBytes)
  for (const block of blocksOf(bytes)) out.append(decompressBlock(snappy, block, maxBytes))
  return out.view()
}

function* blocksOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  let position = 0
  while (position < bytes.length) {
    // Streams may follow one another, each with its header.
    if (beginsWithMagic(bytes, position)) {
      position += FRAMING_HEADER_BYTES
      if (position > bytes.length) throw damaged('snappy', 'the stream header is cut')
      continue
    }
    const blockBytes = bytes.length - position >= 4 ? readInt32(bytes, position) : -1
    position += 4
    if (blockBytes < 0 || blockBytes > bytes.length - position) throw damaged('snappy', `a block is cut at byte ${position}`)
    yield bytes.subarray(position, position + blockBytes)
    position += blockBytes
  }
}

function declaredLength(block: Uint8Array): number {
  const declaredBytes = readUncompressedLength(block)
  if (!(declaredBytes <= block.length * MAX_RATIO)) throw damaged('snappy', 'a block declares an impossible length')
  return declaredBytes
}

function decompressBlock(snappy: typeof Snappy, block: Uint8Array, maxBytes: number): Uint8Array {
  if (declaredLength(block) > maxBytes) throw tooLarge('snappy', maxBytes)
  try {
    const result = snappy.uncompressSync(asBuffer(block), { asBuffer: true })
    if (typeof result !== 'string') return result
  } catch (error) {
    throw damaged('snappy', reasonOf(error), error)
  }
  throw new TypeError('snappy gave a string where a Buffer was asked for')
}

/** The block's first field: an unsigned 32-bit varint. NaN when it is none. */
function readUncompressedLength(block: Uint8Array): number {
  let length = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) return Number.NaN
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return length
  }
  return Number.NaN
}

function beginsWithMagic(bytes: Uint8Array, position: number): boolean {
  return FRAMING_MAGIC.every((byte, index) => bytes[position + index] === byte)
}

function appendInt32(out: GrowableBytes, value: number): void {
  out.reserve(4)
  writeInt32(out.bytes, out.length, value)
  out.length += 4
}
