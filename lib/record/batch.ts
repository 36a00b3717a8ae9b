/**
 * The record batch: the unit of append, checksum and compression. See format-spec/record-batch.md.
 *
 * RecordBatch is a read-only view over the bytes of one batch; the functions beside it look at a header before a batch is known to be
 * whole, and change the few fields that an append assigns.
 */

import {
  readInt16,
  readInt32,
  readInt64,
  readInt64Exactly,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../bytes/big-endian.js'
import { crc32c } from '../bytes/crc32c.js'
import {
  ATTRIBUTES_POSITION,
  BASE_OFFSET_POSITION,
  BASE_SEQUENCE_POSITION,
  BASE_TIMESTAMP_POSITION,
  CODEC_MASK,
  CONTROL_FLAG,
  CRC_POSITION,
  DELETE_HORIZON_FLAG,
  KNOWN_ATTRIBUTES,
  LAST_OFFSET_DELTA_POSITION,
  LEADER_EPOCH_POSITION,
  LENGTH_COUNTS_FROM,
  LENGTH_POSITION,
  LOG_APPEND_TIME_FLAG,
  MAGIC,
  MAGIC_POSITION,
  MAX_BASE_OFFSET,
  MAX_BATCH_BYTES,
  MAX_TIMESTAMP_POSITION,
  MIN_LENGTH,
  NONE,
  PEEK_BYTES,
  PRODUCER_EPOCH_POSITION,
  PRODUCER_ID_POSITION,
  RECORD_COUNT_POSITION,
  RECORDS_POSITION,
  TRANSACTIONAL_FLAG,
} from './batch-layout.js'
import { CODECS, type Codec } from './codec.js'
import { decompress, DEFAULT_MAX_DECOMPRESSED_BYTES } from './compression.js'
import { InvalidBatchError } from './invalid-batch-error.js'
import { RecordCursor, type RecordsArea } from './record-cursor.js'
import type { LogRecord, TimestampType } from './record.js'

export { BATCH_HEADER_BYTES, MAX_BATCH_BYTES, PEEK_BYTES } from './batch-layout.js'
export { InvalidBatchError } from './invalid-batch-error.js'

export interface ReadRecordsOptions {
  /** Compressed records that would take more bytes than this are refused (LOGQ_CORRUPT). Default 256 MiB. */
  readonly maxDecompressedBytes?: number
}

/** A read-only view over exactly one batch. It aliases the bytes: it is valid while they are not reused. */
export class RecordBatch {
  readonly bytes: Uint8Array
  readonly baseOffset: number
  private decompressed: Uint8Array | undefined

  /**
   * Checks magic, length, base offset and last offset delta, nothing more: the CRC is `crcMatches()`.
   * Throws InvalidBatchError.
   */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    if (bytes.length === 0 || peekBatchSize(bytes, 0, bytes.length) !== bytes.length)
      throw new InvalidBatchError(describeHeader(bytes, 0, bytes.length), 0)
    this.baseOffset = readInt64(bytes, BASE_OFFSET_POSITION)
    if (this.lastOffsetDelta < 0) {
      throw new InvalidBatchError(`a last offset delta of ${this.lastOffsetDelta} cannot be`, LAST_OFFSET_DELTA_POSITION)
    }
  }

  /** The whole batch, header and all. */
  get sizeBytes(): number {
    return this.bytes.length
  }

  get partitionLeaderEpoch(): number {
    return readInt32(this.bytes, LEADER_EPOCH_POSITION)
  }

  get magic(): number {
    return this.bytes[MAGIC_POSITION] ?? 0
  }

  /** The stored CRC-32C, unsigned. */
  get crc(): number {
    return readUint32(this.bytes, CRC_POSITION)
  }

  get attributes(): number {
    return readInt16(this.bytes, ATTRIBUTES_POSITION)
  }

  /** Throws InvalidBatchError for a number that Kafka has not assigned. */
  get codec(): Codec {
    const number = this.attributes & CODEC_MASK
    const codec = CODECS[number]
    if (codec === undefined) {
      throw new InvalidBatchError(`compression codec ${number} is not known`, ATTRIBUTES_POSITION)
    }
    return codec
  }

  get timestampType(): TimestampType {
    return (this.attributes & LOG_APPEND_TIME_FLAG) === 0 ? 'CreateTime' : 'LogAppendTime'
  }

  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL_FLAG) !== 0
  }

  /** A control batch marks the end of a transaction; its records are never shown. */
  get isControl(): boolean {
    return (this.attributes & CONTROL_FLAG) !== 0
  }

  /** Neither transactional nor a control batch: its records are shown to everybody. */
  get isPlain(): boolean {
    return (this.attributes & (TRANSACTIONAL_FLAG | CONTROL_FLAG)) === 0
  }

  /** The base timestamp is then the time from which tombstones of the batch may be compacted away. */
  get hasDeleteHorizon(): boolean {
    return (this.attributes & DELETE_HORIZON_FLAG) !== 0
  }

  /** Attribute bits beyond the known ones: such a batch is read for what is known, and never written. */
  get hasUnknownAttributes(): boolean {
    return (this.attributes & ~KNOWN_ATTRIBUTES) !== 0
  }

  get lastOffsetDelta(): number {
    return readInt32(this.bytes, LAST_OFFSET_DELTA_POSITION)
  }

  /** The offset that the last record had when the batch was appended; compaction may have removed that record. */
  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  /** The base offset of what follows, in a log without gaps. */
  get nextOffset(): number {
    return this.lastOffset + 1
  }

  get baseTimestampMs(): number | bigint {
    return readInt64Exactly(this.bytes, BASE_TIMESTAMP_POSITION)
  }

  get maxTimestampMs(): number | bigint {
    return readInt64Exactly(this.bytes, MAX_TIMESTAMP_POSITION)
  }

  /** -1 for none. */
  get producerId(): number | bigint {
    return readInt64Exactly(this.bytes, PRODUCER_ID_POSITION)
  }

  get producerEpoch(): number {
    return readInt16(this.bytes, PRODUCER_EPOCH_POSITION)
  }

  get baseSequence(): number {
    return readInt32(this.bytes, BASE_SEQUENCE_POSITION)
  }

  /** As the header states it. Not negative only once a cursor was opened. */
  get recordCount(): number {
    return readInt32(this.bytes, RECORD_COUNT_POSITION)
  }

  /** Whether the stored CRC is that of the bytes. It covers everything from the attributes to the end. */
  crcMatches(): boolean {
    return crc32c(this.bytes, ATTRIBUTES_POSITION) === this.crc
  }

  /** The records in order, as copies. Throws InvalidBatchError at the record that is wrong. */
  *records(options: ReadRecordsOptions = {}): IterableIterator<LogRecord> {
    const timestampType = this.timestampType
    const cursor = this.cursor(options)
    while (cursor.next()) {
      yield {
        offset: cursor.offset,
        timestampMs: cursor.timestampMs,
        timestampType,
        key: cursor.copyKey(),
        value: cursor.copyValue(),
        headers: cursor.copyHeaders(),
      }
    }
  }

  /** A walk over the records without copies. Throws InvalidBatchError for an impossible record count or broken compression. */
  cursor(options: ReadRecordsOptions = {}): RecordCursor {
    return new RecordCursor(this.recordsArea(options))
  }

  /** Where the records lie, decompressed (once) when needed. */
  recordsArea(options: ReadRecordsOptions = {}): RecordsArea {
    const recordCount = this.recordCount
    // An empty batch, as compaction may leave one, has no compressed stream whatever its attributes say.
    const isCompressed = this.codec !== 'none' && this.bytes.length > RECORDS_POSITION
    const bytes = isCompressed
      ? this.decompressRecords(options.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES)
      : this.bytes
    return {
      bytes,
      start: isCompressed ? 0 : RECORDS_POSITION,
      end: bytes.length,
      decompressed: isCompressed,
      baseOffset: this.baseOffset,
      lastOffsetDelta: this.lastOffsetDelta,
      recordCount,
      baseTimestampMs: this.baseTimestampMs,
      logAppendTimeMs: this.timestampType === 'LogAppendTime' ? this.maxTimestampMs : undefined,
    }
  }

  private decompressRecords(maxBytes: number): Uint8Array {
    this.decompressed ??= decompress(this.codec, this.bytes.subarray(RECORDS_POSITION), maxBytes)
    return this.decompressed
  }
}

