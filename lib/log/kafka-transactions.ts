/**
 * What Kafka's own files say of transactions, for where the log alone does not say it: producer snapshots, and transaction indexes. They
 * are caches: what is missing or damaged among them is passed over.
 */
import { LogqError, systemErrorCode } from '../errors.js'
import { readSmallFile, readUpTo } from '../system/durable.js'
import {
  LOG_SUFFIX,
  PRODUCER_SNAPSHOT_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
  offsetsOf,
  segmentFileName,
  type SegmentSuffix,
} from './file-names.js'
import type { ViewContext } from './log-view.js'
import { producerSnapshotFault, producerStates } from './producer-snapshot.js'
import { TRANSACTION_INDEX_ENTRY_BYTES, decodeAbortedTransaction } from './transaction-index.js'
import type { ProducerId } from '../record/control-record.js'

/** A snapshot of so many bytes has more than a million producers. */
export const MAX_SNAPSHOT_BYTES = 64 << 20

export interface Snapshot {
  /** Where the log ended when it was taken. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** The newest snapshot that holds, of those with an offset in [fromOffset, toOffset]. */
export function newestSnapshot(context: ViewContext, fromOffset: number, toOffset: number): Snapshot | undefined {
  for (const offset of filesOf(context, PRODUCER_SNAPSHOT_SUFFIX).reverse()) {
    if (offset < fromOffset || offset > toOffset) continue
    const bytes = snapshotAt(context, offset)
    if (bytes !== undefined) return { offset, bytes }
  }
  return undefined
}

function snapshotAt({ system, directory }: ViewContext, offset: number): Uint8Array | undefined {
  const path = `${directory}/${segmentFileName(offset, PRODUCER_SNAPSHOT_SUFFIX)}`
  try {
    const bytes = readSmallFile(system.fs, path, MAX_SNAPSHOT_BYTES)
    return bytes === undefined || producerSnapshotFault(bytes) !== undefined ? undefined : bytes
  } catch (error) {
    if (error instanceof LogqError || systemErrorCode(error) !== undefined) return undefined
    throw error
  }
}

/** First offsets of the transactions that were open when a snapshot was taken, by producer. */
export function openTransactions({ bytes }: Snapshot): [ProducerId, number][] {
  const open: [ProducerId, number][] = []
  for (const { producerId, currentTxnFirstOffset } of producerStates(bytes)) {
    if (typeof currentTxnFirstOffset === 'number' && currentTxnFirstOffset >= 0) open.push([producerId, currentTxnFirstOffset])
  }
  return open.sort((a, b) => a[1] - b[1])
}

const CHUNK_ENTRIES = 1024

/** Whether a transaction index has the producer's transaction that an offset lies in as aborted. */
export function isIndexedAsAborted(context: ViewContext, producerId: ProducerId, offset: number): boolean {
  const segments = filesOf(context, LOG_SUFFIX)
  const first = segments.findLast((base) => base <= offset) ?? 0
  return filesOf(context, TRANSACTION_INDEX_SUFFIX).some(
    (base) => base >= first && hasAborted(context, base, producerId, offset),
  )
}

function hasAborted({ system, directory }: ViewContext, base: number, producerId: ProducerId, offset: number): boolean {
  const { fs } = system
  let fd: number
  try {
    fd = fs.open(`${directory}/${segmentFileName(base, TRANSACTION_INDEX_SUFFIX)}`, 'read')
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return false
    throw error
  }
  try {
    for (let from = 0; ; from += CHUNK_ENTRIES * TRANSACTION_INDEX_ENTRY_BYTES) {
      const bytes = readUpTo(fs, fd, from, CHUNK_ENTRIES * TRANSACTION_INDEX_ENTRY_BYTES)
      for (let at = 0; at < bytes.length; at += TRANSACTION_INDEX_ENTRY_BYTES) {
        const entry = decodeAbortedTransaction(bytes, at)
        if (entry?.producerId === producerId && entry.firstOffset <= offset && entry.lastOffset >= offset) return true
      }
      if (bytes.length < CHUNK_ENTRIES * TRANSACTION_INDEX_ENTRY_BYTES) return false
    }
  } finally {
    fs.close(fd)
  }
}

function filesOf({ system, directory }: ViewContext, suffix: SegmentSuffix): number[] {
  return offsetsOf(system.fs.list(directory), suffix)
}
