/** Finds the place where a damaged segment can be read again, and looks at the header of the batch behind another. */
import { LogqError } from '../errors.js'
import { readInt32, readInt64 } from '../bytes/big-endian.js'
import { BASE_OFFSET_POSITION, LAST_OFFSET_DELTA_POSITION, LEADER_EPOCH_POSITION } from '../record/batch-layout.js'
import { BATCH_HEADER_BYTES, RecordBatch, peekBatchSize } from '../record/batch.js'
import { readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'

export interface BatchSearch {
  readonly fs: FileSystem
  readonly fd: number
  /** Bytes of the file that are looked at. */
  readonly sizeBytes: number
  /** The batch must begin at or above this offset, */
  readonly fromOffset: number
  /** and end below this one. */
  readonly limitOffset: number
}

/** What a header says, without the CRC having been looked at. */
export interface PeekedHeader {
  readonly sizeBytes: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
}

const WINDOW_BYTES = 1 << 20

/**
 * Position of the next whole batch with a matching CRC above a bad place; the size of the file without one.
 *
 * Where the bad batch's own length leads to a good one, or to the end, that is the place: a value may hold batches itself. Otherwise every
 * byte is tried, and a batch counts only when it is followed by the end, or by what may be its successor.
 */
export function findNextBatch(search: BatchSearch, badPosition: number): number {
  const { fs, fd, sizeBytes } = search
  const header = peekHeader(fs, fd, badPosition, sizeBytes)
  if (header !== undefined) {
    const after = badPosition + header.sizeBytes
    if (after === sizeBytes || isBatch(search, after)) return after
  }
  for (let start = badPosition + 1; start < sizeBytes; start += WINDOW_BYTES) {
    // A header that begins in this window may end in the next one.
    const window = readUpTo(fs, fd, start, Math.min(WINDOW_BYTES + BATCH_HEADER_BYTES, sizeBytes - start))
    for (let place = 0; place < Math.min(window.length, WINDOW_BYTES); place += 1) {
      const batchBytes = peekBatchSize(window, place, window.length - place)
      if (batchBytes <= 0 || start + place + batchBytes > sizeBytes) continue
      if (isBatch(search, start + place) && hasSuccessor(search, start + place)) return start + place
    }
  }
  return sizeBytes
}

/** The header of the batch that may begin at a position; undefined when none does, or it does not fit in the file. */
export function peekHeader(fs: FileSystem, fd: number, position: number, sizeBytes: number): PeekedHeader | undefined {
  const header = parseHeader(headerBytes(fs, fd, position, sizeBytes))
  return header === undefined || position + header.sizeBytes > sizeBytes ? undefined : header
}

function headerBytes(fs: FileSystem, fd: number, position: number, sizeBytes: number): Uint8Array {
  return readUpTo(fs, fd, position, Math.max(0, Math.min(BATCH_HEADER_BYTES, sizeBytes - position)))
}

function parseHeader(bytes: Uint8Array): PeekedHeader | undefined {
  if (bytes.length < BATCH_HEADER_BYTES) return undefined
  const sizeBytes = peekBatchSize(bytes, 0, bytes.length)
  if (sizeBytes <= 0) return undefined
  const baseOffset = readInt64(bytes, BASE_OFFSET_POSITION)
  const lastOffset = baseOffset + readInt32(bytes, LAST_OFFSET_DELTA_POSITION)
  if (lastOffset < baseOffset) return undefined
  return { sizeBytes, baseOffset, lastOffset, leaderEpoch: readInt32(bytes, LEADER_EPOCH_POSITION) }
}

/** Whether a whole batch with a matching CRC and offsets in range begins there. */
function isBatch({ fs, fd, sizeBytes, fromOffset, limitOffset }: BatchSearch, position: number): boolean {
  const header = peekHeader(fs, fd, position, sizeBytes)
  if (header === undefined || header.baseOffset < fromOffset || header.lastOffset >= limitOffset) return false
  try {
    return new RecordBatch(readUpTo(fs, fd, position, header.sizeBytes)).crcMatches()
  } catch (error) {
    if (error instanceof LogqError) return false
    throw error
  }
}

/** Whether the file ends behind a batch, or goes on with zeros or with a later batch, whole or torn. */
function hasSuccessor({ fs, fd, sizeBytes }: BatchSearch, position: number): boolean {
  const header = peekHeader(fs, fd, position, sizeBytes)
  if (header === undefined) return false
  const bytes = headerBytes(fs, fd, position + header.sizeBytes, sizeBytes)
  const next = parseHeader(bytes)
  return next === undefined ? bytes.every((byte) => byte === 0) : next.baseOffset > header.lastOffset
}
