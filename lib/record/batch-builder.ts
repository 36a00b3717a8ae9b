/**
 * Collects records into one record batch. See format-spec/record-batch.md.
 *
 * There is a builder per partition, so its buffer begins small and grows by doubling. The base offset and leader epoch stay 0: an
 * append stamps them (stampBatch), outside the CRC.
 */

import { GrowableBytes } from '../bytes/growable-bytes.js'
import { MAX_VARINT_BYTES, MAX_VARLONG_BYTES, varintSize, varlongSize, writeVarint, writeVarlong } from '../bytes/varint.js'
import { LogqError } from '../errors.js'
import { BATCH_HEADER_BYTES, NONE } from './batch-layout.js'
import { writeHeader } from './batch.js'
import type { Codec } from './codec.js'
import { compress, DEFAULT_MAX_DECOMPRESSED_BYTES } from './compression.js'
import { selectLineKernel } from './kernel.js'
import type { LineKernel } from './line-kernel.js'
import type { Header } from './record.js'

export interface BatchBuilderOptions {
  readonly codec: Codec
  /** The codec's own scale. */
  readonly compressionLevel?: number
  /** Uncompressed size of a batch, its header included. A single larger record gets a batch of its own. Default 1,000,000. */
  readonly maxBatchBytes?: number
  readonly kernel?: LineKernel
}

export interface RecordToAppend {
  readonly key?: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly Header[]
  /** ms since the Unix epoch, -1 for none. */
  readonly timestampMs: number | bigint
}

export interface AppendLinesResult {
  /** Where the next line begins: for 'record-too-large' that is the line that was refused. */
  readonly position: number
  readonly stopped: 'input-exhausted' | 'batch-full' | 'record-too-large'
}

export interface SealedBatch {
  /** One whole batch with base offset 0, leader epoch 0 and CRC. Valid until the builder's next append. */
  readonly bytes: Uint8Array
  readonly recordCount: number
  readonly maxTimestampMs: number | bigint
}

const DEFAULT_MAX_BATCH_BYTES = 1_000_000

const INITIAL_BYTES = 8_192

/** The most that length, attributes, timestamp delta and offset delta can take. */
const MAX_RECORD_OVERHEAD_BYTES = MAX_VARINT_BYTES + 1 + MAX_VARLONG_BYTES + MAX_VARINT_BYTES

/** An upper bound of the bytes that a record takes in a batch (its deltas are not known before it is in one). */
export function recordSizeBytes(record: Omit<RecordToAppend, 'timestampMs'>): number {
  return MAX_RECORD_OVERHEAD_BYTES + fieldsSize(record.key ?? null, record.value, encodeHeaders(record.headers))
}

export class BatchBuilder {
  private readonly codec: Codec
  private readonly compressionLevel: number | undefined
  private readonly maxBatchBytes: number
  private readonly kernel: LineKernel
  private out = new GrowableBytes(INITIAL_BYTES)
  private count = 0
  private baseTimestampMs: number | bigint = NONE
  private maxTimestampMs: number | bigint = NONE

  constructor(options: BatchBuilderOptions) {
    this.codec = options.codec
    this.compressionLevel = options.compressionLevel
    this.maxBatchBytes = options.maxBatchBytes ?? DEFAULT_MAX_BATCH_BYTES
    this.kernel = options.kernel ?? selectLineKernel()
    this.out.length = BATCH_HEADER_BYTES
  }

  get recordCount(): number {
    return this.count
  }

  get isEmpty(): boolean {
    return this.count === 0
  }

  /** Uncompressed size of the batch so far, its header included. */
  get sizeBytes(): number {
    return this.out.length
  }

  /**
   * Adds a record. False when it does not fit: seal first; an empty builder always takes it. Throws LOGQ_INVALID_RECORD for a timestamp
   * below -1, LOGQ_RECORD_TOO_LARGE beyond 2 GiB.
   */
  append(record: RecordToAppend): boolean {
    const { timestampMs, value } = record
    checkTimestamp(timestampMs)
    const key = record.key ?? null
    const headers = encodeHeaders(record.headers)
    const timestampDelta = this.isEmpty ? 0 : subtractTimestamps(timestampMs, this.baseTimestampMs)
    this.dropLargeBuffer()
    const bodyBytes = 1 + varlongSize(timestampDelta) + varintSize(this.count) + fieldsSize(key, value, headers)
    const recordBytes = MAX_VARINT_BYTES + bodyBytes
    if (!this.isEmpty && this.out.length + bodyBytes + varintSize(bodyBytes) > this.maxBatchBytes) return false

    const out = this.out
    out.reserve(recordBytes)
    const bytes = out.bytes
    let place = writeVarint(bytes, out.length, bodyBytes)
    bytes[place++] = 0
    place = writeVarlong(bytes, place, timestampDelta)
    place = writeVarint(bytes, place, this.count)
    place = writeBytes(bytes, place, key)
    place = writeBytes(bytes, place, value)
    place = writeVarint(bytes, place, headers.length / 2)
    for (const part of headers) place = writeBytes(bytes, place, part)
    out.length = place
    this.countRecords(1, timestampMs)
    return true
  }

