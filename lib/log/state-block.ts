/**
 * The state block: what the last writer knew of the partition when it let go of the append lock, in the `lock` file
 * (format-spec/lock.md). It saves the next writer a scan. It is trusted only while fstat agrees with it.
 */
import { crc32c } from '../bytes/crc32c.js'

/** DO NOT CHANGE THESE NUMBERS: they are on disk. Zero is reserved, so that a block of zeros is none. */
export const PARTITION_STATUS = { live: 1, follower: 2, sealed: 3, deleted: 4, 'sync-failed': 5 } as const
export type PartitionStatus = keyof typeof PARTITION_STATUS

export interface StateBlock {
  readonly status: PartitionStatus
  /** False while a change in several steps is under way: then only `status` and `leaderEpoch` mean anything. */
  readonly valid: boolean
  /** 16 bytes. */
  readonly bootId: Uint8Array
  readonly leaderEpoch: number
  readonly activeBaseOffset: number
  readonly device: number
  readonly inode: number
  /** Length of the active segment's .log. */
  readonly logBytes: number
  readonly logEndOffset: number
  /** Everything below is known to be on the device. */
  readonly syncedOffset: number
  /** Largest timestamp in the active segment, -1 when it is empty, and the last offset of the first batch that has it. */
  readonly maxTimestampMs: number
  readonly maxTimestampOffset: number
  /** Largest timestamp of the active segment's first batch, from which segment.ms counts; -1 when it is empty. */
  readonly firstTimestampMs: number
  readonly bytesSinceIndexEntry: number
  readonly offsetIndexBytes: number
  readonly timeIndexBytes: number
  /** Timestamp of the last time-index entry, -1 when there is none. */
  readonly timeIndexTimestampMs: number
  readonly holderPid: number
  readonly holderStartTicks: number
}

export const STATE_BLOCK_VERSION = 1
const MAGIC = 0x4c515342 // "LQSB"

// The layout is arithmetic: each place follows from the one before it.
const MAGIC_AT = 0
const VERSION_AT = MAGIC_AT + 4
const STATUS_AT = VERSION_AT + 2
const VALID_AT = STATUS_AT + 1
const BOOT_ID_AT = VALID_AT + 1
const LEADER_EPOCH_AT = BOOT_ID_AT + 16
const ACTIVE_BASE_OFFSET_AT = LEADER_EPOCH_AT + 4
const DEVICE_AT = ACTIVE_BASE_OFFSET_AT + 8
const INODE_AT = DEVICE_AT + 8
const LOG_BYTES_AT = INODE_AT + 8
const LOG_END_OFFSET_AT = LOG_BYTES_AT + 8
const SYNCED_OFFSET_AT = LOG_END_OFFSET_AT + 8
const MAX_TIMESTAMP_AT = SYNCED_OFFSET_AT + 8
const MAX_TIMESTAMP_OFFSET_AT = MAX_TIMESTAMP_AT + 8
const FIRST_TIMESTAMP_AT = MAX_TIMESTAMP_OFFSET_AT + 8
const BYTES_SINCE_INDEX_ENTRY_AT = FIRST_TIMESTAMP_AT + 8
const OFFSET_INDEX_BYTES_AT = BYTES_SINCE_INDEX_ENTRY_AT + 8
const TIME_INDEX_BYTES_AT = OFFSET_INDEX_BYTES_AT + 4
const TIME_INDEX_TIMESTAMP_AT = TIME_INDEX_BYTES_AT + 4
const HOLDER_PID_AT = TIME_INDEX_TIMESTAMP_AT + 8
const HOLDER_START_TICKS_AT = HOLDER_PID_AT + 4
const CRC_AT = HOLDER_START_TICKS_AT + 8
export const STATE_BLOCK_BYTES = CRC_AT + 4

const STATUS_BY_NUMBER = new Map<number, PartitionStatus>(
  Object.entries(PARTITION_STATUS).map(([name, number]) => [number, name as PartitionStatus]),
)

