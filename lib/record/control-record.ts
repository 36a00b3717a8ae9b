/** The record of a control batch that ends a transaction. See format-spec/transactions.md. */
import { readInt16, readInt32 } from '../bytes/big-endian.js'
import type { RecordBatch } from './batch.js'
import { CODEC_MASK } from './batch-layout.js'
import { InvalidBatchError } from './invalid-batch-error.js'
import type { RecordCursor } from './record-cursor.js'

/** As it is in a batch header: a bigint beyond 2^53-1. A Map tells them apart, and compares them by value. */
export type ProducerId = number | bigint

export interface EndMarker {
  readonly isCommit: boolean
  /** Of the transaction coordinator that wrote it; -1 where the value is too short to say. */
  readonly coordinatorEpoch: number
}

/** The key of a control record: version and type, two bytes each. */
const CONTROL_KEY_BYTES = 4
const TYPE_POSITION = 2
export const ABORT_TYPE = 0
export const COMMIT_TYPE = 1
/** The value of an end marker: version, two bytes, and coordinator epoch. Later versions may add to it. */
const COORDINATOR_EPOCH_POSITION = 2
const MARKER_VALUE_BYTES = 6

/**
 * What a whole control batch says of the transaction of its producer. Undefined when it says nothing: the cleaner has emptied it, it is
 * of another kind, or its record cannot be read. Kafka does not compress control batches.
 */
export function endMarkerOf(batch: RecordBatch): EndMarker | undefined {
  if (!batch.isControl || (batch.attributes & CODEC_MASK) !== 0) return undefined
  const cursor = firstRecord(batch)
  if (cursor === undefined) return undefined
  const type = controlType(cursor.copyKey())
  if (type !== ABORT_TYPE && type !== COMMIT_TYPE) return undefined
  const value = cursor.copyValue()
  const hasEpoch = value !== null && value.length >= MARKER_VALUE_BYTES
  return {
    isCommit: type === COMMIT_TYPE,
    coordinatorEpoch: hasEpoch ? readInt32(value, COORDINATOR_EPOCH_POSITION) : -1,
  }
}

function firstRecord(batch: RecordBatch): RecordCursor | undefined {
  try {
    const cursor = batch.cursor()
    return cursor.next() ? cursor : undefined
  } catch (error) {
    if (error instanceof InvalidBatchError) return undefined
    throw error
  }
}

/** The type in the key of a control record; undefined for what is no such key. */
export function controlType(key: Uint8Array | null): number | undefined {
  return key === null || key.length < CONTROL_KEY_BYTES ? undefined : readInt16(key, TYPE_POSITION)
}
