/** logq tail: the last records of topics, and with -f whatever is appended. */
import { followTopic } from '../../lib/consume/follow-topic.js'
import { lastRange, mergeLast } from '../../lib/consume/last-records.js'
import { readPartition } from '../../lib/log/read-partition.js'
import { viewContext } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { getTopic } from '../../lib/store/topics.js'
import { describeNotice } from '../follow-notice.js'
import { defineCommand, type CommandArguments } from '../command.js'
import { usageError } from '../errors.js'
import type { Io } from '../io.js'
import { batchPrinter, openForReading, partitionsOf, printingOptions, refuseSeveral, resolveRanges } from '../reading.js'
import type { BatchPrinter } from '../print/batch-printer.js'

const DEFAULT_COUNT = 10

const declaredOptions = {
  ...printingOptions,
  count: {
    kind: 'integer',
    letter: 'n',
    valueName: 'N',
    defaultText: '10',
    meaning: 'How many of the newest records to begin with. 0 with -f prints new records only.',
  },
  follow: { kind: 'flag', letter: 'f', meaning: 'Go on printing records as they are appended, until interrupted.' },
} as const

const operands = { topics: { label: 'TOPIC', meaning: 'The topics.', required: true, repeated: true } } as const

type Arguments = CommandArguments<typeof declaredOptions, typeof operands>

export const command = defineCommand({
  name: 'tail',
  summary: 'print the last records of topics, and follow them',
  operands,
  options: declaredOptions,
  examples: [
    { command: 'logq tail access', meaning: 'The newest 10 records.' },
    { command: 'logq tail -f -n 0 access | grep --line-buffered ERROR', meaning: 'New records only, filtered.' },
    { command: 'logq tail -f events -o start', meaning: 'Everything from the start, then what is appended.' },
  ],
  exits: ['failed', 'corruption'],
  man: {
    description: [
      'Prints the newest records of each topic: the last N of every partition, merged by timestamp, of which the newest N are shown. With **-o** it begins there instead.',
      'With **-f** it follows: every record that is appended to any partition is printed within a few milliseconds, across rolled segments and added partitions. Retention, compaction, and a directory that is moved, restored or replaced by a copy of itself do not disturb it: each record is printed once. Records that were deleted before they were read, and a log that ends earlier than before, are said on stderr.',
      'A topic that is removed is said to be, and waited for; when one of its name is created, that one is followed from its start.',
      'Records that were appended but not yet synced by their producer may be shown.',
      'INT ends it after what was read is printed. A closed pipe ends it at the next record.',
    ],
    seeAlso: ['logq-cat(1)'],
  },
  async run(args, io) {
    const { format, offset, count, follow } = args.options
    const { topics } = args.operands
    if (offset !== undefined && count !== undefined)
      throw usageError('-o and -n exclude each other', 'tail begins at -o, or with the last N')
    const printer = batchPrinter(args.options, undefined, io)
    const store = openForReading(args.options.store, io)
    const partitionCount = topics.reduce(
      (sum, topic) => sum + partitionsOf(store, getTopic(store, topic), args.options.partition).length,
      0,
    )
    refuseSeveral(format, topics.length, partitionCount)
    if (format.kind === 'batch' && offset === undefined && (count ?? DEFAULT_COUNT) > 0) {
      throw usageError('--format batch cannot begin within a batch', 'begin with -o, or use -n 0 -f')
    }
    const starts: Start[] = []
    for (const topic of topics) {
      const { topicId } = getTopic(store, topic)
      starts.push({ topic, topicId, fromOffsets: await printStart(store, topic, printer, args, io) })
    }
    await io.output().flush()
    if (!follow) return
    await Promise.all(starts.map((start) => followOne(store, start, printer, args, io)))
  },
})

/** Where following goes on, in which topic of that name. */
interface Start {
  readonly topic: string
  readonly topicId: string
  readonly fromOffsets: ReadonlyMap<number, number>
}

/** Prints what tail begins with. Returns where to go on following, by partition. */
async function printStart(
  store: Store,
  topic: string,
  printer: BatchPrinter,
  args: Arguments,
  io: Io,
): Promise<ReadonlyMap<number, number>> {
  const { offset, partition: partitions } = args.options
  if (offset === undefined) return printLast(store, topic, printer, args, io)
  const next = new Map<number, number>()
  for (const { context, range } of await resolveRanges(store, topic, partitions, offset, io)) {
    if (range.hasEnd && args.options.follow)
      throw usageError('a range with an end cannot be followed', 'leave out -f, or the end')
    next.set(context.partition, Math.max(range.fromOffset, range.toOffset))
    for await (const slice of readPartition(context, range.fromOffset, range.toOffset, io.signal)) {
      if (printer.isDone) break
      await printer.print(topic, slice)
    }
  }
  return next
}

async function printLast(
  store: Store,
  topic: string,
  printer: BatchPrinter,
  args: Arguments,
  io: Io,
): Promise<ReadonlyMap<number, number>> {
  const count = args.options.count ?? DEFAULT_COUNT
  const contexts = partitionsOf(store, getTopic(store, topic), args.options.partition).map((partition) =>
    viewContext(store, topic, partition),
  )
  const ranges = []
  for (const context of contexts) ranges.push(await lastRange(context, count, io.signal))
  if (count > 0) {
    for await (const record of mergeLast(ranges, count, io.signal)) {
      if (printer.isDone) break
      await printer.printRecord(topic, record.partition, record)
    }
  }
  return new Map(ranges.map(({ context, toOffset }) => [context.partition, toOffset]))
}

async function followOne(
  store: Store,
  { topic, topicId, fromOffsets }: Start,
  printer: BatchPrinter,
  args: Arguments,
  io: Io,
): Promise<void> {
  const { partition: list } = args.options
  const partitions = list === undefined ? {} : { partitions: partitionsOf(store, getTopic(store, topic), list) }
  for await (const step of followTopic(store, topic, { fromOffsets, topicId, signal: io.signal, ...partitions })) {
    if (step.kind === 'batch') await printer.print(topic, step)
    else if (step.kind === 'pause') await io.output().flush()
    else await io.warn(describeNotice(topic, step))
    if (printer.isDone) return
  }
}
