/**
 * Writes a record batch again without some of its records, as compaction does (format-spec/compaction.md). Offsets, timestamps, keys,
 * values and headers of those that stay are as they were, and so are the batch's base offset and last offset, its codec and leader epoch.
 *
 * A delete horizon, the time from which tombstones of a batch may go, stands in place of the base timestamp, as in Kafka: then the
 * timestamps are written as differences to it.
 */
import { writeInt16, writeInt32, writeInt64 } from '../bytes/big-endian.js'
import { GrowableBytes } from '../bytes/growable-bytes.js'
import {
  MAX_VARINT_BYTES,
  MAX_VARLONG_BYTES,
  readVarint,
  readVarlong,
  varlongSize,
  writeVarint,
  writeVarlong,
} from '../bytes/varint.js'
import {
  ATTRIBUTES_POSITION,
  BASE_TIMESTAMP_POSITION,
  BATCH_HEADER_BYTES,
  DELETE_HORIZON_FLAG,
  LENGTH_COUNTS_FROM,
  LENGTH_POSITION,
  MAX_TIMESTAMP_POSITION,
  NONE,
  RECORD_COUNT_POSITION,
} from './batch-layout.js'
import { writeCrc, type RecordBatch } from './batch.js'
import { subtractTimestamps } from './batch-builder.js'
import { compress, DEFAULT_MAX_DECOMPRESSED_BYTES } from './compression.js'
import { addTimestamps, type RecordCursor } from './record-cursor.js'

export interface FilteredBatch {
  /** The batch itself when nothing of it changed; undefined when no record stays. */
  readonly bytes: Uint8Array | undefined
  readonly keptCount: number
  readonly droppedCount: number
}

/**
 * Keeps the records for which `keeps` says so; it is asked for each in turn. When one of those that stay is a tombstone, and the batch has
 * no delete horizon yet, it gets this one. The codec must be loaded. Throws InvalidBatchError for records that cannot be read.
 */
export function filterBatch(
  batch: RecordBatch,
  keeps: (record: RecordCursor) => boolean,
  newDeleteHorizonMs: number,
): FilteredBatch {
  const cursor = batch.cursor()
  const kept = new KeptRecords(cursor.bytes)
  for (let start = cursor.place().position; cursor.next(); start = cursor.end) {
    if (keeps(cursor)) kept.keep(start, cursor)
    else kept.droppedCount += 1
  }
  const { keptCount, droppedCount } = kept
  if (keptCount === 0) return { bytes: undefined, keptCount, droppedCount }
  const horizonMs = kept.hasTombstone && !batch.hasDeleteHorizon ? newDeleteHorizonMs : undefined
  if (droppedCount === 0 && horizonMs === undefined) return { bytes: batch.bytes, keptCount, droppedCount }
  return { bytes: kept.build(batch, horizonMs), keptCount, droppedCount }
}

/** Where the records that stay lie in the batch's bytes: neighbours are one stretch. */
class KeptRecords {
  keptCount = 0
  droppedCount = 0
  hasTombstone = false
  #maxTimestampMs: number | bigint = NONE
  readonly #stretches: { readonly start: number; end: number }[] = []

  constructor(private readonly bytes: Uint8Array) {}

  keep(start: number, { end, valueStart, timestampMs }: RecordCursor): void {
    this.keptCount += 1
    if (valueStart < 0) this.hasTombstone = true
    if (timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = timestampMs
    const last = this.#stretches.at(-1)
    if (last?.end === start) last.end = end
    else this.#stretches.push({ start, end })
  }

  build(batch: RecordBatch, horizonMs: number | undefined): Uint8Array {
    const out = new GrowableBytes(0)
    for (const { start, end } of this.#stretches) {
      if (horizonMs === undefined) out.append(this.bytes.subarray(start, end))
      else appendMoved(out, this.bytes, start, end, subtractTimestamps(batch.baseTimestampMs, horizonMs))
    }
    const { codec } = batch
    // What is larger than a reader accepts decompressed was not written compressed either.
    const records = out.length > DEFAULT_MAX_DECOMPRESSED_BYTES ? out.view() : compress(codec, out.view())
    const bytes = new Uint8Array(BATCH_HEADER_BYTES + records.length)
    bytes.set(batch.bytes.subarray(0, BATCH_HEADER_BYTES))
    bytes.set(records, BATCH_HEADER_BYTES)
    writeInt32(bytes, LENGTH_POSITION, bytes.length - LENGTH_COUNTS_FROM)
    writeInt32(bytes, RECORD_COUNT_POSITION, this.keptCount)
    if (batch.timestampType === 'CreateTime') writeInt64(bytes, MAX_TIMESTAMP_POSITION, this.#maxTimestampMs)
    if (horizonMs !== undefined) {
      writeInt16(bytes, ATTRIBUTES_POSITION, batch.attributes | DELETE_HORIZON_FLAG)
      writeInt64(bytes, BASE_TIMESTAMP_POSITION, horizonMs)
    }
    writeCrc(bytes)
    return bytes
  }
}

/** Copies records with timestamps that are differences to another base: larger by `shiftMs`, what the old base is above the new one. */
function appendMoved(out: GrowableBytes, bytes: Uint8Array, from: number, to: number, shiftMs: number | bigint): void {
  const place = { bytes, position: from, end: to }
  while (place.position < to) {
    const length = readVarint(place)
    const recordEnd = place.position + length
    const attributes = bytes[place.position] ?? 0
    place.position += 1
    const delta = addTimestamps(readVarlong(place), shiftMs)
    const restBytes = recordEnd - place.position
    out.reserve(MAX_VARINT_BYTES + 1 + MAX_VARLONG_BYTES + restBytes)
    let end = writeVarint(out.bytes, out.length, 1 + varlongSize(delta) + restBytes)
    out.bytes[end++] = attributes
    end = writeVarlong(out.bytes, end, delta)
    out.bytes.set(bytes.subarray(place.position, recordEnd), end)
    out.length = end + restBytes
    place.position = recordEnd
  }
}
