/**
 * The bytes of a producer snapshot, `<offset>.snapshot`: what Kafka knew of each producer when the log ended at that offset. Kafka alone
 * writes it, at each roll and when it stops. See format-spec/transactions.md.
 */
import { readInt16, readInt32, readInt64Exactly, readUint32, writeInt16, writeInt32, writeInt64 } from '../bytes/big-endian.js'
import { crc32c } from '../bytes/crc32c.js'
import type { ProducerId } from '../record/control-record.js'

export interface ProducerState {
  readonly producerId: ProducerId
  readonly producerEpoch: number
  /** Of its last batch; -1 for none. */
  readonly lastSequence: number
  readonly lastOffset: number | bigint
  /** Last offset of that batch less its first. */
  readonly offsetDelta: number
  readonly timestampMs: number | bigint
  /** Of the coordinator that wrote its last end marker; -1 for none. */
  readonly coordinatorEpoch: number
  /** Where its transaction begins that was open then; -1 when none was. */
  readonly currentTxnFirstOffset: number | bigint
}

export const PRODUCER_SNAPSHOT_VERSION = 1
export const PRODUCER_SNAPSHOT_HEADER_BYTES = 10
export const PRODUCER_STATE_BYTES = 46
const CRC_POSITION = 2
const CRC_FROM = 6
const COUNT_POSITION = 6

/** Why the bytes are no snapshot that can be believed; undefined when they are. */
export function producerSnapshotFault(bytes: Uint8Array): string | undefined {
  if (bytes.length < PRODUCER_SNAPSHOT_HEADER_BYTES) return `${bytes.length} bytes are too few for a producer snapshot`
  const version = readInt16(bytes, 0)
  if (version !== PRODUCER_SNAPSHOT_VERSION) return `version ${version} of producer snapshots is not known`
  if (readUint32(bytes, CRC_POSITION) !== crc32c(bytes, CRC_FROM)) return 'the CRC of the producer snapshot does not match'
  const count = readInt32(bytes, COUNT_POSITION)
  const isFitting = count >= 0 && PRODUCER_SNAPSHOT_HEADER_BYTES + count * PRODUCER_STATE_BYTES === bytes.length
  return isFitting ? undefined : `${bytes.length} bytes are not those of ${count} producers`
}

/** The producers of a snapshot, in no order, one at a time: there may be a million. */
export function* producerStates(bytes: Uint8Array): Generator<ProducerState, void, undefined> {
  for (let at = PRODUCER_SNAPSHOT_HEADER_BYTES; at + PRODUCER_STATE_BYTES <= bytes.length; at += PRODUCER_STATE_BYTES)
    yield decodeState(bytes, at)
}

function decodeState(bytes: Uint8Array, at: number): ProducerState {
  return {
    producerId: readInt64Exactly(bytes, at),
    producerEpoch: readInt16(bytes, at + 8),
    lastSequence: readInt32(bytes, at + 10),
    lastOffset: readInt64Exactly(bytes, at + 14),
    offsetDelta: readInt32(bytes, at + 22),
    timestampMs: readInt64Exactly(bytes, at + 26),
    coordinatorEpoch: readInt32(bytes, at + 34),
    currentTxnFirstOffset: readInt64Exactly(bytes, at + 38),
  }
}

export function encodeProducerSnapshot(producers: readonly ProducerState[]): Uint8Array {
  const bytes = new Uint8Array(PRODUCER_SNAPSHOT_HEADER_BYTES + producers.length * PRODUCER_STATE_BYTES)
  writeInt16(bytes, 0, PRODUCER_SNAPSHOT_VERSION)
  writeInt32(bytes, COUNT_POSITION, producers.length)
  for (const [n, state] of producers.entries()) {
    const at = PRODUCER_SNAPSHOT_HEADER_BYTES + n * PRODUCER_STATE_BYTES
    writeInt64(bytes, at, state.producerId)
    writeInt16(bytes, at + 8, state.producerEpoch)
    writeInt32(bytes, at + 10, state.lastSequence)
    writeInt64(bytes, at + 14, state.lastOffset)
    writeInt32(bytes, at + 22, state.offsetDelta)
    writeInt64(bytes, at + 26, state.timestampMs)
    writeInt32(bytes, at + 34, state.coordinatorEpoch)
    writeInt64(bytes, at + 38, state.currentTxnFirstOffset)
  }
  writeInt32(bytes, CRC_POSITION, crc32c(bytes, CRC_FROM))
  return bytes
}