/**
 * Total bytes of the batch whose header begins at `start`, of which `available` bytes are there to be read; more than `available` when
 * the batch is not whole. 0 when fewer than PEEK_BYTES are available, so that nothing can be said; -1 when this cannot be a batch
 * (`describeHeader` says why).
 */
export function peekBatchSize(bytes: Uint8Array, start: number, available: number): number {
  if (available < PEEK_BYTES) return 0
  const length = readInt32(bytes, start + LENGTH_POSITION)
  if (length < MIN_LENGTH || length > MAX_BATCH_BYTES - LENGTH_COUNTS_FROM) return -1
  if (bytes[start + MAGIC_POSITION] !== MAGIC) return -1
  const baseOffset = readInt64(bytes, start + BASE_OFFSET_POSITION)
  if (!(baseOffset >= 0 && baseOffset <= MAX_BASE_OFFSET)) return -1
  return length + LENGTH_COUNTS_FROM
}

/** In words, why no whole batch begins at `start`: for an error message, after peekBatchSize or a size that does not fit. */
export function describeHeader(bytes: Uint8Array, start: number, available: number): string {
  if (available < PEEK_BYTES) return `${available} bytes are too few for a record batch`
  const magic = bytes[start + MAGIC_POSITION] ?? 0
  const length = readInt32(bytes, start + LENGTH_POSITION)
  const baseOffset = readInt64Exactly(bytes, start + BASE_OFFSET_POSITION)
  if (magic < MAGIC) {
    if (length === 0 && baseOffset === 0) return 'zero bytes stand in place of a record batch'
    return `message format version ${magic}, of Kafka before 0.11, is not supported`
  }
  if (magic > MAGIC) return `message format version ${magic} is not known`
  if (length < MIN_LENGTH) return `a record batch length of ${length} is below the least, ${MIN_LENGTH}`
  if (length > MAX_BATCH_BYTES - LENGTH_COUNTS_FROM) return `a record batch length of ${length} is above the format's limit`
  if (baseOffset < 0 || baseOffset > MAX_BASE_OFFSET) return `a base offset of ${baseOffset} is outside 0 to ${MAX_BASE_OFFSET}`
  return `a record batch of ${length + LENGTH_COUNTS_FROM} bytes does not fit in the ${available} bytes that are there`
}

