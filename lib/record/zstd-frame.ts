/**
 * Reads the structure of Zstandard frames (RFC 8878) without decompressing them: where each one ends, and the most it can hold. Frames
 * without a content size are common: Kafka's Java client writes them.
 */

import { damaged } from './codec-package.js'
import type { InvalidBatchError } from './invalid-batch-error.js'

export interface ZstdFrame {
  /** `bytes[start, end)`. */
  readonly start: number
  readonly end: number
  /** The content size that the header states, or undefined. */
  readonly contentBytes: number | undefined
  /** The most that its blocks can hold. */
  readonly maxContentBytes: number
}

const MAGIC = 0xfd2f_b528
const SKIPPABLE_MAGIC = 0x184d_2a50
const MAX_BLOCK_BYTES = 128 * 1024

// Types of a block.
const RAW = 0
const RUN = 1
const COMPRESSED = 2

/**
 * The frames that `bytes` is made of, skippable ones left out. Throws InvalidBatchError unless they are whole and nothing is
 * left over.
 */
export function readZstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const frames: ZstdFrame[] = []
  let position = 0
  while (position < bytes.length) {
    const magic = readLittleEndian(bytes, position, 4)
    if (magic === MAGIC) {
      const frame = readFrame(bytes, position)
      frames.push(frame)
      position = frame.end
    } else if (magic - (magic % 16) === SKIPPABLE_MAGIC) {
      position += 8 + readLittleEndian(bytes, position + 4, 4)
      if (position > bytes.length) throw cut()
    } else {
      throw damaged('zstd', `no frame begins at byte ${position}`)
    }
  }
  return frames
}

function readFrame(bytes: Uint8Array, start: number): ZstdFrame {
  const descriptor = readLittleEndian(bytes, start + 4, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) throw damaged('zstd', 'a reserved bit of the frame header is set')
  let position = start + 5
  let windowBytes = Number.POSITIVE_INFINITY
  if (!isSingleSegment) {
    const window = readLittleEndian(bytes, position++, 1)
    const base = 2 ** (10 + (window >> 3))
    windowBytes = base + (base / 8) * (window & 7)
  }
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  if (readLittleEndian(bytes, position, dictionaryBytes) !== 0) throw damaged('zstd', 'it needs a dictionary')
  position += dictionaryBytes

  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  // A size in two bytes is counted from 256.
  const statedBytes = readLittleEndian(bytes, position, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  const contentBytes = sizeBytes === 0 ? undefined : statedBytes
  position += sizeBytes
  if (isSingleSegment) windowBytes = statedBytes

  const maxBlockBytes = Math.min(windowBytes, MAX_BLOCK_BYTES)
  let maxContentBytes = 0
  for (let isLast = false; !isLast;) {
    const header = readLittleEndian(bytes, position, 3)
    position += 3
    isLast = (header & 1) !== 0
    const type = (header >> 1) & 3
    const blockBytes = header >> 3
    if (blockBytes > maxBlockBytes) throw damaged('zstd', 'a block is larger than the frame allows')
    if (type !== RAW && type !== RUN && type !== COMPRESSED) throw damaged('zstd', 'a block has a reserved type')
    position += type === RUN ? 1 : blockBytes
    if (position > bytes.length) throw cut()
    maxContentBytes += type === COMPRESSED ? maxBlockBytes : blockBytes
  }
  // The content's checksum.
  if ((descriptor & 0x04) !== 0) position += 4
  if (position > bytes.length) throw cut()
  if (contentBytes !== undefined && contentBytes > maxContentBytes) throw damaged('zstd', 'a frame states an impossible size')
  return { start, end: position, contentBytes, maxContentBytes }
}

/** An unsigned integer of `size` bytes (up to 8; beyond 2^53 it is not exact, and too large anyway). */
function readLittleEndian(bytes: Uint8Array, position: number, size: number): number {
  if (position + size > bytes.length) throw cut()
  let value = 0
  for (let index = size - 1; index >= 0; index--) value = value * 256 + (bytes[position + index] ?? 0)
  return value
}

function cut(): InvalidBatchError {
  return damaged('zstd', 'it is cut short')
}
