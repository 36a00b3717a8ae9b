/** logq tail: the last records of topics, and with -f whatever is appended. */
import { lastRange, mergeLast, type LastRange } from '../../lib/consume/last-records.js'
import { isLogqError } from '../../lib/errors.js'
import { readingContext } from '../../lib/store/archive/reading-context.js'
import type { ViewOptions } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { compileTopicPattern, expandTopics, isTopicPattern } from '../../lib/store/topic-pattern.js'
import { findTopic, getTopic } from '../../lib/store/topics.js'
import { defineCommand, type CommandArguments } from '../command.js'
import { damageReport } from '../reading/damage.js'
import { describeError, usageError } from '../errors.js'
import { followAll, type FollowStart } from '../reading/follow.js'
import type { Io } from '../io.js'
import { heldBackReport } from '../reading/held-back.js'
import { printRanges, printRecords, type Printing } from '../reading/print-ranges.js'
import {
  batchPrinter,
  openForReading,
  partitionsOf,
  printingOptions,
  refuseSeveral,
  resolveRanges,
  statusOfMatches,
  talkOptions,
  type ResolvedRange,
} from '../reading/reading.js'
import { orderOptions, refuseCombinations } from '../reading/order.js'
import { Replay } from '../reading/replay.js'
import { TimeLimits } from '../reading/time-limits.js'
import { compileWhere, type Where } from '../reading/where.js'

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
  ...orderOptions,
  ...talkOptions,
} as const

const operands = {
  topics: {
    label: 'TOPIC',
    meaning: 'The topics, or patterns of topics. See TOPICS in **logq**(1).',
    required: true,
    repeated: true,
  },
} as const

type Arguments = CommandArguments<typeof declaredOptions, typeof operands>

export const command = defineCommand({
  name: 'tail',
  summary: 'print the last records of topics, and follow them',
  operands,
  options: declaredOptions,
  examples: [
    { command: 'logq tail access', meaning: 'The newest 10 records.' },
    { command: 'logq tail -n 5 -w \'headers.level == "error"\' app', meaning: 'The newest 5 records with that header.' },
    { command: 'logq tail -f -n 0 access | grep --line-buffered ERROR', meaning: 'New records only, filtered.' },
    { command: "logq tail -f 'access.*'", meaning: 'Several topics, and those that are created later.' },
    { command: 'logq tail -f events -o start', meaning: 'Everything from the start, then what is appended.' },
    { command: 'logq tail -f -n 0 jobs --idle 10m || echo stalled', meaning: 'Watch that something comes.' },
  ],
  exits: ['failed', 'noMatch', 'timeout', 'corruption'],
  exitNotes: {
    noMatch: 'No record matches **-w**; not with **-f**',
    timeout: 'With **-f** and **--idle**: no record was printed for so long',
  },
  man: {
    description: [
      'Prints the newest records of each topic: the last N of every partition, merged by timestamp, of which the newest N are shown; with **--merge** the newest N of all topics together. With **-w** they are the last N that match. With **-o** it begins there instead.',
      'With **-f** it follows: every record that is appended to any partition is printed within a few milliseconds, across rolled segments and added partitions. What it begins with is in the order that the options ask for; what follows comes as it is appended. Retention, compaction, and a directory that is moved, restored or replaced by a copy of itself do not disturb it: each record is printed once. Records that were deleted before they were read, and a log that ends earlier than before, are said on stderr.',
      'A topic that is removed is said to be, and waited for; when one of its name is created, that one is followed from its start. A topic that does not exist yet is waited for, and followed from its start, and so is a topic that is created later and matches a pattern.',
      'Records that were appended but not yet synced by their producer may be shown.',
      'In a directory of Kafka, the records of transactions that were aborted are not printed, and **-f** waits where a transaction is open until it has its end, as a consumer of committed records does; **--isolation read_uncommitted** prints everything at once. The directory of a broker also has records above the high watermark: **tail -f** prints them before a consumer gets them, and when the leader changes they may be taken back, which is said on stderr.',
      'INT ends it after what was read is printed. A closed pipe ends it at the next record.',
    ],
    seeAlso: ['logq-cat(1)'],
  },
  async run(args, io) {
    const { offset, count, follow, speed } = args.options
    refuseCombinations(args.options)
    if (offset !== undefined && count !== undefined)
      throw usageError('-o and -n exclude each other', 'tail begins at -o, or with the last N')
    const where = await compileWhere(args.options.where, io)
    const printer = batchPrinter(args.options, undefined, io, where?.matches)
    const store = openForReading(args.options.store, io)
    const damage = damageReport(args.options.onCorrupt, io)
    const held = heldBackReport(io)
    const view = {
      isolation: args.options.isolation,
      onDamage: damage.onDamage,
      onHeldBack: follow ? undefined : held.onHeldBack,
    }
    const limits = new TimeLimits(args.options, io)
    const { signal } = limits
    const printing: Printing = {
      printer,
      isMerged: args.options.merge || speed !== undefined,
      direction: args.options.reverse ? 'backwards' : 'forwards',
      matches: where?.matches,
      replay: speed === undefined ? undefined : new Replay(speed, io.output(), io.system.clock, signal),
      signal,
    }
    try {
      const { present, absent } = await chooseTopics(store, args, io)
      refuseBatchFormat(store, present, args)
      const starts =
        offset === undefined
          ? await printLast(store, present, printing, where, args, view)
          : await printFrom(store, present, printing, args, io, view)
      await io.output().flush()
      if (!follow) return statusOfMatches(where, count, printer, io)
      limits.beginIdle()
      const following = { store, partitions: args.options.partition, printer, limits, view, io }
      await followAll(starts, absent, await patternsOf(args), following)
      limits.refuseIdle(args.operands.topics.map((topic) => `'${topic}'`).join(', '))
      return undefined
    } finally {
      limits.end()
      await damage.settle()
      await held.settle()
      await where?.report()
    }
  },
})

