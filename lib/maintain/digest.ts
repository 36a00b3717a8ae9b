/**
 * A digest of records: equal for two partitions exactly when they hold the same records in the same order (key, value, headers,
 * timestamp), whatever the offsets, batching, compression or timestamp type. It proves copies (format-spec/digest.md).
 */
import { createHash } from 'node:crypto'
import { writeInt32, writeInt64 } from '../bytes/big-endian.js'
import { GrowableBytes } from '../bytes/growable-bytes.js'
import { LogqError } from '../errors.js'
import type { HeldBack, Isolation, ViewContext } from '../log/log-view.js'
import { readPartition, withRecords, type BatchSlice } from '../log/read-partition.js'
import type { RecordCursor } from '../record/record-cursor.js'
import { readingContext } from '../store/archive/reading-context.js'
import { partitionOffsets, selectPartitions } from '../store/partition.js'
import type { Store } from '../store/store.js'
import { getTopic } from '../store/topics.js'

export interface PartitionDigest {
  readonly partition: number
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly digest: string
  readonly recordCount: number
}

export interface TopicDigest {
  readonly topic: string
  /** Of the partitions' numbers and digests: 64 lower-case hexadecimal digits. */
  readonly digest: string
  readonly recordCount: number
  /** Ascending. */
  readonly partitions: readonly PartitionDigest[]
}

export interface DigestOptions {
  /** Default: all. */
  readonly partitions?: readonly number[]
  /** Default 'read_committed': what a consumer gets, up to the first transaction that is open. */
  readonly isolation?: Isolation
  /** Told when records of a partition are left out because a transaction is open. */
  readonly onHeldBack?: (held: HeldBack) => void
  readonly signal?: AbortSignal
}

/**
 * Digests a topic from its start up to the end offsets as they are now. Throws LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION, LOGQ_CORRUPT
 * (CorruptionError), LOGQ_TOPIC_REMOVED, LOGQ_ABORTED, or a system error.
 */
export async function digestTopic(store: Store, topic: string, options: DigestOptions = {}): Promise<TopicDigest> {
  const ranges = []
  for (const partition of selectPartitions(store, getTopic(store, topic), options.partitions)) {
    const context = await readingContext(store, topic, partition, options)
    ranges.push({ context, ...partitionOffsets(context) })
  }
  const partitions: PartitionDigest[] = []
  for (const { context, logStartOffset, logEndOffset } of ranges) {
    partitions.push(await digestPartition(context, logStartOffset, logEndOffset, options.signal))
  }
  return topicDigest(topic, partitions)
}

/** What a topic's digest is, from the digests of its partitions in any order. */
export function topicDigest(topic: string, digests: readonly PartitionDigest[]): TopicDigest {
  const partitions = [...digests].sort((a, b) => a.partition - b.partition)
  const hash = createHash('sha256')
  for (const { partition, digest } of partitions) hash.update(`${partition} ${digest}\n`)
  const recordCount = partitions.reduce((sum, partition) => sum + partition.recordCount, 0)
  return { topic, digest: hash.digest('hex'), recordCount, partitions }
}

/** Digests the records of [fromOffset, toOffset). Throws CorruptionError, LOGQ_TOPIC_REMOVED, LOGQ_ABORTED, or a system error. */
export async function digestPartition(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal?: AbortSignal,
): Promise<PartitionDigest> {
  const digest = new RunningDigest()
  for await (const slice of readPartition(context, fromOffset, toOffset, signal)) {
    withRecords(slice, () => {
      digest.add(slice)
    })
  }
  // Reading ends early without an error, and half a digest would be a wrong one.
  if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped while computing a digest')
  return { partition: context.partition, ...digest.finish() }
}

/** Hashing many small pieces one by one is slow. */
const HASHED_AT_ONCE_BYTES = 64 << 10

class RunningDigest {
  readonly #hash = createHash('sha256')
  readonly #collected = new GrowableBytes(2 * HASHED_AT_ONCE_BYTES)
  #recordCount = 0

  add({ batch, fromOffset, toOffset }: BatchSlice): void {
    const cursor = batch.cursor()
    while (cursor.next()) {
      if (cursor.offset < fromOffset || cursor.offset >= toOffset) continue
      this.#record(cursor)
      this.#recordCount += 1
    }
  }

  finish(): { readonly digest: string; readonly recordCount: number } {
    this.#flush()
    return { digest: this.#hash.digest('hex'), recordCount: this.#recordCount }
  }

  /** Timestamp int64, key, value, number of headers int32, then key and value of each; lengths are int32, -1 for null; big-endian. */
  #record(cursor: RecordCursor): void {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd, headerCount } = cursor
    const collected = this.#collected
    collected.reserve(8)
    writeInt64(collected.bytes, collected.length, cursor.timestampMs)
    collected.length += 8
    this.#bytes(keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd))
    this.#bytes(valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd))
    this.#length(headerCount)
    if (headerCount === 0) return
    for (const { key, value } of cursor.copyHeaders()) {
      this.#bytes(Buffer.from(key))
      this.#bytes(value)
    }
  }

  #bytes(part: Uint8Array | null): void {
    this.#length(part?.length ?? -1)
    if (part === null) return
    if (this.#collected.length + part.length > HASHED_AT_ONCE_BYTES) this.#flush()
    if (part.length > HASHED_AT_ONCE_BYTES) this.#hash.update(part)
    else this.#collected.append(part)
  }

  #length(length: number): void {
    const collected = this.#collected
    collected.reserve(4)
    writeInt32(collected.bytes, collected.length, length)
    collected.length += 4
  }

  #flush(): void {
    this.#hash.update(this.#collected.view())
    this.#collected.clear()
  }
}
