/** Finds the place where a damaged segment can be read again, and looks at the header of the batch behind another. */
import { findWholeBatch, isCountPlausible, isWholeBatch, parseHeader, type PeekedHeader } from './find-whole-batch.js'
import { BATCH_HEADER_BYTES } from '../record/batch.js'
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

/**
 * So many times as many bytes as follow the bad place may be summed. Bytes that were made to look like headers take no more; what
 * stands behind the place where the search was given up counts as bad then, and is kept in quarantine by a repair.
 */
const SUMMED_PER_BYTE = 64

/**
 * Position of the next whole batch with a matching CRC above a bad place; the size of the file without one.
 *
 * Where the bad batch's own length leads to a good one, or to the end, that is the place: a value may hold batches itself.
 * Otherwise every byte is tried, and a batch counts only when it is followed by the end, or by what may be its successor.
 */
export function findNextBatch(search: BatchSearch, badPosition: number): number {
  const { fs, fd, sizeBytes } = search
  const header = peekHeader(fs, fd, badPosition, sizeBytes)
  if (header !== undefined) {
    const after = badPosition + header.sizeBytes
    if (after === sizeBytes || isBatch(search, after)) return after
  }
  const found = findWholeBatch({
    fs,
    fd,
    fromPosition: badPosition + 1,
    sizeBytes,
    maxSummedBytes: SUMMED_PER_BYTE * (sizeBytes - badPosition),
    accepts: (candidate, position) =>
      isInRange(search, candidate) && isCountPlausible(candidate) && hasSuccessor(search, position, candidate),
  })
  return typeof found === 'number' ? found : sizeBytes
}

/** The header of the batch that may begin at a position; undefined when none does, or it does not fit in the file. */
export function peekHeader(fs: FileSystem, fd: number, position: number, sizeBytes: number): PeekedHeader | undefined {
  const header = parseHeader(headerBytes(fs, fd, position, sizeBytes))
  return header === undefined || position + header.sizeBytes > sizeBytes ? undefined : header
}

function headerBytes(fs: FileSystem, fd: number, position: number, sizeBytes: number): Uint8Array {
  return readUpTo(fs, fd, position, Math.max(0, Math.min(BATCH_HEADER_BYTES, sizeBytes - position)))
}

/** Whether a whole batch with a matching CRC and offsets in range begins there. */
function isBatch(search: BatchSearch, position: number): boolean {
  const { fs, fd, sizeBytes } = search
  const header = peekHeader(fs, fd, position, sizeBytes)
  return header !== undefined && isInRange(search, header) && isWholeBatch(fs, fd, position, header.sizeBytes)
}

function isInRange({ fromOffset, limitOffset }: BatchSearch, { baseOffset, lastOffset }: PeekedHeader): boolean {
  return baseOffset >= fromOffset && lastOffset < limitOffset
}

/** Whether the file ends behind a batch, or goes on with zeros or with a later batch, whole or torn. */
function hasSuccessor({ fs, fd, sizeBytes }: BatchSearch, position: number, header: PeekedHeader): boolean {
  const bytes = headerBytes(fs, fd, position + header.sizeBytes, sizeBytes)
  const next = parseHeader(bytes)
  return next === undefined ? bytes.every((byte) => byte === 0) : next.baseOffset > header.lastOffset
}
