/** Finds the place where a damaged segment can be read again. */
import { LogqError } from '../errors.js'
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

const WINDOW_BYTES = 1 << 20

/** Position of the next whole batch with a matching CRC, looked for byte by byte from `from` on; the size of the file without one. */
export function findNextBatch(search: BatchSearch, from: number): number {
  const { fs, fd, sizeBytes } = search
  for (let start = from; start < sizeBytes; start += WINDOW_BYTES) {
    // A header that begins in this window may end in the next one.
    const window = readUpTo(fs, fd, start, WINDOW_BYTES + BATCH_HEADER_BYTES)
    for (let place = 0; place < Math.min(window.length, WINDOW_BYTES); place += 1) {
      const batchBytes = peekBatchSize(window, place, window.length - place)
      if (batchBytes <= 0 || start + place + batchBytes > sizeBytes) continue
      if (isBatch(search, readUpTo(fs, fd, start + place, batchBytes))) return start + place
    }
  }
  return sizeBytes
}

function isBatch({ fromOffset, limitOffset }: BatchSearch, bytes: Uint8Array): boolean {
  try {
    const batch = new RecordBatch(bytes)
    return batch.baseOffset >= fromOffset && batch.nextOffset <= limitOffset && batch.crcMatches()
  } catch (error) {
    if (error instanceof LogqError) return false
    throw error
  }
}