/** Sets base offset and leader epoch of the batch at `start`. Both lie outside the CRC, so that an append costs no second sum. */
export function stampBatch(bytes: Uint8Array, baseOffset: number, leaderEpoch: number, start = 0): void {
  if (!(Number.isInteger(baseOffset) && baseOffset >= 0 && baseOffset <= MAX_BASE_OFFSET)) {
    throw new RangeError(`a base offset of ${baseOffset} is outside 0 to ${MAX_BASE_OFFSET}`)
  }
  writeInt64(bytes, start + BASE_OFFSET_POSITION, baseOffset)
  writeInt32(bytes, start + LEADER_EPOCH_POSITION, leaderEpoch)
}

/**
 * Takes producer id, producer epoch and base sequence out of one whole batch and sets its CRC anew. The caller has checked the
 * old CRC.
 */
export function clearProducerFields(bytes: Uint8Array): void {
  writeInt64(bytes, PRODUCER_ID_POSITION, NONE)
  writeInt16(bytes, PRODUCER_EPOCH_POSITION, NONE)
  writeInt32(bytes, BASE_SEQUENCE_POSITION, NONE)
  writeCrc(bytes)
}

/** Computes and stores the CRC of one whole batch. */
export function writeCrc(bytes: Uint8Array): void {
  writeInt32(bytes, CRC_POSITION, crc32c(bytes, ATTRIBUTES_POSITION))
}

/** Everything of a new batch's header but the CRC. */
export interface NewHeader {
  readonly codec: Codec
  readonly recordCount: number
  readonly baseTimestampMs: number | bigint
  readonly maxTimestampMs: number | bigint
}

/** Fills the header of a new batch, which is `bytes` as a whole, with base offset and leader epoch 0 and no producer; then the CRC. */
export function writeHeader(bytes: Uint8Array, header: NewHeader): void {
  writeInt64(bytes, BASE_OFFSET_POSITION, 0)
  writeInt32(bytes, LENGTH_POSITION, bytes.length - LENGTH_COUNTS_FROM)
  writeInt32(bytes, LEADER_EPOCH_POSITION, 0)
  bytes[MAGIC_POSITION] = MAGIC
  writeInt16(bytes, ATTRIBUTES_POSITION, CODECS.indexOf(header.codec))
  writeInt32(bytes, LAST_OFFSET_DELTA_POSITION, header.recordCount - 1)
  writeInt64(bytes, BASE_TIMESTAMP_POSITION, header.baseTimestampMs)
  writeInt64(bytes, MAX_TIMESTAMP_POSITION, header.maxTimestampMs)
  writeInt64(bytes, PRODUCER_ID_POSITION, NONE)
  writeInt16(bytes, PRODUCER_EPOCH_POSITION, NONE)
  writeInt32(bytes, BASE_SEQUENCE_POSITION, NONE)
  writeInt32(bytes, RECORD_COUNT_POSITION, header.recordCount)
  writeCrc(bytes)
}
