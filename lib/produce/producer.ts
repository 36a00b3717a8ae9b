/**
 * The producer: collects records into batches per partition, and appends them. Batching follows the caller: it appends a batch
 * when it is full and when `flush` is called, which a caller does when its input pauses. So a fast input gets large batches, a
 * slow one low latency.
 */
import { LogqError, isLogqError, systemErrorCode } from '../errors.js'
import { Log, UncertainAppendError, type BatchToAppend } from '../log/log.js'
import type { LockWait } from '../log/partition-lock.js'
import { BatchBuilder, recordSizeBytes } from '../record/batch-builder.js'
import { BATCH_HEADER_BYTES, RecordBatch } from '../record/batch.js'
import { CODECS, type Codec } from '../record/codec.js'
import { loadCodec } from '../record/compression.js'
import type { RecordInput } from '../record/record.js'
import { LiveTopic } from '../store/live-topic.js'
import { appendContext, partitionOffsets, selectPartitions, viewContext } from '../store/partition.js'
import { requireWritable, type Store } from '../store/store.js'
import type { Partitioner } from '../store/topic-file.js'
import { appendAtEnd, type CollectedBatch } from './append-at-end.js'
import type { DedupeOptions, Deduplication } from './deduplication.js'
import type { DedupedAppend } from './deduplicator.js'
import { PartitionChooser } from './partitioner.js'
import { dropOldestSegment, type DroppedSegment } from './drop-oldest.js'
import { isDiskFull, whenThereIsSpace } from './wait-for-space.js'

export interface ProducerOptions {
  /** Every record goes here. Default: by key, as the topic's partitioner says. */
  readonly partition?: number
  /** What the caller believes the topic's partitioner to be; another one is LOGQ_USAGE. */
  readonly partitioner?: Partitioner
  /** Default: the topic's compression.type; 'producer' means none. */
  readonly codec?: Codec
  /**
   * Uncompressed size at which a batch is appended. Default 256 KiB, at most 1,000,000; a larger record gets a batch of its
   * own.
   */
  readonly batchBytes?: number
  /** 1 (default): `sync` and `close` return when records are on the device. 0: when they are in the page cache. */
  readonly acks?: 0 | 1
  readonly signal?: AbortSignal
  /**
   * Records of which the partition holds the like already are not appended (deduplicator.ts): exact over restarts, and whatever other
   * producers append. Without a key, and where no expression chooses the partition, the id does. Does not go with `appendBatch`.
   */
  readonly dedupe?: DedupeOptions
  /** Called when a partition's append lock, or its dedupe index, is held for more than 5 s by another process. */
  readonly onLongWait?: (partition: number, holderPid: number, held: 'append lock' | 'dedupe index') => void
  /** Called after each batch was appended, before it is synced. */
  readonly onAppended?: (range: AppendedRecords) => void
  /**
   * Called for a record that is a duplicate, with the offset of the record that is there already: in turn with `onAppended`, so that
   * together they give the places of a partition's records in the order in which they were added.
   */
  readonly onDuplicate?: (partition: number, offset: number) => void
  /**
   * Called before each append with the batch and the log end offset that it is to be appended at: gives what to append there (the
   * batch, another one, or undefined for nothing). Asked again when another producer appended meanwhile (append-at-end.ts).
   */
  readonly beforeAppend?: (
    partition: number,
    batch: CollectedBatch,
    logEndOffset: number,
  ) => Promise<CollectedBatch | undefined>
  /**
   * When the disk is full: fail (default); block, which tries again until there is space or the signal comes; or drop-oldest, which removes
   * the oldest closed segments of the topic until there is.
   */
  readonly onFull?: 'fail' | 'block' | 'drop-oldest'
  /** Called for each segment that drop-oldest removed. */
  readonly onDropped?: (dropped: DroppedSegment) => void
  /** Called when an append begins to wait for space, once for each wait. */
  readonly onWaitForSpace?: (partition: number) => void
  readonly allowNetworkFileSystem?: boolean
}

