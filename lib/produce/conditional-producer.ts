/**
 * Optimistic appends: all records in one batch, and only if the log ends where the caller believes, or if the latest record of a key
 * is where the caller believes. So whoever read a state, and computed the next one from it, learns that somebody else was quicker.
 *
 * Records are only collected until `commit`, which appends all of them or none. One batch is what a log takes or refuses as a whole;
 * so they have to fit one, and belong to one partition.
 */
import { LogqError } from '../errors.js'
import type { RecordInput } from '../record/record.js'
import { partitionOffsets, selectPartitions, viewContext } from '../store/partition.js'
import type { Store } from '../store/store.js'
import { getTopic } from '../store/topics.js'
import type { CollectedBatch } from './append-at-end.js'
import { ExpectationCheck, type Expectation } from './expectation.js'
import { partitionForKey } from './partitioner.js'
import { MAX_BATCH_BYTES, Producer, type ProducerOptions, type RecordTaker } from './producer.js'

export class ConditionalProducer implements RecordTaker {
  /** A raw batch that waits for `commit`. */
  #held: { readonly batch: CollectedBatch; readonly partition: number; readonly tag: number } | undefined
  #hasRecords = false

  private constructor(
    private readonly store: Store,
    private readonly producer: Producer,
    private readonly state: { isComplete: boolean },
    private readonly check: ExpectationCheck,
    private readonly partitionCount: number,
    /** Where all records go; undefined until the first one says it by its key. */
    private partition: number | undefined,
  ) {}

  /**
   * With options as `Producer.open` has them. The partition is `options.partition`, else that of the expected key, else the one that
   * the records' keys give. Throws LOGQ_USAGE where none of these says it, and what `Producer.open` throws.
   */
  static async open(
    store: Store,
    topic: string,
    expectation: Expectation,
    options: Omit<ProducerOptions, 'batchBytes' | 'beforeAppend' | 'dedupe'> = {},
  ): Promise<ConditionalProducer> {
    const file = getTopic(store, topic)
    const partition =
      options.partition ??
      (expectation.kind === 'key' ? await partitionForKey(file, expectation.key, store.system.random) : undefined)
    if (partition !== undefined) selectPartitions(store, file, [partition])
    if (partition === undefined && expectation.kind === 'key') {
      throw new LogqError('LOGQ_USAGE', `the key alone does not say which of the ${file.partitions} partitions of '${topic}'`, {
        hint: 'name it with -p',
      })
    }
    const check = new ExpectationCheck(store, topic, expectation, options.signal)
    const state = { isComplete: false }
    const producer = await Producer.open(store, topic, {
      ...options,
      batchBytes: MAX_BATCH_BYTES,
      beforeAppend: async (target, batch, logEndOffset) => {
        if (!state.isComplete) throw tooMany()
        await check.check(target, logEndOffset)
        return batch
      },
    })
    const known = partition ?? (file.partitions === 1 ? 0 : undefined)
    return new ConditionalProducer(store, producer, state, check, file.partitions, known)
  }

  /**
   * Takes one record, as `Producer.add` does. Throws, or rejects with, LOGQ_USAGE when the records do not fit one batch, or do not
   * belong to one partition: then nothing is going to be appended.
   */
  add(record: RecordInput, tag = 0, partition?: number): Promise<void> | undefined {
    if (this.#held !== undefined) throw tooMany()
    const hasKey = record.key !== null && record.key !== undefined
    const target = partition ?? (hasKey ? undefined : this.#partitionOfAll())
    const wait = this.producer.add(record, tag, target)
    this.#note(this.producer.lastPartition, wait)
    return wait
  }

  /** Takes complete lines, as `Producer.addLines` does. Throws LOGQ_USAGE as `add` does. */
  addLines(...line: Parameters<Producer['addLines']>): ReturnType<Producer['addLines']> {
    if (this.#held !== undefined) throw tooMany()
    const taken = this.producer.addLines(...line)
    if (taken.recordCount > 0) this.#note(this.producer.lastPartition)
    return taken
  }

  /** Where there are several partitions, only keys tell that a record belongs to the right one. */
  get takesLines(): boolean {
    return this.partitionCount === 1 && this.producer.takesLines
  }

  /** The batch is full, and there is more. */
  flushFull(): Promise<void> {
    return Promise.reject(tooMany())
  }

  /** Keeps a copy of a whole batch for `commit`. There can be one, and nothing beside it. */
  appendBatch(batch: CollectedBatch, partition: number, tag = 0): Promise<void> {
    if (this.#hasRecords) return Promise.reject(tooMany())
    this.#held = { batch: { ...batch, bytes: batch.bytes.slice() }, partition, tag }
    this.#note(partition)
    return Promise.resolve()
  }

  /** Nothing is appended before `commit`. */
  flush(): Promise<void> {
    return Promise.resolve()
  }

  /** The same: what is synced is what `commit` appended, by itself. */
  sync(): Promise<void> {
    return Promise.resolve()
  }

  /**
   * Appends all that was taken, and returns when it is on the device (with acks 1). Throws ExpectationError when the expectation does
   * not hold, which is checked also when there is nothing to append; and what `Producer.sync` throws.
   */
  async commit(): Promise<void> {
    if (!this.#hasRecords) {
      const partition = this.#partitionOfAll()
      const { logEndOffset } = partitionOffsets(viewContext(this.store, this.producer.topic, partition))
      await this.check.check(partition, logEndOffset)
      return
    }
    this.state.isComplete = true
    if (this.#held !== undefined) await this.producer.appendBatch(this.#held.batch, this.#held.partition, this.#held.tag)
    await this.producer.sync()
  }

  get lastPartition(): number {
    return this.producer.lastPartition
  }

  get maxRecordBytes(): number {
    return this.producer.maxRecordBytes
  }

  get appendedCount(): number {
    return this.producer.appendedCount
  }

  /** Every record counts: whoever expects something of the log does not look for duplicates. */
  get duplicateCount(): number {
    return 0
  }

  /** What was taken and is not in the log, as `Producer.unwritten` gives it. */
  unwritten(): ReturnType<Producer['unwritten']> {
    return this.producer.unwritten()
  }

  /** Syncs what `commit` appended, after something failed. */
  syncAppended(): Promise<void> {
    return this.producer.syncAppended()
  }

  /** Closes. What was not committed is forgotten. */
  async close(): Promise<void> {
    await this.producer.close(true)
  }

  #note(partition: number, wait?: Promise<void>): void {
    this.#hasRecords = true
    this.partition ??= partition
    if (partition === this.partition) return
    wait?.catch(() => undefined)
    throw new LogqError(
      'LOGQ_USAGE',
      `a record belongs to partition ${partition}, not to ${this.partition}: an expectation is of one partition`,
      { hint: 'name the partition of all records with -p' },
    )
  }

  #partitionOfAll(): number {
    if (this.partition !== undefined) return this.partition
    throw new LogqError(
      'LOGQ_USAGE',
      `topic '${this.producer.topic}' has ${this.partitionCount} partitions, and without a key nothing says which one is meant`,
      { hint: 'name it with -p' },
    )
  }
}

function tooMany(): LogqError {
  return new LogqError('LOGQ_USAGE', `the records do not fit one batch of ${MAX_BATCH_BYTES} bytes: nothing was appended`, {
    hint: 'with an expectation all records are appended at once, or none',
  })
}
