/** What consume says on standard error of its membership. */
import type { AssignedPartition, ConsumerEvent } from '../../lib/consume/group/consumer-step.js'
import type { GroupConsumer } from '../../lib/consume/group/group-consumer.js'
import { partitionText } from '../group/partition-text.js'
import type { Io } from '../io.js'

export class MembershipTalk {
  #isIdleSaid = false

  constructor(
    private readonly consumer: GroupConsumer,
    private readonly io: Io,
  ) {}

  async say(event: ConsumerEvent): Promise<void> {
    const { io, consumer } = this
    if (event.kind === 'fenced') {
      await io.warn(
        `this member was taken out of group '${consumer.group}': it stood still, or offsets were set by force; joining again`,
      )
    } else if (event.kind === 'revoking') {
      await io.explain(`handing over ${partitionText(event.partitions)}`)
    } else {
      await io.explain(`generation ${consumer.generation}: reading ${partitionText(event.partitions)}`)
      for (const one of event.partitions) await this.#sayStart(one)
    }
  }

  /** A member for which there is no partition: once, in case that is not what was meant. */
  async sayWhenIdle(): Promise<void> {
    if (this.#isIdleSaid || !this.consumer.isSpare) return
    this.#isIdleSaid = true
    await this.io.say(
      `no partition of group '${this.consumer.group}' is left for this member: it waits in case another one goes`,
    )
  }

  async #sayStart({ topic, partition, start }: AssignedPartition): Promise<void> {
    if (start.instead === undefined) return
    const { committedOffset, reason } = start.instead
    const place = `'${topic}:${partition}'`
    await this.io.warn(
      reason === 'deleted'
        ? `${place}: offsets ${committedOffset} to ${start.offset - 1} were deleted before group '${this.consumer.group}' read them; going on at ${start.offset}`
        : `${place}: the log lost records that group '${this.consumer.group}' had read: it committed ${committedOffset}, and the log ended at ${start.offset}; going on from there`,
    )
  }
}
