/**
 * consume … -- CMD: what is there of one partition goes to the standard input of one run of CMD, and is committed when that exits with 0.
 * While it runs the partition stays with this member, however long that takes; other partitions may come and go.
 */
import type { GroupConsumer } from '../../lib/consume/group/group-consumer.js'
import type { TopicPartition } from '../../lib/consume/assignors.js'
import { isLogqError, LogqError, systemErrorCode } from '../../lib/errors.js'
import type { Isolation } from '../../lib/log/log-view.js'
import { readPartition } from '../../lib/log/read-partition.js'
import { SliceWalk } from '../../lib/log/slice-walk.js'
import { readingContext } from '../../lib/store/archive/reading-context.js'
import { partitionOffsets } from '../../lib/store/partition.js'
import { startCommand, type CommandEnd } from '../../lib/system/child-command.js'
import type { ExitStatus } from '../exit-status.js'
import type { Io } from '../io.js'
import { createOutputWriter, type OutputWriter } from '../output.js'
import type { BatchPrinter } from '../print/batch-printer.js'
import type { TimeLimits } from '../reading/time-limits.js'
import type { Where } from '../reading/where.js'
import type { MembershipTalk } from './say-events.js'
import type { ToEnd } from './to-end.js'

export interface CommandConsumer {
  readonly consumer: GroupConsumer
  readonly command: readonly string[]
  readonly isolation: Isolation
  readonly where: Where | undefined
  readonly limit: number | undefined
  readonly everyMs: number
  readonly toEnd: ToEnd | undefined
  readonly limits: TimeLimits
  readonly talk: MembershipTalk
  readonly printerOn: (output: OutputWriter) => BatchPrinter
}

const LOOK_MS = 100
const SETTLE_MS = 200

/** Returns the status to end with, when a run failed; undefined when there is nothing to be done any more. */
export async function runCommands(what: CommandConsumer, io: Io): Promise<ExitStatus | undefined> {
  const { consumer, limit, everyMs, toEnd, limits, talk } = what
  const { clock } = io.system
  let given = 0
  let nextRunMs = -Infinity
  const isStopped = () => limits.signal.aborted
  while (!isStopped()) {
    for (const event of await consumer.settle()) await talk.say(event)
    await talk.sayWhenIdle()
    if (clock.monotonicMs() >= nextRunMs) {
      for (const partition of consumer.assignment) {
        if (isStopped()) break
        const run = await unlessRemoved(planRun(what, partition, (limit ?? Infinity) - given))
        if (run === undefined) continue
        // Runs begin no closer to each other than that, partition by partition in turn.
        nextRunMs = clock.monotonicMs() + everyMs
        const status = await consumer.holding(partition.topic, partition.partition, () => runOnce(what, run, io))
        if (status !== undefined) return status
        given += run.recordCount
        if (run.recordCount > 0) limits.notePrinted()
        if (given >= (limit ?? Infinity)) return undefined
      }
      if (toEnd !== undefined && (await toEnd.isReached(consumer))) return undefined
    }
    await clock.sleep(Math.min(LOOK_MS, everyMs), limits.signal)
  }
  return undefined
}

interface Run extends TopicPartition {
  readonly fromOffset: number
  readonly toOffset: number
  readonly recordCount: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
}

/** Of a topic that was removed there is nothing to be run; what becomes of it, the group will say. */
async function unlessRemoved<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work
  } catch (error) {
    if (isLogqError(error, 'LOGQ_TOPIC_REMOVED') || isLogqError(error, 'LOGQ_UNKNOWN_TOPIC')) return undefined
    throw error
  }
}

/** What of a partition the next run gets; undefined when there is nothing new. */
async function planRun(
  { consumer, isolation, where, toEnd, limits }: CommandConsumer,
  { topic, partition }: TopicPartition,
  limit: number,
): Promise<Run | undefined> {
  const fromOffset = consumer.position(topic, partition)
  if (fromOffset === undefined) return undefined
  const context = await readingContext(consumer.store, topic, partition, { isolation })
  const endOffset = toEnd?.endOf(topic, partition) ?? Infinity
  const toOffset = Math.min(partitionOffsets(context).logEndOffset, endOffset)
  if (fromOffset >= toOffset) return undefined
  const run = { topic, partition, fromOffset, toOffset, recordCount: 0, firstOffset: -1, lastOffset: -1, leaderEpoch: -1 }
  for await (const slice of readPartition(context, fromOffset, toOffset, limits.signal)) {
    consumer.store.system.failpoint('consume-run.plan')
    run.leaderEpoch = slice.batch.partitionLeaderEpoch
    try {
      for (const walk = new SliceWalk(slice); walk.next();) {
        const { offset } = walk.record
        if (where?.matchesAgain(topic, partition, walk.record) === false) continue
        if (run.recordCount === 0) run.firstOffset = offset
        run.lastOffset = offset
        run.recordCount += 1
        if (run.recordCount === limit) return { ...run, toOffset: offset + 1 }
      }
    } catch (error) {
      slice.failed(error)
    }
  }
  // Reading ended early: what was not looked at must not count as filtered out.
  return limits.signal.aborted ? undefined : run
}

