/**
 * The bytes of a transaction index, `<base offset>.txnindex`: the aborted transactions whose end marker is in the segment, in the order
 * of the markers. Kafka alone writes it, and no file when there are none. See format-spec/transactions.md.
 */
import { readInt16, readInt64Exactly, writeInt16, writeInt64 } from '../bytes/big-endian.js'
import type { ProducerId } from '../record/control-record.js'

export interface AbortedTransaction {
  readonly producerId: ProducerId
  /** Of its first record, and of its marker. */
  readonly firstOffset: number | bigint
  readonly lastOffset: number | bigint
  /** As it was when the marker was written. */
  readonly lastStableOffset: number | bigint
}

export const TRANSACTION_INDEX_ENTRY_BYTES = 34
export const TRANSACTION_INDEX_VERSION = 0

/** The entry at a position; undefined for a version that is not known, and where the bytes end before it does. */
export function decodeAbortedTransaction(bytes: Uint8Array, position = 0): AbortedTransaction | undefined {
  if (bytes.length - position < TRANSACTION_INDEX_ENTRY_BYTES) return undefined
  if (readInt16(bytes, position) !== TRANSACTION_INDEX_VERSION) return undefined
  return {
    producerId: readInt64Exactly(bytes, position + 2),
    firstOffset: readInt64Exactly(bytes, position + 10),
    lastOffset: readInt64Exactly(bytes, position + 18),
    lastStableOffset: readInt64Exactly(bytes, position + 26),
  }
}

export function encodeAbortedTransaction(transaction: AbortedTransaction): Uint8Array {
  const bytes = new Uint8Array(TRANSACTION_INDEX_ENTRY_BYTES)
  writeInt16(bytes, 0, TRANSACTION_INDEX_VERSION)
  writeInt64(bytes, 2, transaction.producerId)
  writeInt64(bytes, 10, transaction.firstOffset)
  writeInt64(bytes, 18, transaction.lastOffset)
  writeInt64(bytes, 26, transaction.lastStableOffset)
  return bytes
}
