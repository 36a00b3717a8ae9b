/**
 * What was printed and what of it may be committed: a record counts as delivered when standard output took its last byte, and not before.
 */
import type { GroupConsumer } from '../../lib/consume/group/group-consumer.js'
import type { OutputWriter } from '../output.js'

interface Mark {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  /** Everything below the offset was printed when so many bytes were. */
  readonly writtenBytes: number
}

export class Deliveries {
  /** In the order of their bytes. */
  #marks: Mark[] = []

  constructor(
    private readonly consumer: GroupConsumer,
    private readonly output: OutputWriter,
  ) {}

  /** Everything of the partition below `offset` was printed, or was not to be. */
  printed(topic: string, partition: number, offset: number, leaderEpoch: number): void {
    this.#marks.push({ topic, partition, offset, leaderEpoch, writtenBytes: this.output.writtenBytes })
    if (this.#marks.length >= ENOUGH_MARKS) this.settle()
  }

  /** Tells the consumer what was taken by now. */
  settle(): void {
    const { acceptedBytes } = this.output
    const taken = this.#marks.filter(({ writtenBytes }) => writtenBytes <= acceptedBytes)
    for (const { topic, partition, offset, leaderEpoch } of taken)
      this.consumer.delivered(topic, partition, offset, leaderEpoch)
    this.#marks = this.#marks.slice(taken.length)
  }

  /**
   * What was printed says nothing of what is read from now on: this member was taken out, or the topic is another one or shorter. An offset
   * noted before would be committed for records that nobody was given.
   */
  forget(topic?: string): void {
    this.#marks = topic === undefined ? [] : this.#marks.filter((mark) => mark.topic !== topic)
  }

  /** Waits until everything printed was taken. A reader that is gone took less: the rest is not delivered. */
  async flush(): Promise<void> {
    await this.output.flush()
    this.settle()
  }
}

const ENOUGH_MARKS = 1_000
