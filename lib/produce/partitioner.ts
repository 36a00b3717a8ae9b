/**
 * Which partition a record goes to (format-spec/topic.md). With a key, murmur2 as Kafka's Java client has it, so that the same key
 * lands on the same partition number. Without one: all records of a batch to the same partition, then the next, so that batches
 * get large. Or what an expression gives for the record.
 */
import { isLogqError } from '../errors.js'
import { partitionOfKey } from '../bytes/murmur2.js'
import { compileNumberExpression, type NumberExpression } from '../record/expression.js'
import type { RecordInput } from '../record/record.js'
import { isNamedPartitioner, type Partitioner, type TopicFile } from '../store/topic-file.js'
import type { Random } from '../system/system.js'

export class PartitionChooser {
  #sticky: number
  /** Where the last record without a key went; undefined once its batch is done. */
  #stickyPartition: number | undefined

  private constructor(
    private readonly topic: string,
    private readonly partitioner: Partitioner,
    private readonly expression: NumberExpression | undefined,
    private readonly random: Random,
  ) {
    // Short-lived producers that each write one record would otherwise all begin at partition 0.
    this.#sticky = random.integer(0x7fff_ffff)
  }

  /** Throws LOGQ_USAGE for an expression that cannot be used. */
  static async create(topic: string, partitioner: Partitioner, random: Random): Promise<PartitionChooser> {
    const expression = isNamedPartitioner(partitioner) ? undefined : await compileNumberExpression(partitioner)
    return new PartitionChooser(topic, partitioner, expression, random)
  }

  /**
   * `id` is what duplicates are found by, within a partition: where neither a key nor an expression chooses, the id does, so that
   * duplicates meet. Throws LOGQ_INVALID_RECORD when an expression fails on the record.
   */
  choose(record: Stamped, partitions: number, id?: Uint8Array): number {
    const { key } = record
    if (this.expression !== undefined) return this.#evaluate(this.expression, record, partitions)
    if (partitions === 1) return 0
    if (id !== undefined) return partitionOfKey(this.partitioner === 'murmur2' ? (key ?? id) : id, partitions)
    if (this.partitioner === 'random') return this.random.integer(partitions)
    if (this.partitioner === 'roundrobin') return (this.#sticky = (this.#sticky + 1) % partitions)
    if (key !== null && key !== undefined) return partitionOfKey(key, partitions)
    return (this.#stickyPartition = this.#sticky % partitions)
  }

  /** True when a record without a key goes to the same partition as the one before it. */
  get isSticky(): boolean {
    return this.partitioner === 'murmur2'
  }

  /** True when every record has to be looked at by itself, also in a topic of one partition. */
  get looksAtRecords(): boolean {
    return this.expression !== undefined
  }

  /** A batch of this partition is done: records without a key, if they went there, go on to the next partition. */
  rotate(partition: number): void {
    if (this.#stickyPartition !== partition) return
    this.#sticky = (this.#sticky + 1) % 0x7fff_ffff
    this.#stickyPartition = undefined
  }

  /** Any whole number will do: the partition is its remainder, counted from 0. */
  #evaluate(expression: NumberExpression, record: Stamped, partitions: number): number {
    const { key = null, value, headers = [], timestampMs } = record
    const number = expression.evaluate({ topic: this.topic, key, value, headers, timestampMs })
    return ((number % partitions) + partitions) % partitions
  }
}

/**
 * The partition of every record with this key, as the topic's partitioner gives it; undefined when it depends on more than the key:
 * chance, or what else an expression looks at.
 */
export async function partitionForKey(file: TopicFile, key: Uint8Array, random: Random): Promise<number | undefined> {
  const { topic, partitions, partitioner } = file
  if (partitions === 1) return 0
  if (partitioner === 'random' || partitioner === 'roundrobin') return undefined
  const chooser = await PartitionChooser.create(topic, partitioner, random)
  try {
    return chooser.choose({ key, value: null, timestampMs: -1 }, partitions)
  } catch (error) {
    if (isLogqError(error, 'LOGQ_INVALID_RECORD')) return undefined
    throw error
  }
}

type Stamped = RecordInput & { readonly timestampMs: number }
