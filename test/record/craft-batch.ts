/** Batches with any field wrong and the CRC right: what a hostile or broken producer may send. */

import { writeInt16, writeInt32, writeInt64 } from '../../lib/bytes/big-endian.js'
import { writeVarint, writeVarlong } from '../../lib/bytes/varint.js'
import * as layout from '../../lib/record/batch-layout.js'
import { writeCrc } from '../../lib/record/batch.js'

export interface CraftedBatch {
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly magic?: number
  readonly attributes?: number
  readonly lastOffsetDelta?: number
  readonly baseTimestampMs?: number | bigint
  readonly maxTimestampMs?: number | bigint
  readonly producerId?: number | bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly recordCount?: number
  /** The bytes after the header. */
  readonly records?: Uint8Array
}

/** A batch of these fields; the defaults describe one record `craftRecord({})`. */
export function craftBatch(fields: CraftedBatch): Uint8Array {
  const records = fields.records ?? craftRecord({})
  const bytes = new Uint8Array(layout.BATCH_HEADER_BYTES + records.length)
  bytes.set(records, layout.BATCH_HEADER_BYTES)
  writeInt64(bytes, layout.BASE_OFFSET_POSITION, fields.baseOffset ?? 0)
  writeInt32(bytes, layout.LENGTH_POSITION, bytes.length - layout.LENGTH_COUNTS_FROM)
  writeInt32(bytes, layout.LEADER_EPOCH_POSITION, fields.leaderEpoch ?? 0)
  bytes[layout.MAGIC_POSITION] = fields.magic ?? 2
  writeInt16(bytes, layout.ATTRIBUTES_POSITION, fields.attributes ?? 0)
  writeInt32(bytes, layout.LAST_OFFSET_DELTA_POSITION, fields.lastOffsetDelta ?? (fields.recordCount ?? 1) - 1)
  writeInt64(bytes, layout.BASE_TIMESTAMP_POSITION, fields.baseTimestampMs ?? 1000)
  writeInt64(bytes, layout.MAX_TIMESTAMP_POSITION, fields.maxTimestampMs ?? 1000)
  writeInt64(bytes, layout.PRODUCER_ID_POSITION, fields.producerId ?? -1)
  writeInt16(bytes, layout.PRODUCER_EPOCH_POSITION, fields.producerEpoch ?? -1)
  writeInt32(bytes, layout.BASE_SEQUENCE_POSITION, fields.baseSequence ?? -1)
  writeInt32(bytes, layout.RECORD_COUNT_POSITION, fields.recordCount ?? 1)
  writeCrc(bytes)
  return bytes
}

export interface CraftedRecord {
  /** Stated length; the true one by default. */
  readonly length?: number
  readonly attributes?: number
  readonly timestampDelta?: number | bigint
  readonly offsetDelta?: number
  readonly keyLength?: number
  readonly key?: Uint8Array
  readonly valueLength?: number
  readonly value?: Uint8Array
  readonly headerCount?: number
  /** The bytes after the header count. */
  readonly headers?: Uint8Array
}

/** A record of these fields: by default offset delta 0, no key, an empty value, no headers. */
export function craftRecord(fields: CraftedRecord): Uint8Array {
  const body = new Uint8Array(1000 + (fields.key?.length ?? 0) + (fields.value?.length ?? 0) + (fields.headers?.length ?? 0))
  let place = 0
  body[place++] = fields.attributes ?? 0
  place = writeVarlong(body, place, fields.timestampDelta ?? 0)
  place = writeVarint(body, place, fields.offsetDelta ?? 0)
  place = writeVarint(body, place, fields.keyLength ?? fields.key?.length ?? -1)
  place = writeBytes(body, place, fields.key)
  place = writeVarint(body, place, fields.valueLength ?? fields.value?.length ?? 0)
  place = writeBytes(body, place, fields.value)
  place = writeVarint(body, place, fields.headerCount ?? 0)
  place = writeBytes(body, place, fields.headers)
  const record = new Uint8Array(5 + place)
  const start = writeVarint(record, 0, fields.length ?? place)
  record.set(body.subarray(0, place), start)
  return record.subarray(0, start + place)
}

function writeBytes(target: Uint8Array, place: number, part: Uint8Array | undefined): number {
  if (part === undefined) return place
  target.set(part, place)
  return place + part.length
}