export interface AppendedRecords {
  readonly partition: number
  readonly baseOffset: number
  readonly recordCount: number
}

/** What takes records and appends them, now or later: a Producer, or one that waits for all of them (conditional-producer.ts). */
export type RecordTaker = Pick<
  Producer,
  | 'add'
  | 'addLines'
  | 'takesLines'
  | 'flushFull'
  | 'appendBatch'
  | 'flush'
  | 'sync'
  | 'syncAppended'
  | 'unwritten'
  | 'close'
  | 'lastPartition'
  | 'maxRecordBytes'
  | 'appendedCount'
  | 'duplicateCount'
>

/** Records that were taken and, as far as is known, not appended when something failed. */
export interface UnwrittenRecords {
  readonly partition: number
  readonly recordCount: number
  /** The tag of the first of them, as given to `add`. */
  readonly firstTag: number
  /** They may be in the log all the same: the disk failed so that nobody can tell. */
  readonly mayBeWritten?: true
}

export const MAX_BATCH_BYTES = 1_000_000
export const DEFAULT_BATCH_BYTES = 256 << 10
/** Open logs take descriptors; the least recently used is synced and closed beyond this. */
const MAX_OPEN_LOGS = 200
/** With very many partitions, everything is appended when the builders together hold this much. */
const MAX_COLLECTED_BYTES = 20 << 20
const BUILDER_OVERHEAD_BYTES = 8 << 10

type AppendedBatch = Omit<AppendedRecords, 'partition'>

interface Collecting {
  readonly builder: BatchBuilder
  firstTag: number
}

export class Producer {
  readonly #logs = new Map<number, Log>()
  readonly #collecting = new Map<number, Collecting>()
  #collectedBytes = 0
  #appendedCount = 0
  #maxOpenLogs = MAX_OPEN_LOGS
  /** A batch that was sealed and is being appended. */
  #inFlight: UnwrittenRecords | undefined

  private constructor(
    private readonly live: LiveTopic,
    private readonly options: ProducerOptions,
    private codec: Codec,
    private readonly chooser: PartitionChooser,
    private readonly dedupe: Deduplication | undefined,
  ) {}

  /** Throws LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION, LOGQ_USAGE, LOGQ_READ_ONLY_STORE. */
  static async open(store: Store, topic: string, options: ProducerOptions = {}): Promise<Producer> {
    requireWritable(store, { allowNetworkFileSystem: options.allowNetworkFileSystem === true })
    const live = new LiveTopic(store, topic)
    if (options.onFull === 'drop-oldest' && !live.config.choice('cleanup.policy').includes('delete')) {
      throw new LogqError('LOGQ_USAGE', `topic '${topic}' is compacted: its oldest segments may hold the last value of a key`, {
        hint: 'drop-oldest goes with a topic whose cleanup.policy says delete',
      })
    }
    if (options.partition !== undefined) selectPartitions(store, live.file, [options.partition])
    if (options.partitioner !== undefined && options.partitioner !== live.file.partitioner) {
      throw new LogqError(
        'LOGQ_USAGE',
        `topic '${topic}' has the partitioner '${live.file.partitioner}', not '${options.partitioner}'`,
      )
    }
    const codec = options.codec ?? configuredCodec(live)
    await loadCodec(codec)
    const chooser = await PartitionChooser.create(topic, live.file.partitioner, store.system.random)
    return new Producer(live, options, codec, chooser, await deduplicationFor(store, topic, options))
  }

  get topic(): string {
    return this.live.topic
  }

  /** max.message.bytes now. */
  get maxRecordBytes(): number {
    return this.live.config.number('max.message.bytes')
  }

  /** Records appended so far. */
  get appendedCount(): number {
    return this.#appendedCount
  }

  /** Records that were not appended because their like is there already. */
  get duplicateCount(): number {
    return this.dedupe?.duplicateCount ?? 0
  }

  /** The partition of the record that the last `add` took. */
  lastPartition = 0

