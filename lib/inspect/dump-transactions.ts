/** Shows what Kafka keeps of transactions and producers beside a log: the entries of a transaction index, the producers of a snapshot. */
import { MAX_SNAPSHOT_BYTES } from '../log/kafka-transactions.js'
import {
  PRODUCER_SNAPSHOT_HEADER_BYTES,
  PRODUCER_STATE_BYTES,
  producerSnapshotFault,
  producerStates,
} from '../log/producer-snapshot.js'
import { TRANSACTION_INDEX_ENTRY_BYTES, decodeAbortedTransaction } from '../log/transaction-index.js'
import { readSmallFile, readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import type { PassedItem, ProducerStateItem, TransactionIndexEntryItem } from './dump-item.js'

const CHUNK_ENTRIES = 1024

/** Throws a system error: ENOENT when the file is gone. */
export function* dumpTransactionIndex(fs: FileSystem, file: string): Generator<TransactionIndexEntryItem | PassedItem> {
  const fd = fs.open(file, 'read')
  try {
    const { sizeBytes } = fs.fileStatus(fd)
    for (let first = 0; ; first += CHUNK_ENTRIES) {
      const bytes = readUpTo(fs, fd, first * TRANSACTION_INDEX_ENTRY_BYTES, CHUNK_ENTRIES * TRANSACTION_INDEX_ENTRY_BYTES)
      for (let at = 0; at < bytes.length; at += TRANSACTION_INDEX_ENTRY_BYTES) {
        const position = first * TRANSACTION_INDEX_ENTRY_BYTES + at
        const transaction = decodeAbortedTransaction(bytes, at)
        if (transaction === undefined) {
          yield { type: 'passed-over', file, position, sizeBytes: sizeBytes - position }
          return
        }
        const entry = position / TRANSACTION_INDEX_ENTRY_BYTES
        yield { type: 'transaction-index-entry', file, position, entry, version: 0, ...transaction }
      }
      if (bytes.length < CHUNK_ENTRIES * TRANSACTION_INDEX_ENTRY_BYTES) return
    }
  } finally {
    fs.close(fd)
  }
}

/** Nothing of one that does not hold: which bytes of it are wrong cannot be told. */
export function* dumpProducerSnapshot(fs: FileSystem, file: string): Generator<ProducerStateItem | PassedItem> {
  const bytes = readSmallFile(fs, file, MAX_SNAPSHOT_BYTES) ?? new Uint8Array(0)
  if (producerSnapshotFault(bytes) !== undefined) {
    if (bytes.length > 0) yield { type: 'passed-over', file, position: 0, sizeBytes: bytes.length }
    return
  }
  let position = PRODUCER_SNAPSHOT_HEADER_BYTES
  for (const state of producerStates(bytes)) {
    const hasBatch = state.lastOffset !== -1
    const firstSequence = hasBatch ? sequenceBefore(state.lastSequence, state.offsetDelta) : -1
    yield { type: 'producer-state', file, position, ...state, firstSequence }
    position += PRODUCER_STATE_BYTES
  }
}

/** Sequences go on at 0 after 2^31-1. */
function sequenceBefore(sequence: number, count: number): number {
  return sequence >= count ? sequence - count : 0x7fff_ffff - (count - sequence) + 1
}
