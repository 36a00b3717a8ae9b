/**
 * Batches that claim to be large. A damaged or hostile length, in a file with holes, could claim 2 GiB: such a batch is summed in pieces
 * where it stands, and given memory only when its CRC holds.
 */
import { readUint32 } from '../bytes/big-endian.js'
import { crc32c } from '../bytes/crc32c.js'
import { ATTRIBUTES_POSITION, CRC_POSITION } from '../record/batch-layout.js'
import { readInto, readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'

/** Up to this size, what max.message.bytes is by default, a batch is read as a whole. */
const LARGE_BYTES = 16 << 20
const PIECE_BYTES = 1 << 20

/** Whether the bytes of a batch are to be read into memory: it is not large, or its CRC holds. */
export function isWorthReading(fs: FileSystem, fd: number, position: number, sizeBytes: number): boolean {
  if (sizeBytes <= LARGE_BYTES) return true
  const stored = readUpTo(fs, fd, position, ATTRIBUTES_POSITION)
  return stored.length === ATTRIBUTES_POSITION && crcInFile(fs, fd, position, sizeBytes) === readUint32(stored, CRC_POSITION)
}

/** The CRC that a batch of that size should have; undefined when the file ends before it does. */
export function crcInFile(fs: FileSystem, fd: number, position: number, sizeBytes: number): number | undefined {
  const piece = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes))
  let sum = 0
  for (let at = ATTRIBUTES_POSITION; at < sizeBytes;) {
    const count = readInto(fs, fd, piece, 0, Math.min(piece.length, sizeBytes - at), position + at)
    if (count === 0) return undefined
    sum = crc32c(piece, 0, count, sum)
    at += count
  }
  return sum
}