/** One run. Commits when it succeeded; else names it, and returns the status. */
async function runOnce(what: CommandConsumer, run: Run, io: Io): Promise<ExitStatus | undefined> {
  const { consumer, talk } = what
  const { topic, partition, leaderEpoch } = run
  let deliveredOffset = run.toOffset
  if (run.recordCount > 0) {
    let isRunning = true
    const settling = (async () => {
      while (isRunning) {
        for (const event of await consumer.settle()) await talk.say(event)
        await io.system.clock.sleep(SETTLE_MS)
      }
    })()
    // It is waited for below.
    settling.catch(() => undefined)
    try {
      const ran = await feed(what, run, io)
      deliveredOffset = ran.deliveredOffset
      const status = await statusOf(ran.end, what, run, io)
      if (status !== undefined) return status
    } finally {
      isRunning = false
      await settling
    }
  }
  consumer.delivered(topic, partition, deliveredOffset, leaderEpoch)
  if (!(await consumer.commit())) return undefined
  await consumer.sync()
  return undefined
}

/** Gives CMD its records, and waits for its end. */
async function feed(
  { consumer, isolation, command, limits, printerOn }: CommandConsumer,
  { topic, partition, fromOffset, toOffset, firstOffset, lastOffset }: Run,
  io: Io,
): Promise<{ readonly end: CommandEnd; readonly deliveredOffset: number }> {
  const child = startCommand(command, {
    ...io.env,
    LOGQ_TOPIC: topic,
    LOGQ_PARTITION: String(partition),
    LOGQ_GROUP: consumer.group,
    LOGQ_FIRST: String(firstOffset),
    LOGQ_LAST: String(lastOffset),
  })
  const output = createOutputWriter(child.input, {
    clock: io.system.clock,
    signal: NEVER,
    name: `the input of '${command[0] ?? ''}'`,
  })
  const printer = printerOn(output)
  let deliveredOffset = fromOffset
  const give = async (): Promise<void> => {
    const context = await readingContext(consumer.store, topic, partition, { isolation })
    for await (const slice of readPartition(context, fromOffset, toOffset, limits.signal)) {
      consumer.store.system.failpoint('consume-run.feed')
      await printer.print(topic, slice)
      deliveredOffset = Math.min(slice.batch.nextOffset, toOffset)
      if (printer.isDone) break
    }
  }
  // When it is removed meanwhile, CMD has got a part, and nothing of it is committed.
  await unlessRemoved(give())
  await output.flush()
  await child.input.close()
  const end = await child.ended
  // A command that did not read everything and says that it is done, is done with everything; but not with what it was never offered.
  return { end, deliveredOffset: limits.signal.aborted ? deliveredOffset : toOffset }
}

const NEVER = new AbortController().signal

/** Undefined for success. */
async function statusOf(
  end: CommandEnd,
  { command, consumer: { group } }: CommandConsumer,
  run: Run,
  io: Io,
): Promise<ExitStatus | undefined> {
  const name = `'${command[0] ?? ''}'`
  const records = `offsets ${run.firstOffset} to ${run.lastOffset} of '${run.topic}:${run.partition}'`
  const hint = `nothing of them was committed; to pass over a record: 'logq group skip ${group} ${run.topic}:${run.partition}@OFFSET --reason TEXT'`
  if (end.kind === 'not-started') {
    const isMissing = systemErrorCode(end.error) === 'ENOENT'
    await io.warn(`${name} ${isMissing ? 'was not found' : 'could not be executed'}`, 'nothing was committed')
    return isMissing ? 'commandNotFound' : 'commandNotExecutable'
  }
  if (end.kind === 'killed') {
    // The terminal's ^C reaches it too.
    if (io.signal.aborted) throw new LogqError('LOGQ_ABORTED', `${name} was ended`)
    await io.failItem(`${name} was killed by ${end.signal} on ${records}`, hint)
    return 'failed'
  }
  if (end.code === 0) return undefined
  if (end.code === 126 || end.code === 127) {
    await io.warn(`${name} exited with ${end.code} on ${records}`, hint)
    return end.code === 126 ? 'commandNotExecutable' : 'commandNotFound'
  }
  await io.failItem(`${name} exited with ${end.code} on ${records}`, hint)
  return 'failed'
}
