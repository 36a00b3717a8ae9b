/**
 * The bytes of a dedupe index: its header, and the buckets that its table consists of (format-spec/dedupe-index.md). No input or output.
 */
import { readInt32, readInt64, readUint32, writeInt16, writeInt32, writeInt64 } from '../bytes/big-endian.js'
import { crc32c } from '../bytes/crc32c.js'
import { ID_HASH_BYTES } from './dedupe-id.js'

/** The batch that the index was brought up to, by which it is seen that the log still is the same one. */
export interface CoveredBatch {
  readonly baseOffset: number
  readonly crc: number
  readonly leaderEpoch: number
}

export interface DedupeHeader {
  /** 16 bytes. */
  readonly bootId: Uint8Array
  /** First 16 bytes of the SHA-256 of `key`, `value` or `header:NAME`. */
  readonly kind: Uint8Array
  /** 8 random bytes, others for every write of the header. */
  readonly generation: Uint8Array
  /** Every record below `coveredTo` that is not older than this is in the table. */
  readonly coveredFromMs: number
  readonly coveredTo: number
  /** Undefined when nothing was read yet. */
  readonly lastBatch: CoveredBatch | undefined
  readonly tablePosition: number
  readonly bucketCount: number
  readonly entryCount: number
}

export const DEDUPE_HEADER_VERSION = 1
const MAGIC = 0x4c514449 // "LQDI"

// The layout is arithmetic: each place follows from the one before it.
const MAGIC_AT = 0
const VERSION_AT = MAGIC_AT + 4
const RESERVED_AT = VERSION_AT + 2
const BOOT_ID_AT = RESERVED_AT + 2
const KIND_AT = BOOT_ID_AT + 16
const GENERATION_AT = KIND_AT + 16
const COVERED_FROM_AT = GENERATION_AT + 8
const COVERED_TO_AT = COVERED_FROM_AT + 8
const LAST_BATCH_OFFSET_AT = COVERED_TO_AT + 8
const LAST_BATCH_CRC_AT = LAST_BATCH_OFFSET_AT + 8
const LAST_BATCH_EPOCH_AT = LAST_BATCH_CRC_AT + 4
const TABLE_POSITION_AT = LAST_BATCH_EPOCH_AT + 4
const BUCKET_COUNT_AT = TABLE_POSITION_AT + 8
const ENTRY_COUNT_AT = BUCKET_COUNT_AT + 4
const CRC_AT = ENTRY_COUNT_AT + 4
export const DEDUPE_HEADER_BYTES = CRC_AT + 4

/** The holder's note stands behind the header: pid (int32), start ticks (int64). */
export const DEDUPE_HOLDER_POSITION = 256
export const DEDUPE_HOLDER_BYTES = 12

export const BUCKET_BYTES = 512
/** Where a table may begin: behind header and note. */
export const FIRST_TABLE_POSITION = BUCKET_BYTES
export const ENTRY_BYTES = ID_HASH_BYTES + 16
export const ENTRIES_PER_BUCKET = BUCKET_BYTES / ENTRY_BYTES - 1
/** 32 GiB: a table of a thousand million ids. */
export const MAX_BUCKETS = 1 << 26

const BUCKET_CRC_AT = 0
const BUCKET_NUMBER_AT = 4
const BUCKET_USED_AT = 8

export function encodeDedupeHeader(header: DedupeHeader): Uint8Array {
  const bytes = new Uint8Array(DEDUPE_HEADER_BYTES)
  writeInt32(bytes, MAGIC_AT, MAGIC)
  writeInt16(bytes, VERSION_AT, DEDUPE_HEADER_VERSION)
  bytes.set(header.bootId.subarray(0, 16), BOOT_ID_AT)
  bytes.set(header.kind.subarray(0, 16), KIND_AT)
  bytes.set(header.generation.subarray(0, 8), GENERATION_AT)
  writeInt64(bytes, COVERED_FROM_AT, header.coveredFromMs)
  writeInt64(bytes, COVERED_TO_AT, header.coveredTo)
  writeInt64(bytes, LAST_BATCH_OFFSET_AT, header.lastBatch?.baseOffset ?? -1)
  writeInt32(bytes, LAST_BATCH_CRC_AT, header.lastBatch?.crc ?? 0)
  writeInt32(bytes, LAST_BATCH_EPOCH_AT, header.lastBatch?.leaderEpoch ?? -1)
  writeInt64(bytes, TABLE_POSITION_AT, header.tablePosition)
  writeInt32(bytes, BUCKET_COUNT_AT, header.bucketCount)
  writeInt32(bytes, ENTRY_COUNT_AT, header.entryCount)
  writeInt32(bytes, CRC_AT, crc32c(bytes, 0, CRC_AT))
  return bytes
}

