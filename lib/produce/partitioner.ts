/**
 * Which partition a record goes to (format-spec/topic.md). With a key, murmur2 as Kafka's Java client has it, so that the same key lands on the
 * same partition number. Without one: all records of a batch to the same partition, then the next, so that batches get large.
 */
import { partitionOfKey } from '../bytes/murmur2.js'
import type { Partitioner } from '../store/topic-file.js'
import type { Random } from '../system/system.js'

export class PartitionChooser {
  #sticky: number

  constructor(
    private readonly partitioner: Partitioner,
    private readonly random: Random,
  ) {
    // Short-lived producers that each write one record would otherwise all begin at partition 0.
    this.#sticky = random.integer(0x7fff_ffff)
  }

  choose(key: Uint8Array | null | undefined, partitions: number): number {
    if (partitions === 1) return 0
    if (this.partitioner === 'random') return this.random.integer(partitions)
    if (this.partitioner === 'roundrobin') return (this.#sticky = (this.#sticky + 1) % partitions)
    return key === null || key === undefined ? this.#sticky % partitions : partitionOfKey(key, partitions)
  }

  /** True when a record without a key goes to the same partition as the one before it. */
  get isSticky(): boolean {
    return this.partitioner === 'murmur2'
  }

  /** A batch of this partition is done: records without a key, if they went there, go on to the next partition. */
  rotate(partition: number, partitions: number): void {
    if (this.isSticky && this.#sticky % partitions === partition) this.#sticky = (this.#sticky + 1) % 0x7fff_ffff
  }
}