/** The topics to begin with, and those to wait for. */
async function chooseTopics(store: Store, args: Arguments, io: Io): Promise<{ present: string[]; absent: string[] }> {
  const present: string[] = []
  const absent: string[] = []
  const say = async (error: unknown): Promise<void> => {
    if (!mayWait(args) || !isLogqError(error, 'LOGQ_UNKNOWN_TOPIC')) throw error
    await io.warn(`${describeError(error).message}: waiting for it`, error.hint)
  }
  for (const topic of await expandTopics(store, args.operands.topics, say)) {
    try {
      getTopic(store, topic)
      present.push(topic)
    } catch (error) {
      await say(error)
      absent.push(topic)
    }
  }
  return { present, absent }
}

/** Raw batches are of one topic: another one of its name is not waited for. */
function mayWait({ options: { follow, format } }: Arguments): boolean {
  return follow && format.kind !== 'batch'
}

/** Which topics are to be followed when they are created later. */
async function patternsOf(args: Arguments): Promise<((topic: string) => boolean) | undefined> {
  const patterns = args.operands.topics.filter(isTopicPattern).map(compileTopicPattern)
  return patterns.length === 0 ? undefined : (topic) => patterns.some((matches) => matches(topic))
}

function refuseBatchFormat(store: Store, topics: readonly string[], args: Arguments): void {
  const { format, offset, count, follow, partition } = args.options
  if (format.kind !== 'batch') return
  const partitionCount = topics.reduce((sum, topic) => sum + partitionsOf(store, getTopic(store, topic), partition).length, 0)
  refuseSeveral(format, topics.length, partitionCount)
  if (follow && args.operands.topics.some(isTopicPattern)) {
    throw usageError('--format batch cannot follow a pattern', 'it prints exactly one partition: name the topic')
  }
  if (offset === undefined && (count ?? DEFAULT_COUNT) > 0) {
    throw usageError('--format batch cannot begin within a batch', 'begin with -o, or use -n 0 -f')
  }
}

/** What is printed of some topics at once, and where following goes on. */
interface Beginning {
  readonly topics: readonly string[]
  readonly print: () => Promise<void>
}