  /**
   * Adds the complete lines of `input[from, to)` as values without key and headers, until the input or the room ends, or until a line
   * whose record would take more than `maxRecordBytes` (as recordSizeBytes counts). A last line without its delimiter is left.
   */
  appendLines(
    input: Uint8Array,
    from: number,
    to: number,
    delimiter: Uint8Array,
    timestampMs: number,
    maxRecordBytes: number,
  ): AppendLinesResult {
    if (delimiter.length === 0) throw new RangeError('an empty delimiter ends no line')
    checkTimestamp(timestampMs)
    const timestampDelta = this.isEmpty ? 0 : subtractTimestamps(timestampMs, this.baseTimestampMs)
    this.dropLargeBuffer()
    const recordPrefix = new Uint8Array(1 + varlongSize(timestampDelta))
    writeVarlong(recordPrefix, 1, timestampDelta)
    const result = this.kernel.encodeLines({
      input,
      from,
      to,
      delimiter,
      recordPrefix,
      firstOffsetDelta: this.count,
      out: this.out,
      outLimit: this.maxBatchBytes,
      maxValueBytes: maxValueBytes(maxRecordBytes),
    })
    if (result.recordCount > 0) this.countRecords(result.recordCount, timestampMs)
    return { position: result.position, stopped: result.stopped }
  }

  /** Gives the batch and empties the builder. Throws RangeError when there is no record. */
  seal(): SealedBatch {
    if (this.isEmpty) throw new RangeError('a batch without records cannot be sealed')
    const recordsBytes = this.out.length - BATCH_HEADER_BYTES
    const codec = recordsBytes > DEFAULT_MAX_DECOMPRESSED_BYTES ? 'none' : this.codec
    const bytes = codec === 'none' ? this.out.view() : this.compressed(codec)
    const recordCount = this.count
    const maxTimestampMs = this.maxTimestampMs
    writeHeader(bytes, { codec, recordCount, baseTimestampMs: this.baseTimestampMs, maxTimestampMs })
    this.count = 0
    this.baseTimestampMs = NONE
    this.maxTimestampMs = NONE
    this.out.length = BATCH_HEADER_BYTES
    return { bytes, recordCount, maxTimestampMs }
  }

  private compressed(codec: Codec): Uint8Array {
    const { out } = this
    const records = compress(codec, out.bytes.subarray(BATCH_HEADER_BYTES, out.length), this.compressionLevel)
    if (this.isBufferLarge) {
      // In place of what was compressed, so that a large record is not there once more: the next append begins another buffer.
      out.length = BATCH_HEADER_BYTES
      out.append(records)
      return out.view()
    }
    const bytes = new Uint8Array(BATCH_HEADER_BYTES + records.length)
    bytes.set(records, BATCH_HEADER_BYTES)
    return bytes
  }

  private get isBufferLarge(): boolean {
    return this.out.bytes.length > 4 * this.maxBatchBytes + INITIAL_BYTES
  }

  /** A single huge record must not keep its memory in every partition's builder for good. */
  private dropLargeBuffer(): void {
    if (!this.isEmpty || !this.isBufferLarge) return
    this.out = new GrowableBytes(INITIAL_BYTES)
    this.out.length = BATCH_HEADER_BYTES
  }

  private countRecords(recordCount: number, timestampMs: number | bigint): void {
    if (this.isEmpty) this.baseTimestampMs = timestampMs
    if (timestampMs > this.maxTimestampMs) this.maxTimestampMs = timestampMs
    this.count += recordCount
  }
}

/** -1 means that a record has no timestamp; Kafka refuses anything below it. */
function checkTimestamp(timestampMs: number | bigint): void {
  if (timestampMs >= NONE && (typeof timestampMs === 'bigint' || Number.isSafeInteger(timestampMs))) return
  throw new LogqError('LOGQ_INVALID_RECORD', `timestamp '${timestampMs}' is not a number of milliseconds since 1970`, {
    hint: 'use -1 for a record without a timestamp',
  })
}

/** Wraps at 64 bits, as the sum does that a reader makes of it. */
export function subtractTimestamps(timestampMs: number | bigint, baseMs: number | bigint): number | bigint {
  if (typeof timestampMs === 'number' && typeof baseMs === 'number') {
    const difference = timestampMs - baseMs
    if (Number.isSafeInteger(difference)) return difference
  }
  return BigInt.asIntN(64, BigInt(timestampMs) - BigInt(baseMs))
}

const utf8 = new TextEncoder()
const NO_HEADERS: readonly (Uint8Array | null)[] = []

/** Keys and values of the headers in turn. */
function encodeHeaders(headers: readonly Header[] | undefined): readonly (Uint8Array | null)[] {
  if (headers === undefined || headers.length === 0) return NO_HEADERS
  return headers.flatMap((header) => [utf8.encode(header.key), header.value])
}

/** Bytes of key, value and headers with their lengths. */
function fieldsSize(key: Uint8Array | null, value: Uint8Array | null, headers: readonly (Uint8Array | null)[]): number {
  let size = bytesSize(key) + bytesSize(value) + varintSize(headers.length / 2)
  for (const part of headers) size += bytesSize(part)
  return size
}

function bytesSize(part: Uint8Array | null): number {
  return part === null ? 1 : varintSize(part.length) + part.length
}

/** Writes a length and the bytes, or -1 for null. */
function writeBytes(target: Uint8Array, place: number, part: Uint8Array | null): number {
  if (part === null) return writeVarint(target, place, -1)
  const start = writeVarint(target, place, part.length)
  target.set(part, start)
  return start + part.length
}

/** The longest value, without key and headers, whose record is at most `maxRecordBytes` as recordSizeBytes counts. */
function maxValueBytes(maxRecordBytes: number): number {
  // A null key and a header count take one byte each; the value's own length takes what the value leaves.
  const room = Math.min(maxRecordBytes, 0x7fff_ffff) - MAX_RECORD_OVERHEAD_BYTES - 2
  let valueBytes = room - 1
  while (valueBytes >= 0 && varintSize(valueBytes) + valueBytes > room) valueBytes--
  return valueBytes
}
