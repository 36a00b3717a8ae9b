/**
 * Where each field of a record batch lies: the constants that reader and builder share. See format-spec/record-batch.md.
 *
 * DO NOT CHANGE THESE NUMBERS: they are Kafka's, and they are in every file.
 */

export const BASE_OFFSET_POSITION = 0
const BASE_OFFSET_BYTES = 8
export const LENGTH_POSITION = BASE_OFFSET_POSITION + BASE_OFFSET_BYTES
const LENGTH_BYTES = 4
export const LEADER_EPOCH_POSITION = LENGTH_POSITION + LENGTH_BYTES
const LEADER_EPOCH_BYTES = 4
export const MAGIC_POSITION = LEADER_EPOCH_POSITION + LEADER_EPOCH_BYTES
const MAGIC_BYTES = 1
export const CRC_POSITION = MAGIC_POSITION + MAGIC_BYTES
const CRC_BYTES = 4
export const ATTRIBUTES_POSITION = CRC_POSITION + CRC_BYTES
const ATTRIBUTES_BYTES = 2
export const LAST_OFFSET_DELTA_POSITION = ATTRIBUTES_POSITION + ATTRIBUTES_BYTES
const LAST_OFFSET_DELTA_BYTES = 4
export const BASE_TIMESTAMP_POSITION = LAST_OFFSET_DELTA_POSITION + LAST_OFFSET_DELTA_BYTES
const BASE_TIMESTAMP_BYTES = 8
export const MAX_TIMESTAMP_POSITION = BASE_TIMESTAMP_POSITION + BASE_TIMESTAMP_BYTES
const MAX_TIMESTAMP_BYTES = 8
export const PRODUCER_ID_POSITION = MAX_TIMESTAMP_POSITION + MAX_TIMESTAMP_BYTES
const PRODUCER_ID_BYTES = 8
export const PRODUCER_EPOCH_POSITION = PRODUCER_ID_POSITION + PRODUCER_ID_BYTES
const PRODUCER_EPOCH_BYTES = 2
export const BASE_SEQUENCE_POSITION = PRODUCER_EPOCH_POSITION + PRODUCER_EPOCH_BYTES
const BASE_SEQUENCE_BYTES = 4
export const RECORD_COUNT_POSITION = BASE_SEQUENCE_POSITION + BASE_SEQUENCE_BYTES
const RECORD_COUNT_BYTES = 4
export const RECORDS_POSITION = RECORD_COUNT_POSITION + RECORD_COUNT_BYTES

/** Bytes of the whole header: 61. */
export const BATCH_HEADER_BYTES = RECORDS_POSITION

/** The length field counts what follows it. */
export const LENGTH_COUNTS_FROM = LENGTH_POSITION + LENGTH_BYTES

/** The smallest length field: a header without records. */
export const MIN_LENGTH = BATCH_HEADER_BYTES - LENGTH_COUNTS_FROM

/** Bytes of a header that say how large the batch is and whether it is one: base offset, length, leader epoch and magic. */
export const PEEK_BYTES = MAGIC_POSITION + MAGIC_BYTES

/** A position in a segment is a signed 32-bit integer, so no batch can be larger. */
export const MAX_BATCH_BYTES = 0x7fff_ffff

export const MAGIC = 2

// The bits of the attributes field.
export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME_FLAG = 0x08
export const TRANSACTIONAL_FLAG = 0x10
export const CONTROL_FLAG = 0x20
export const DELETE_HORIZON_FLAG = 0x40
export const KNOWN_ATTRIBUTES = CODEC_MASK | LOG_APPEND_TIME_FLAG | TRANSACTIONAL_FLAG | CONTROL_FLAG | DELETE_HORIZON_FLAG

/** No producer id, producer epoch or base sequence; also a timestamp that is not known. */
export const NONE = -1

/** The smallest record: length, attributes, timestamp delta, offset delta, key length, value length, header count, a byte each. */
export const MIN_RECORD_BYTES = 7

/** The smallest header of a record: key length and value length. */
export const MIN_HEADER_BYTES = 2

/** The largest base offset: with any last offset delta the sum is still a safe integer. */
export const MAX_BASE_OFFSET = Number.MAX_SAFE_INTEGER - 0x8000_0000