/** Prints what -o says. Returns where to go on following. */
async function printFrom(
  store: Store,
  topics: readonly string[],
  printing: Printing,
  args: Arguments,
  io: Io,
  view: ViewOptions,
): Promise<FollowStart[]> {
  const { offset, partition, follow, reverse } = args.options
  if (offset === undefined) return []
  const found = new Map<string, ResolvedRange[]>()
  const starts = await lookUp(store, topics, args, async (topic) => {
    const ranges = await resolveRanges(store, topic, partition, offset, io, { ...view, needsEnd: follow || reverse })
    if (follow && ranges.some(({ hasEnd }) => hasEnd))
      throw usageError('a range with an end cannot be followed', 'leave out -f, or the end')
    found.set(topic, ranges)
    return ranges
  })
  const groups = printing.isMerged ? [[...found]] : [...found].map((one) => [one])
  const beginnings = groups.map((group) => ({
    topics: group.map(([topic]) => topic),
    print: () =>
      printRanges(
        group.flatMap(([, ranges]) => ranges),
        printing,
      ),
  }))
  return await printAll(store, starts, printing.direction === 'backwards' ? beginnings.reverse() : beginnings, args)
}

/** Prints the newest records. Returns where to go on following. */
async function printLast(
  store: Store,
  topics: readonly string[],
  printing: Printing,
  where: Where | undefined,
  args: Arguments,
  view: ViewOptions,
): Promise<FollowStart[]> {
  const count = args.options.count ?? DEFAULT_COUNT
  const { isMerged, direction, signal } = printing
  const found = new Map<string, LastRange[]>()
  const starts = await lookUp(store, topics, args, async (topic) => {
    const ranges: LastRange[] = []
    for (const partition of partitionsOf(store, getTopic(store, topic), args.options.partition)) {
      ranges.push(await lastRange(await readingContext(store, topic, partition, view), count, where?.matches, signal))
    }
    found.set(topic, ranges)
    return ranges
  })
  // Which records match was asked when their places were looked up, and what failed was counted then.
  const options = { direction, matches: where?.matchesAgain, signal }
  const groups = isMerged ? [[...found]] : [...found].map((one) => [one])
  const beginnings = groups.map((group) => ({
    topics: group.map(([topic]) => topic),
    print: () =>
      printRecords(
        mergeLast(
          group.flatMap(([, ranges]) => ranges),
          count,
          options,
        ),
        printing,
      ),
  }))
  return await printAll(store, starts, direction === 'backwards' ? beginnings.reverse() : beginnings, args)
}

/** Where each topic is followed from; one that is removed just now, from its start, when there is one of its name again. */
async function lookUp(
  store: Store,
  topics: readonly string[],
  args: Arguments,
  rangesOf: (topic: string) => Promise<readonly Pick<ResolvedRange, 'context' | 'fromOffset' | 'toOffset'>[]>,
): Promise<Map<string, FollowStart>> {
  const starts = new Map<string, FollowStart>()
  for (const topic of topics) {
    let topicId: string | undefined
    try {
      ;({ topicId } = getTopic(store, topic))
      starts.set(topic, { topic, topicId, fromOffsets: nextOffsets(await rangesOf(topic)) })
    } catch (error) {
      const isGone = isLogqError(error, 'LOGQ_TOPIC_REMOVED') || isLogqError(error, 'LOGQ_UNKNOWN_TOPIC')
      if (!isGone || !mayWait(args)) throw error
      starts.set(topic, fromItsStart(topic, topicId))
    }
  }
  return starts
}

/** A topic that is removed while its first records are printed is followed from its start, too. */
async function printAll(
  store: Store,
  starts: Map<string, FollowStart>,
  beginnings: readonly Beginning[],
  args: Arguments,
): Promise<FollowStart[]> {
  for (const { topics, print } of beginnings) {
    try {
      await print()
    } catch (error) {
      const [topic = ''] = topics
      // Of several topics that are merged nobody could say what was printed.
      if (!isLogqError(error, 'LOGQ_TOPIC_REMOVED') || !mayWait(args) || topics.length !== 1) throw error
      const topicId = starts.get(topic)?.topicId
      if (findTopic(store, topic)?.topicId === topicId) throw error
      starts.set(topic, fromItsStart(topic, topicId))
    }
  }
  return [...starts.values()]
}

function fromItsStart(topic: string, topicId: string | undefined): FollowStart {
  return { topic, ...(topicId === undefined ? {} : { topicId }), isAnew: true, fromOffsets: new Map() }
}

function nextOffsets(
  ranges: readonly Pick<ResolvedRange, 'context' | 'fromOffset' | 'toOffset'>[],
): ReadonlyMap<number, number> {
  return new Map(ranges.map(({ context, fromOffset, toOffset }) => [context.partition, Math.max(fromOffset, toOffset)]))
}