  /**
   * Takes one record. Returns a promise when a batch has to be appended first: await it before the next call (this is the
   * back-pressure). Throws, or rejects with, LOGQ_RECORD_TOO_LARGE, LOGQ_INVALID_RECORD or LOGQ_UNKNOWN_PARTITION for this
   * record alone, the others being unaffected; and what `Log.append` throws. `tag` is the caller's name for the record (a line
   * number), given back by `unwritten`.
   */
  add(record: RecordInput, tag = 0, partition?: number): Promise<void> | undefined {
    this.#checkSize(record)
    if (record.key === undefined || record.key === null) this.#refuseUnkeyed()
    if (partition !== undefined) this.#checkPartition(partition)
    const stamped = { ...record, timestampMs: record.timestampMs ?? this.live.store.system.clock.nowMs() }
    const id = this.dedupe?.idOf(record)
    const target = partition ?? this.#partitionFor(stamped, id)
    this.lastPartition = target
    const collecting = this.#collectingFor(target)
    const before = collecting.builder.sizeBytes
    if (!collecting.builder.append(stamped)) {
      return this.#appendCollected(target).then(() => this.add(record, tag, partition ?? this.#again(record.key, target)))
    }
    if (id !== undefined) this.dedupe?.take(target, id, stamped.timestampMs)
    if (collecting.builder.recordCount === 1) collecting.firstTag = tag
    this.#collectedBytes += collecting.builder.sizeBytes - before
    if (this.#collectedBytes + this.#collecting.size * BUILDER_OVERHEAD_BYTES > MAX_COLLECTED_BYTES) return this.flush()
    return undefined
  }

  /**
   * Takes the complete lines of `input[from, to)` as values without key and headers: the fast path. Returns where the next line
   * begins. 'batch-full': call `flushFull` and go on. 'record-too-large': the line there is above max.message.bytes; skip it and
   * name it.
   */
  addLines(
    input: Uint8Array,
    from: number,
    to: number,
    delimiter: Uint8Array,
    timestampMs: number,
    tag: number,
  ): {
    readonly position: number
    readonly stopped: 'input-exhausted' | 'batch-full' | 'record-too-large'
    readonly recordCount: number
  } {
    const target = this.#partitionFor({ value: null, timestampMs })
    this.lastPartition = target
    const collecting = this.#collectingFor(target)
    const { builder } = collecting
    const countBefore = builder.recordCount
    const bytesBefore = builder.sizeBytes
    const result = builder.appendLines(input, from, to, delimiter, timestampMs, this.maxRecordBytes)
    if (countBefore === 0) collecting.firstTag = tag
    this.#collectedBytes += builder.sizeBytes - bytesBefore
    return { ...result, recordCount: builder.recordCount - countBefore }
  }

  /** True when records without keys may go through `addLines`: one partition takes all of a batch. */
  get takesLines(): boolean {
    if (this.dedupe !== undefined || this.#isCompacted) return false
    if (this.options.partition !== undefined || this.chooser.isSticky) return true
    return this.live.file.partitions === 1 && !this.chooser.looksAtRecords
  }

  /** Appends the batch that `addLines` filled. */
  async flushFull(): Promise<void> {
    await this.#appendCollected(this.lastPartition)
  }

  /** Appends everything that was collected: it is then visible to readers, and outlives this process. */
  async flush(): Promise<void> {
    for (const [partition, { builder }] of [...this.#collecting]) {
      if (!builder.isEmpty) await this.#appendCollected(partition)
    }
    if (this.#collecting.size > MAX_OPEN_LOGS) this.#collecting.clear()
    this.#collectedBytes = 0
  }

  /** Appends a whole batch as it is, but for offsets and leader epoch. The caller has checked it. */
  async appendBatch(batch: CollectedBatch, partition: number, tag = 0): Promise<void> {
    if (this.dedupe !== undefined) throw new LogqError('LOGQ_USAGE', 'duplicates are not looked for in whole batches')
    if (this.#isCompacted && !(await hasOnlyKeys(batch))) this.#refuseUnkeyed()
    await this.#append(partition, batch, tag)
  }

  /** Flushes; with acks 1 returns when all that was appended is on the device. Throws LOGQ_SYNC_FAILED. */
  async sync(): Promise<void> {
    await this.flush()
    await this.syncAppended()
    this.dedupe?.flush()
  }

  /** The same without flushing, after an append failed: what was appended before can still be made durable. */
  async syncAppended(): Promise<void> {
    if (this.options.acks === 0) return
    for (const log of this.#logs.values()) await log.sync()
  }

  /** Syncs and closes. After a failure, closes only: what is still collected is given by `unwritten`. */
  async close(failed = false): Promise<void> {
    try {
      if (!failed) await this.sync()
    } finally {
      this.dedupe?.close()
      for (const log of this.#logs.values()) await log.close()
      this.#logs.clear()
    }
  }

  /** What was taken and is not in the log, after a call failed; `mayBeWritten` where that is not certain. */
  unwritten(): UnwrittenRecords[] {
    const unwritten = this.#inFlight === undefined ? [] : [this.#inFlight]
    for (const [partition, { builder, firstTag }] of this.#collecting) {
      if (!builder.isEmpty) unwritten.push({ partition, recordCount: builder.recordCount, firstTag })
    }
    return unwritten.sort((a, b) => a.firstTag - b.firstTag)
  }

  #partitionFor(record: RecordInput & { readonly timestampMs: number }, id?: Uint8Array): number {
    return this.options.partition ?? this.chooser.choose(record, this.live.file.partitions, id)
  }

  /** After its batch was full, a record without a key goes where the chooser now points; one with a key stays. */
  #again(key: Uint8Array | null | undefined, target: number): number | undefined {
    const isSticky = this.dedupe === undefined && this.chooser.isSticky
    return isSticky && (key === null || key === undefined) ? undefined : target
  }

  #checkPartition(partition: number): void {
    if (isPartition(partition, this.live.file.partitions)) return
    // It may have been added a moment ago.
    this.live.refresh()
    const { partitions } = this.live.file
    if (isPartition(partition, partitions)) return
    throw new LogqError('LOGQ_UNKNOWN_PARTITION', `topic '${this.topic}' has no partition ${partition}`, {
      hint: `it has ${partitions}: see 'logq topic show ${this.topic}'`,
    })
  }

  #checkSize(record: RecordInput): void {
    const limit = this.maxRecordBytes
    const size = recordSizeBytes(record)
    if (size > limit) throw tooLarge(size, limit)
  }

  get #isCompacted(): boolean {
    return this.live.config.choice('cleanup.policy').includes('compact')
  }

  /** As Kafka does: compaction would have no place for it. */
  #refuseUnkeyed(): void {
    if (!this.#isCompacted) return
    throw new LogqError('LOGQ_INVALID_RECORD', `a record without a key cannot be in '${this.topic}', which is compacted`, {
      hint: 'give it a key: see -k, -K and --key-from',
    })
  }

  #collectingFor(partition: number): Collecting {
    const existing = this.#collecting.get(partition)
    if (existing !== undefined) return existing
    const maxBatchBytes = this.options.batchBytes ?? DEFAULT_BATCH_BYTES
    // Those of the records that are new are compressed once that is known.
    const builder = new BatchBuilder({ codec: this.dedupe === undefined ? this.codec : 'none', maxBatchBytes })
    const collecting = { builder, firstTag: 0 }
    this.#collecting.set(partition, collecting)
    return collecting
  }

  async #appendCollected(partition: number): Promise<void> {
    const collecting = this.#collecting.get(partition)
    if (collecting === undefined || collecting.builder.isEmpty) return
    const { builder, firstTag } = collecting
    this.#collectedBytes -= builder.sizeBytes - BATCH_HEADER_BYTES
    const sealed = builder.seal()
    await this.#append(partition, { ...sealed, lastOffsetDelta: sealed.recordCount - 1 }, firstTag)
    this.chooser.rotate(partition)
    await this.#obeyCodec()
  }

