/**
 * A digest of records: equal for two partitions exactly when they hold the same records in the same order (key, value, headers,
 * timestamp), whatever the offsets, batching, compression or timestamp type. It proves copies (format-spec/digest.md).
 */
import { createHash } from 'node:crypto'
import type { ViewContext } from '../log/log-view.js'
import { readPartition, withRecords, type BatchSlice } from '../log/read-partition.js'
import type { RecordCursor } from '../record/record-cursor.js'

export interface PartitionDigest {
  readonly partition: number
  /** SHA-256, 64 hexadecimal digits. */
  readonly digest: string
  readonly recordCount: number
}

/** Digests the records of [fromOffset, toOffset). Throws CorruptionError or a system error. */
export async function digestPartition(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal?: AbortSignal,
): Promise<PartitionDigest> {
  const hash = createHash('sha256')
  let recordCount = 0
  for await (const slice of readPartition(context, fromOffset, toOffset, signal)) {
    recordCount += withRecords(slice, () => updateWithSlice(hash, slice))
  }
  return { partition: context.partition, digest: hash.digest('hex'), recordCount }
}

/** The digest of a topic: of its partitions' numbers and digests, ascending. */
export function digestOfPartitions(partitions: readonly PartitionDigest[]): string {
  const hash = createHash('sha256')
  for (const { partition, digest } of [...partitions].sort((a, b) => a.partition - b.partition))
    hash.update(`${partition} ${digest}\n`)
  return hash.digest('hex')
}

/** Gives the number of records. */
function updateWithSlice(hash: Hash, { batch, fromOffset, toOffset }: BatchSlice): number {
  let recordCount = 0
  const cursor = batch.cursor()
  while (cursor.next()) {
    if (cursor.offset < fromOffset || cursor.offset >= toOffset) continue
    updateWithRecord(hash, cursor)
    recordCount += 1
  }
  return recordCount
}

type Hash = ReturnType<typeof createHash>

/** Timestamp int64, key, value, number of headers int32, then key and value of each; lengths are int32, -1 for null; big-endian. */
function updateWithRecord(hash: Hash, cursor: RecordCursor): void {
  const head = Buffer.allocUnsafe(8)
  head.writeBigInt64BE(BigInt(cursor.timestampMs))
  hash.update(head)
  updateWithBytes(hash, cursor.copyKey())
  updateWithBytes(hash, cursor.copyValue())
  const headers = cursor.copyHeaders()
  updateWithLength(hash, headers.length)
  for (const { key, value } of headers) {
    updateWithBytes(hash, Buffer.from(key))
    updateWithBytes(hash, value)
  }
}

function updateWithBytes(hash: Hash, bytes: Uint8Array | null): void {
  updateWithLength(hash, bytes?.length ?? -1)
  if (bytes !== null) hash.update(bytes)
}

function updateWithLength(hash: Hash, length: number): void {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(length)
  hash.update(bytes)
}
