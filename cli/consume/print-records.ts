/** consume without a command: records to standard output, committed when that took them. */
import type { BatchStep } from '../../lib/consume/group/consumer-step.js'
import type { GroupConsumer } from '../../lib/consume/group/group-consumer.js'
import type { BatchPrinter } from '../print/batch-printer.js'
import { describeNotice } from '../reading/follow-notice.js'
import type { TimeLimits } from '../reading/time-limits.js'
import type { Where } from '../reading/where.js'
import type { Io } from '../io.js'
import { cutSlice } from './cut.js'
import { Deliveries } from './deliveries.js'
import type { CommitEvery } from './options.js'
import type { MembershipTalk } from './say-events.js'
import type { ToEnd } from './to-end.js'

export interface PrintingConsumer {
  readonly consumer: GroupConsumer
  readonly printer: BatchPrinter
  readonly where: Where | undefined
  readonly limit: number | undefined
  readonly isAtMostOnce: boolean
  readonly commitEvery: CommitEvery
  readonly toEnd: ToEnd | undefined
  readonly limits: TimeLimits
  readonly talk: MembershipTalk
}

/** Returns when there is nothing to be done any more: a signal, a limit, or a reader that is gone. Then everything due is committed. */
export async function printRecords(what: PrintingConsumer, io: Io): Promise<void> {
  const { consumer, printer, toEnd, limits, talk } = what
  const deliveries = new Deliveries(consumer, io.output())
  const commits = new CommitSchedule(what.commitEvery, consumer, deliveries, io)
  try {
    if (await isOver()) return
    for await (const step of consumer.steps()) {
      switch (step.kind) {
        case 'batch': {
          const before = printer.printedCount
          await printSlice(step, what, deliveries)
          if (printer.printedCount > before) limits.notePrinted()
          await commits.after(printer.printedCount - before)
          break
        }
        case 'pause':
          for (const { topic, partition, offset } of step.reached) deliveries.printed(topic, partition, offset, -1)
          await commits.now()
          await talk.sayWhenIdle()
          break
        case 'notice':
          if (step.notice.kind === 'recreated' || step.notice.kind === 'shortened') deliveries.forget(step.topic)
          await io.warn(describeNotice(step.topic, step.notice))
          break
        default:
          // What was printed of the partitions that go is committed before they do.
          if (step.kind === 'revoking') await deliveries.flush()
          if (step.kind === 'fenced') deliveries.forget()
          await talk.say(step)
          await talk.sayWhenIdle()
      }
      if (await isOver()) return
    }
  } finally {
    await commits.now()
  }

  async function isOver(): Promise<boolean> {
    return printer.isDone || (toEnd !== undefined && commits.isClean && (await toEnd.isReached(consumer)))
  }
}

async function printSlice(
  step: BatchStep,
  { consumer, printer, where, limit, isAtMostOnce }: PrintingConsumer,
  deliveries: Deliveries,
): Promise<void> {
  const { topic, partition, batch } = step
  const left = (limit ?? Infinity) - printer.printedCount
  const slice = cutSlice(topic, step, left, where?.matchesAgain)
  const offset = Math.min(slice.toOffset, batch.nextOffset)
  if (isAtMostOnce) {
    consumer.delivered(topic, partition, offset, batch.partitionLeaderEpoch)
    // Somebody else has the partition by now: what is not committed is not printed.
    if (!(await consumer.commit())) return
    await consumer.sync()
  }
  await printer.print(topic, slice)
  if (!isAtMostOnce) deliveries.printed(topic, partition, offset, batch.partitionLeaderEpoch)
}

class CommitSchedule {
  #records = 0
  #committedAtMs: number
  /** Everything printed so far is committed. */
  isClean = true

  constructor(
    private readonly every: CommitEvery,
    private readonly consumer: GroupConsumer,
    private readonly deliveries: Deliveries,
    private readonly io: Io,
  ) {
    this.#committedAtMs = io.system.clock.monotonicMs()
  }

  async after(printedRecords: number): Promise<void> {
    this.isClean = false
    this.#records += printedRecords
    const { every } = this
    const isDue =
      every.kind === 'records'
        ? this.#records >= every.count
        : this.io.system.clock.monotonicMs() - this.#committedAtMs >= every.ms
    if (isDue) await this.now()
  }

  async now(): Promise<void> {
    await this.deliveries.flush()
    this.isClean = await this.consumer.commit()
    this.#records = 0
    this.#committedAtMs = this.io.system.clock.monotonicMs()
  }
}