  /** A topic's compression.type may change while this producer runs: batches that begin from now on obey it. */
  async #obeyCodec(): Promise<void> {
    const codec = this.options.codec ?? configuredCodec(this.live)
    if (codec === this.codec) return
    await loadCodec(codec)
    this.codec = codec
    for (const [partition, { builder }] of this.#collecting) {
      if (builder.isEmpty) this.#collecting.delete(partition)
    }
  }

  async #append(partition: number, batch: CollectedBatch, firstTag: number): Promise<void> {
    const { recordCount } = batch
    this.#inFlight = { partition, recordCount, firstTag }
    const appended = await this.#appendWithSpace(partition, batch).catch((error: unknown) => {
      this.dedupe?.forget(partition)
      if (error instanceof UncertainAppendError) this.#inFlight = { partition, recordCount, firstTag, mayBeWritten: true }
      throw error
    })
    this.#inFlight = undefined
    if (appended === undefined) return
    if ('offsets' in appended) {
      this.#tellOffsets(partition, appended)
      return
    }
    this.#appendedCount += appended.recordCount
    this.options.onAppended?.({ partition, ...appended })
  }

  /** Of records among which duplicates were looked for: new ones as runs, each duplicate by itself. */
  #tellOffsets(partition: number, { offsets, appendedCount, isDuplicate }: DedupedAppend): void {
    this.#appendedCount += appendedCount
    const { onAppended, onDuplicate } = this.options
    if (onAppended === undefined && onDuplicate === undefined) return
    for (let n = 0; n < offsets.length;) {
      const baseOffset = offsets[n] ?? 0
      let recordCount = 0
      for (; n < offsets.length && !isDuplicate(n); n += 1) recordCount += 1
      if (recordCount > 0) onAppended?.({ partition, baseOffset, recordCount })
      else onDuplicate?.(partition, offsets[n++] ?? 0)
    }
  }

  #appendWithSpace(partition: number, batch: CollectedBatch): Promise<AppendedBatch | DedupedAppend | undefined> {
    const append = () => this.#appendWithDescriptors(partition, batch)
    const { onFull, onWaitForSpace, signal } = this.options
    if (onFull === 'drop-oldest') return this.#appendDroppingOldest(partition, append)
    if (onFull !== 'block') return append()
    const { clock } = this.live.store.system
    return whenThereIsSpace(append, { clock, signal, onFull: () => onWaitForSpace?.(partition) })
  }

  async #appendDroppingOldest<Result>(partition: number, append: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await append()
      } catch (error) {
        if (!isDiskFull(error)) throw error
        const dropped = await dropOldestSegment(this.live, this.#lockWait(partition))
        if (dropped === undefined) throw error
        if (dropped !== 'changed') this.options.onDropped?.(dropped)
      }
    }
  }

  /** Where descriptors run out (ulimit -n), logs are closed and the append, of which nothing is there, is made again. */
  async #appendWithDescriptors(partition: number, batch: CollectedBatch): Promise<AppendedBatch | DedupedAppend | undefined> {
    for (;;) {
      try {
        this.live.refresh()
        return await this.#appendDecided(await this.#logOf(partition), partition, batch)
      } catch (error) {
        if (!areDescriptorsOut(error) || this.#logs.size < 2) throw error
        this.#maxOpenLogs = Math.ceil(this.#logs.size / 2)
        while (this.#logs.size > this.#maxOpenLogs) await this.#closeOldest()
      }
    }
  }

  async #appendDecided(log: Log, partition: number, batch: CollectedBatch): Promise<AppendedBatch | DedupedAppend | undefined> {
    const { beforeAppend } = this.options
    const wait = this.#lockWait(partition)
    if (this.dedupe !== undefined) {
      return await this.dedupe.append(log, partition, batch, this.codec, wait, this.#lockWait(partition, 'dedupe index'))
    }
    if (beforeAppend === undefined) {
      const { baseOffset } = await log.append(batchToAppend(batch), wait)
      return { baseOffset, recordCount: batch.recordCount }
    }
    const endOffset =
      log.appendedOffset > 0
        ? log.appendedOffset
        : partitionOffsets(viewContext(this.live.store, this.topic, partition)).logEndOffset
    const decide = (logEndOffset: number) => beforeAppend(partition, batch, logEndOffset)
    const appended = await appendAtEnd(log, endOffset, decide, batchToAppend, wait)
    return appended === undefined
      ? undefined
      : { baseOffset: appended.range.baseOffset, recordCount: appended.batch.recordCount }
  }

  async #logOf(partition: number): Promise<Log> {
    const open = this.#logs.get(partition)
    if (open !== undefined) {
      if (this.#logs.size > 1) {
        this.#logs.delete(partition)
        this.#logs.set(partition, open)
      }
      return open
    }
    if (this.#logs.size >= this.#maxOpenLogs) await this.#closeOldest()
    const log = Log.open(appendContext(this.live.store, this.live.topic, partition, () => this.live.config))
    this.#logs.set(partition, log)
    // What was opened is of this topic only if it is still the topic now.
    this.live.refresh(true)
    return log
  }

  async #closeOldest(): Promise<void> {
    for (const [partition, log] of this.#logs) {
      this.#logs.delete(partition)
      this.dedupe?.closePartition(partition)
      try {
        if (this.options.acks !== 0) await log.sync()
      } finally {
        await log.close()
      }
      return
    }
  }

  #lockWait(partition: number, held: 'append lock' | 'dedupe index' = 'append lock'): LockWait {
    const { signal, onLongWait } = this.options
    if (onLongWait === undefined) return { signal }
    return {
      signal,
      onLongWait: (holderPid) => {
        onLongWait(partition, holderPid, held)
      },
    }
  }
}