export function encodeStateBlock(block: StateBlock): Uint8Array {
  const bytes = new Uint8Array(STATE_BLOCK_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(MAGIC_AT, MAGIC)
  view.setUint16(VERSION_AT, STATE_BLOCK_VERSION)
  view.setUint8(STATUS_AT, PARTITION_STATUS[block.status])
  view.setUint8(VALID_AT, block.valid ? 1 : 0)
  bytes.set(block.bootId.subarray(0, 16), BOOT_ID_AT)
  view.setInt32(LEADER_EPOCH_AT, block.leaderEpoch)
  setInt64(view, ACTIVE_BASE_OFFSET_AT, block.activeBaseOffset)
  setInt64(view, DEVICE_AT, block.device)
  setInt64(view, INODE_AT, block.inode)
  setInt64(view, LOG_BYTES_AT, block.logBytes)
  setInt64(view, LOG_END_OFFSET_AT, block.logEndOffset)
  setInt64(view, SYNCED_OFFSET_AT, block.syncedOffset)
  setInt64(view, MAX_TIMESTAMP_AT, block.maxTimestampMs)
  setInt64(view, MAX_TIMESTAMP_OFFSET_AT, block.maxTimestampOffset)
  setInt64(view, FIRST_TIMESTAMP_AT, block.firstTimestampMs)
  setInt64(view, BYTES_SINCE_INDEX_ENTRY_AT, block.bytesSinceIndexEntry)
  view.setInt32(OFFSET_INDEX_BYTES_AT, block.offsetIndexBytes)
  view.setInt32(TIME_INDEX_BYTES_AT, block.timeIndexBytes)
  setInt64(view, TIME_INDEX_TIMESTAMP_AT, block.timeIndexTimestampMs)
  view.setInt32(HOLDER_PID_AT, block.holderPid)
  setInt64(view, HOLDER_START_TICKS_AT, block.holderStartTicks)
  view.setUint32(CRC_AT, crc32c(bytes, 0, CRC_AT))
  return bytes
}

/** Undefined when the bytes are not a whole state block of this version: then the directory is listed and scanned instead. */
export function decodeStateBlock(bytes: Uint8Array): StateBlock | undefined {
  if (bytes.length < STATE_BLOCK_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, STATE_BLOCK_BYTES)
  if (view.getUint32(MAGIC_AT) !== MAGIC || view.getUint16(VERSION_AT) !== STATE_BLOCK_VERSION) return undefined
  if (view.getUint32(CRC_AT) !== crc32c(bytes, 0, CRC_AT)) return undefined
  const status = STATUS_BY_NUMBER.get(view.getUint8(STATUS_AT))
  if (status === undefined) return undefined
  return {
    status,
    valid: view.getUint8(VALID_AT) === 1,
    bootId: bytes.slice(BOOT_ID_AT, BOOT_ID_AT + 16),
    leaderEpoch: view.getInt32(LEADER_EPOCH_AT),
    activeBaseOffset: getInt64(view, ACTIVE_BASE_OFFSET_AT),
    device: getInt64(view, DEVICE_AT),
    inode: getInt64(view, INODE_AT),
    logBytes: getInt64(view, LOG_BYTES_AT),
    logEndOffset: getInt64(view, LOG_END_OFFSET_AT),
    syncedOffset: getInt64(view, SYNCED_OFFSET_AT),
    maxTimestampMs: getInt64(view, MAX_TIMESTAMP_AT),
    maxTimestampOffset: getInt64(view, MAX_TIMESTAMP_OFFSET_AT),
    firstTimestampMs: getInt64(view, FIRST_TIMESTAMP_AT),
    bytesSinceIndexEntry: getInt64(view, BYTES_SINCE_INDEX_ENTRY_AT),
    offsetIndexBytes: view.getInt32(OFFSET_INDEX_BYTES_AT),
    timeIndexBytes: view.getInt32(TIME_INDEX_BYTES_AT),
    timeIndexTimestampMs: getInt64(view, TIME_INDEX_TIMESTAMP_AT),
    holderPid: view.getInt32(HOLDER_PID_AT),
    holderStartTicks: getInt64(view, HOLDER_START_TICKS_AT),
  }
}

/** After a reboot the block may be newer than the data that it speaks of: each page reaches the device by itself. */
export function isOfThisBoot(block: Pick<StateBlock, 'bootId'>, self: { readonly bootId: Uint8Array }): boolean {
  return block.bootId.every((byte, n) => byte === self.bootId[n])
}

// Two 32-bit halves: BigInt costs too much on the append path, and every value here is a checked safe integer.
function setInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / 0x1_0000_0000))
  view.setUint32(at + 4, value >>> 0)
}

function getInt64(view: DataView, at: number): number {
  return view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4)
}
