/**
 * What a producer that looks for duplicates keeps beside the records that it collects: their ids, and for each partition the
 * deduplicator that appends them.
 */
import { GrowableBytes } from '../bytes/growable-bytes.js'
import type { Log } from '../log/log.js'
import type { LockWait } from '../log/partition-lock.js'
import type { Codec } from '../record/codec.js'
import type { RecordInput } from '../record/record.js'
import { viewContext } from '../store/partition.js'
import type { Store } from '../store/store.js'
import { ownershipOf } from '../system/durable.js'
import type { CollectedBatch } from './append-at-end.js'
import { hashOfId, idOfRecord, type DedupeBy } from './dedupe-id.js'
import { Deduplicator, type DedupedAppend } from './deduplicator.js'

export interface DedupeOptions {
  /** What a record is recognised by. A record that has none is LOGQ_INVALID_RECORD. */
  readonly by: DedupeBy
  /** How much older than a record its like may be, by their timestamps, for the record to be a duplicate. Default 24 hours. */
  readonly windowMs?: number
}

export const DEFAULT_DEDUPE_WINDOW_MS = 86_400_000
/** 4 MiB of buckets in memory, of all partitions together; each may have some. A table that grows has as many again for a while. */
const MAX_BUCKETS_IN_ALL = 8_192
const LEAST_BUCKETS_EACH = 256

interface Collected {
  readonly hashes: GrowableBytes
  timestampsMs: number[]
}

export class Deduplication {
  readonly #deduplicators = new Map<number, Deduplicator>()
  readonly #collected = new Map<number, Collected>()
  #duplicateCount = 0

  constructor(
    private readonly store: Store,
    private readonly topic: string,
    private readonly options: DedupeOptions,
  ) {}

  /** Records that were not appended because the partition held their like. */
  get duplicateCount(): number {
    return this.#duplicateCount
  }

  /** Throws LOGQ_INVALID_RECORD. A view of the record's bytes. */
  idOf(record: RecordInput): Uint8Array {
    return idOfRecord(this.options.by, record)
  }

  /** A record was collected for a partition, behind those before it. */
  take(partition: number, id: Uint8Array, timestampMs: number): void {
    let collected = this.#collected.get(partition)
    if (collected === undefined) {
      collected = { hashes: new GrowableBytes(1024), timestampsMs: [] }
      this.#collected.set(partition, collected)
    }
    collected.hashes.append(hashOfId(id))
    collected.timestampsMs.push(timestampMs)
  }

  /** Appends those of the collected records of a partition that are new; throws as `Deduplicator.append`. */
  async append(
    log: Log,
    partition: number,
    batch: CollectedBatch,
    codec: Codec,
    wait: LockWait,
    indexWait: LockWait,
  ): Promise<DedupedAppend> {
    const { hashes, timestampsMs } = this.#collected.get(partition) ?? { hashes: new GrowableBytes(0), timestampsMs: [] }
    const records = { batch: batch.bytes, hashes: hashes.view(), timestampsMs }
    const appended = await this.#deduplicatorOf(partition).append(records, codec, log, wait, indexWait)
    this.#duplicateCount += batch.recordCount - appended.appendedCount
    this.forget(partition)
    return appended
  }

  /** Forgets what was collected for a partition. */
  forget(partition: number): void {
    const collected = this.#collected.get(partition)
    if (collected === undefined) return
    collected.hashes.clear()
    collected.timestampsMs = []
  }

  /** Writes the indexes, so that the next process need not read the log again. */
  flush(): void {
    for (const deduplicator of this.#deduplicators.values()) deduplicator.flush()
  }

  closePartition(partition: number): void {
    this.#deduplicators.get(partition)?.close()
    this.#deduplicators.delete(partition)
  }

  close(): void {
    for (const partition of [...this.#deduplicators.keys()]) this.closePartition(partition)
  }

  #deduplicatorOf(partition: number): Deduplicator {
    let deduplicator = this.#deduplicators.get(partition)
    if (deduplicator === undefined) {
      const { store, topic, options } = this
      const view = viewContext(store, topic, partition)
      const status = store.system.fs.pathStatus(view.directory)
      deduplicator = new Deduplicator({
        view,
        ownership: status === undefined ? store.ownership : ownershipOf(status),
        by: options.by,
        windowMs: options.windowMs ?? DEFAULT_DEDUPE_WINDOW_MS,
        maxBuckets: () => Math.max(LEAST_BUCKETS_EACH, Math.floor(MAX_BUCKETS_IN_ALL / this.#deduplicators.size)),
      })
      this.#deduplicators.set(partition, deduplicator)
    }
    return deduplicator
  }
}
