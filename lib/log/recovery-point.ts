/**
 * The recovery point: how far the log is known to be on the device (format-spec/recovery-point.md).
 *
 * Two slots, written in turn after each fdatasync and not themselves synced: every value that survives a power cut is true, since
 * it was written after the data that it speaks of had reached the device. The slot with the larger sequence number is the newer.
 */
import { crc32c } from '../bytes/crc32c.js'

export interface RecoveryPoint {
  /** Grows by one with every write; says which slot is newer, also after a truncation moved the offset back. */
  readonly sequence: number
  /** Every record below is on the device. */
  readonly offset: number
  /** The segment that holds `offset`, and the position in it where the next batch begins. */
  readonly segmentBaseOffset: number
  readonly position: number
}

const SEQUENCE_AT = 0
const OFFSET_AT = SEQUENCE_AT + 8
const SEGMENT_BASE_OFFSET_AT = OFFSET_AT + 8
const POSITION_AT = SEGMENT_BASE_OFFSET_AT + 8
const CRC_AT = POSITION_AT + 4
export const RECOVERY_POINT_SLOT_BYTES = CRC_AT + 4
export const RECOVERY_POINT_FILE_BYTES = 2 * RECOVERY_POINT_SLOT_BYTES

export function encodeRecoveryPoint(point: RecoveryPoint): Uint8Array {
  const bytes = new Uint8Array(RECOVERY_POINT_SLOT_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(SEQUENCE_AT, BigInt(point.sequence))
  view.setBigInt64(OFFSET_AT, BigInt(point.offset))
  view.setBigInt64(SEGMENT_BASE_OFFSET_AT, BigInt(point.segmentBaseOffset))
  view.setInt32(POSITION_AT, point.position)
  view.setUint32(CRC_AT, crc32c(bytes, 0, CRC_AT))
  return bytes
}

/** Position of the slot that a point of this sequence number is written to. */
export function recoveryPointSlotPosition(sequence: number): number {
  return (sequence % 2) * RECOVERY_POINT_SLOT_BYTES
}

/** The newer of the slots whose CRC holds; undefined when neither does: then everything is verified. */
export function decodeRecoveryPoint(file: Uint8Array): RecoveryPoint | undefined {
  const points = [0, 1].map((slot) =>
    decodeSlot(file.subarray(slot * RECOVERY_POINT_SLOT_BYTES, (slot + 1) * RECOVERY_POINT_SLOT_BYTES)),
  )
  const [first, second] = points
  if (first === undefined) return second
  if (second === undefined) return first
  return first.sequence > second.sequence ? first : second
}

function decodeSlot(bytes: Uint8Array): RecoveryPoint | undefined {
  if (bytes.length < RECOVERY_POINT_SLOT_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECOVERY_POINT_SLOT_BYTES)
  if (view.getUint32(CRC_AT) !== crc32c(bytes, 0, CRC_AT)) return undefined
  const sequence = Number(view.getBigInt64(SEQUENCE_AT))
  const offset = Number(view.getBigInt64(OFFSET_AT))
  const segmentBaseOffset = Number(view.getBigInt64(SEGMENT_BASE_OFFSET_AT))
  const position = view.getInt32(POSITION_AT)
  const inRange = sequence > 0 && segmentBaseOffset >= 0 && offset >= segmentBaseOffset && position >= 0
  return inRange && Number.isSafeInteger(offset) ? { sequence, offset, segmentBaseOffset, position } : undefined
}