/** Undefined when the bytes are not a whole header of this version, or name a table that cannot be. */
export function decodeDedupeHeader(bytes: Uint8Array): DedupeHeader | undefined {
  if (bytes.length < DEDUPE_HEADER_BYTES || readInt32(bytes, MAGIC_AT) !== MAGIC) return undefined
  if (readInt32(bytes, VERSION_AT) !== DEDUPE_HEADER_VERSION << 16) return undefined
  if (readUint32(bytes, CRC_AT) !== crc32c(bytes, 0, CRC_AT)) return undefined
  const baseOffset = readInt64(bytes, LAST_BATCH_OFFSET_AT)
  const crc = readUint32(bytes, LAST_BATCH_CRC_AT)
  const leaderEpoch = readInt32(bytes, LAST_BATCH_EPOCH_AT)
  const header: DedupeHeader = {
    bootId: bytes.slice(BOOT_ID_AT, BOOT_ID_AT + 16),
    kind: bytes.slice(KIND_AT, KIND_AT + 16),
    generation: bytes.slice(GENERATION_AT, GENERATION_AT + 8),
    coveredFromMs: readInt64(bytes, COVERED_FROM_AT),
    coveredTo: readInt64(bytes, COVERED_TO_AT),
    lastBatch: baseOffset < 0 ? undefined : { baseOffset, crc, leaderEpoch },
    tablePosition: readInt64(bytes, TABLE_POSITION_AT),
    bucketCount: readInt32(bytes, BUCKET_COUNT_AT),
    entryCount: readInt32(bytes, ENTRY_COUNT_AT),
  }
  return isPossible(header) ? header : undefined
}

function isPossible({ coveredFromMs, coveredTo, lastBatch, tablePosition, bucketCount, entryCount }: DedupeHeader): boolean {
  if (Number.isNaN(coveredFromMs) || !(coveredTo >= 0) || Number.isNaN(lastBatch?.baseOffset ?? 0)) return false
  if (!(tablePosition >= FIRST_TABLE_POSITION) || tablePosition % BUCKET_BYTES !== 0) return false
  if (bucketCount < 1 || bucketCount > MAX_BUCKETS || (bucketCount & (bucketCount - 1)) !== 0) return false
  return entryCount >= 0 && entryCount <= bucketCount * ENTRIES_PER_BUCKET
}

/** An empty bucket. Its checksum is that of `sealBucket`. */
export function emptyBucket(number: number): Buffer {
  const bucket = Buffer.alloc(BUCKET_BYTES)
  writeInt32(bucket, BUCKET_NUMBER_AT, number)
  return bucket
}

/** Sets the checksum: before a bucket is written. */
export function sealBucket(bucket: Uint8Array): void {
  writeInt32(bucket, BUCKET_CRC_AT, crc32c(bucket, BUCKET_NUMBER_AT))
}

/** Whether the bytes are a whole bucket, and the one with this number. */
export function isBucket(bucket: Uint8Array, number: number): boolean {
  if (bucket.length !== BUCKET_BYTES || readInt32(bucket, BUCKET_NUMBER_AT) !== number) return false
  const used = readInt32(bucket, BUCKET_USED_AT)
  if (used < 0 || used > ENTRIES_PER_BUCKET) return false
  return readUint32(bucket, BUCKET_CRC_AT) === crc32c(bucket, BUCKET_NUMBER_AT)
}

export function usedEntries(bucket: Uint8Array): number {
  return readInt32(bucket, BUCKET_USED_AT)
}

/** Where the n-th entry of a bucket begins. */
export function entryPosition(n: number): number {
  return (n + 1) * ENTRY_BYTES
}

export interface DedupeEntry {
  readonly offset: number
  readonly timestampMs: number
  /** There were more records of this id, later ones with lesser timestamps, than the table keeps of one. */
  readonly hidesOthers: boolean
}

/** NaN in a number means that it is beyond 2^53 - 1, which no writer makes it. */
export function readEntry(bucket: Uint8Array, n: number): DedupeEntry {
  const position = entryPosition(n)
  const hidesOthers = (bucket[position + ID_HASH_BYTES] ?? 0) >= 0x80
  const stored = readInt64(bucket, position + ID_HASH_BYTES)
  return {
    offset: hidesOthers ? -1 - stored : stored,
    timestampMs: readInt64(bucket, position + ID_HASH_BYTES + 8),
    hidesOthers,
  }
}

/** Writes over an entry, or behind the last one. The checksum is not set. */
export function writeEntry(bucket: Uint8Array, n: number, hash: Uint8Array, entry: DedupeEntry): void {
  const position = entryPosition(n)
  bucket.set(hash, position)
  writeInt64(bucket, position + ID_HASH_BYTES, entry.hidesOthers ? -1 - entry.offset : entry.offset)
  writeInt64(bucket, position + ID_HASH_BYTES + 8, entry.timestampMs)
  if (n >= usedEntries(bucket)) writeInt32(bucket, BUCKET_USED_AT, n + 1)
}

/** In which of 2^n buckets an id's entries begin: the first bits of its hash, so that a table keeps its order when it grows. */
export function homeBucket(hash: Uint8Array, bucketCount: number): number {
  return bucketCount === 1 ? 0 : readUint32(hash, 0) >>> (Math.clz32(bucketCount) + 1)
}
