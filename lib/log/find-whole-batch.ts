/**
 * Looks for a whole batch anywhere in a stretch of a .log, at any byte (format-spec/recovery.md). The bytes may be hostile: a
 * value can hold any number of headers that claim much, so a header must be plausible before its CRC is looked at, and there is a
 * limit to how many bytes are summed.
 */
import { readInt16, readInt32, readInt64 } from '../bytes/big-endian.js'
import { LogqError } from '../errors.js'
import {
  ATTRIBUTES_POSITION,
  BASE_OFFSET_POSITION,
  CODEC_MASK,
  KNOWN_ATTRIBUTES,
  LAST_OFFSET_DELTA_POSITION,
  LEADER_EPOCH_POSITION,
  MAGIC,
  MAGIC_POSITION,
  MIN_RECORD_BYTES,
  RECORD_COUNT_POSITION,
} from '../record/batch-layout.js'
import { BATCH_HEADER_BYTES, RecordBatch, peekBatchSize } from '../record/batch.js'
import { CODECS } from '../record/codec.js'
import { readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import { isWorthReading } from './large-batch.js'

/** What a header says, without the CRC having been looked at. */
export interface PeekedHeader {
  readonly sizeBytes: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly attributes: number
  readonly recordCount: number
}

export interface WholeBatchSearch {
  readonly fs: FileSystem
  readonly fd: number
  readonly fromPosition: number
  /** Bytes of the file that are looked at. */
  readonly sizeBytes: number
  /** Bytes that may be summed for CRCs in all. */
  readonly maxSummedBytes: number
  /** Whether a batch with this header counts, before its CRC is looked at. */
  readonly accepts: (header: PeekedHeader, position: number) => boolean
}

const WINDOW_BYTES = 1 << 20

/** Position of the first whole batch with a matching CRC that is accepted. 'too-costly': there may be one. */
export function findWholeBatch(search: WholeBatchSearch): number | 'none' | 'too-costly' {
  const { fs, fd, fromPosition, sizeBytes, accepts } = search
  let summedBytes = 0
  for (let start = fromPosition; sizeBytes - start >= BATCH_HEADER_BYTES; start += WINDOW_BYTES) {
    // A header that begins in this window may end in the next one.
    const window = readUpTo(fs, fd, start, Math.min(WINDOW_BYTES + BATCH_HEADER_BYTES - 1, sizeBytes - start))
    for (let at = window.indexOf(MAGIC, MAGIC_POSITION); at >= 0; at = window.indexOf(MAGIC, at + 1)) {
      const place = at - MAGIC_POSITION
      const position = start + place
      const header = parseHeader(window, place)
      if (header === undefined || position + header.sizeBytes > sizeBytes || !accepts(header, position)) continue
      summedBytes += header.sizeBytes
      if (summedBytes > search.maxSummedBytes) return 'too-costly'
      if (isWholeBatch(fs, fd, position, header.sizeBytes)) return position
    }
  }
  return 'none'
}

/** The header that may begin at `start`; undefined when none does, or the bytes end before it does. */
export function parseHeader(bytes: Uint8Array, start = 0): PeekedHeader | undefined {
  const available = bytes.length - start
  if (available < BATCH_HEADER_BYTES) return undefined
  const sizeBytes = peekBatchSize(bytes, start, available)
  if (sizeBytes <= 0) return undefined
  const baseOffset = readInt64(bytes, start + BASE_OFFSET_POSITION)
  const lastOffset = baseOffset + readInt32(bytes, start + LAST_OFFSET_DELTA_POSITION)
  if (lastOffset < baseOffset) return undefined
  return {
    sizeBytes,
    baseOffset,
    lastOffset,
    leaderEpoch: readInt32(bytes, start + LEADER_EPOCH_POSITION),
    attributes: readInt16(bytes, start + ATTRIBUTES_POSITION),
    recordCount: readInt32(bytes, start + RECORD_COUNT_POSITION),
  }
}

/** Whether the record count is one that so many offsets and bytes can have. A compacted batch may have lost records, or all of them. */
export function isCountPlausible({ sizeBytes, baseOffset, lastOffset, attributes, recordCount }: PeekedHeader): boolean {
  if (recordCount < 0 || recordCount > lastOffset - baseOffset + 1) return false
  const recordsBytes = sizeBytes - BATCH_HEADER_BYTES
  const isCompressed = (attributes & CODEC_MASK) !== 0
  return isCompressed ? recordCount === 0 || recordsBytes > 0 : recordCount * MIN_RECORD_BYTES <= recordsBytes
}

/** Whether every attribute is one that Kafka has assigned. */
export function areAttributesKnown({ attributes }: PeekedHeader): boolean {
  return (attributes & ~KNOWN_ATTRIBUTES) === 0 && (attributes & CODEC_MASK) < CODECS.length
}

/** Whether a batch of that size with a matching CRC begins there. */
export function isWholeBatch(fs: FileSystem, fd: number, position: number, sizeBytes: number): boolean {
  try {
    return isWorthReading(fs, fd, position, sizeBytes) && new RecordBatch(readUpTo(fs, fd, position, sizeBytes)).crcMatches()
  } catch (error) {
    if (error instanceof LogqError) return false
    throw error
  }
}