/** Loaded only by those who look for duplicates. */
async function deduplicationFor(
  store: Store,
  topic: string,
  { dedupe, beforeAppend }: ProducerOptions,
): Promise<Deduplication | undefined> {
  if (dedupe === undefined) return undefined
  if (beforeAppend !== undefined) throw new LogqError('LOGQ_USAGE', 'dedupe and beforeAppend exclude each other')
  const module = await import('./deduplication.js')
  return new module.Deduplication(store, topic, dedupe)
}

/** The error for one record above max.message.bytes. */
export function tooLarge(sizeBytes: number, limitBytes: number): LogqError {
  return new LogqError('LOGQ_RECORD_TOO_LARGE', `a record of ${sizeBytes} bytes is above max.message.bytes, ${limitBytes}`, {
    hint: 'see logq topic set TOPIC max.message.bytes=…',
  })
}

function areDescriptorsOut(error: unknown): boolean {
  if (error instanceof UncertainAppendError) return false
  const code = systemErrorCode(isLogqError(error, 'LOGQ_IO') ? error.cause : error)
  return code === 'EMFILE' || code === 'ENFILE'
}

function isPartition(partition: number, partitions: number): boolean {
  return Number.isInteger(partition) && partition >= 0 && partition < partitions
}

function configuredCodec(live: LiveTopic): Codec {
  const configured = live.config.choice('compression.type')
  return CODECS.find((codec) => codec === configured) ?? 'none'
}

function batchToAppend({ bytes, lastOffsetDelta, maxTimestampMs }: CollectedBatch): BatchToAppend {
  return { bytes, lastOffsetDelta, maxTimestampMs: safeTimestamp(maxTimestampMs) }
}

/** A batch whose largest timestamp is beyond 2^53-1 is indexed under that limit. */
function safeTimestamp(timestampMs: number | bigint): number {
  return typeof timestampMs === 'number' ? timestampMs : Number.MAX_SAFE_INTEGER
}

async function hasOnlyKeys({ bytes }: CollectedBatch): Promise<boolean> {
  const batch = new RecordBatch(bytes)
  await loadCodec(batch.codec)
  const cursor = batch.cursor()
  while (cursor.next()) if (cursor.keyStart < 0) return false
  return true
}
