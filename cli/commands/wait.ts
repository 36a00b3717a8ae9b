/** logq wait: the first record that matches, be it there already or still to come. */
import { followTopic } from '../../lib/consume/follow-topic.js'
import { awaitCommit, type AbsentPart } from '../../lib/consume/group/await-commit.js'
import { LogqError } from '../../lib/errors.js'
import { withRecords, type BatchSlice } from '../../lib/log/read-partition.js'
import { SliceWalk } from '../../lib/log/slice-walk.js'
import { awaitStore } from '../../lib/store/await-store.js'
import { checkTopicName } from '../../lib/store/names.js'
import type { Store } from '../../lib/store/store.js'
import { findTopic } from '../../lib/store/topics.js'
import { defineCommand, type CommandArguments } from '../command.js'
import { usageError } from '../errors.js'
import { partitionsIn } from '../reading/follow.js'
import { describeNotice } from '../reading/follow-notice.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { formatPlace, parsePlace, type Place } from '../values/place.js'
import { failMiss, printPlace } from '../reading/print-place.js'
import type { BatchPrinter } from '../print/batch-printer.js'
import { batchPrinter, printingOptions, resolveRanges, talkOptions } from '../reading/reading.js'
import { storePath } from '../store-path.js'
import { TimeLimits } from '../reading/time-limits.js'
import { formatDuration } from '../values/units.js'
import { compileWhere, type Where } from '../reading/where.js'

const declaredOptions = {
  ...printingOptions,
  format: {
    ...options.outputFormat,
    meaning: 'How records are printed: value, json, tsv, or a template such as "%k\\t%v\\n". See FORMATS in **logq**(1).',
  },
  offset: { ...options.offset, defaultText: 'start' },
  count: {
    kind: 'integer',
    letter: 'n',
    valueName: 'N',
    minimum: 1,
    defaultText: '1',
    meaning: 'Wait for so many records, and print each as it comes.',
  },
  timeout: {
    kind: 'duration',
    valueName: 'DURATION',
    minimum: 1,
    meaning: 'Give up after so much time, with exit status 4. Without it, wait for as long as it takes.',
  },
  ackedBy: {
    kind: 'string',
    valueName: 'GROUP',
    meaning: 'With a place: wait until this consumer group has committed the record, and print nothing.',
  },
  ...talkOptions,
} as const

const operands = {
  topic: {
    label: 'TOPIC',
    meaning: 'The topic; or a place, TOPIC:PARTITION@OFFSET, to wait until it has a record and print that.',
    required: true,
  },
} as const

type Arguments = CommandArguments<typeof declaredOptions, typeof operands>

export const command = defineCommand({
  name: 'wait',
  summary: 'wait for a record, and print it',
  operands,
  options: declaredOptions,
  examples: [
    { command: 'logq wait jobs', meaning: 'The first record of a topic, as soon as there is one.' },
    {
      command: 'start-server & logq wait events -w \'value.state == "ready"\' --timeout 30s > /dev/null || exit 1',
      meaning: 'Go on when a program says that it is ready, also when it was quicker.',
    },
    { command: 'logq wait orders -o end -n 3 -J', meaning: 'The next three records.' },
    { command: 'logq wait events:0@42 --timeout 1m', meaning: 'The record at an offset that may not be written yet.' },
    {
      command: 'logq wait "$(echo new | logq produce jobs --print-offsets)" --acked-by workers --timeout 1m',
      meaning: 'Go on when a group has dealt with what was written.',
    },
  ],
  exits: ['failed', 'noMatch', 'timeout', 'corruption', 'gone'],
  exitNotes: {
    noMatch: 'A place has no record and never will: it was compacted away, or its transaction was aborted',
    timeout: 'Not all records that were waited for came within **--timeout**',
    gone: 'A place lies below the log start offset: its record no longer exists',
  },
  man: {
    description: [
      'Prints the first record of a topic that matches **-w**, or the first at all, and ends. It looks from the start of the topic on, so that a record which was produced before counts too; begin with **-o end** for new ones only. Then it follows: a record that is appended is printed within a few milliseconds.',
      'A topic, and a store, that does not exist yet is waited for, and the topic is then read from its start. This is said once on standard error, unless **-q** is given.',
      'With a place instead of a topic it waits until the log reaches that offset, and prints the record. With **--acked-by** it waits until a consumer group has committed it, and prints nothing; a group that does not exist yet is waited for.',
    ],
    seeAlso: ['logq-get(1)', 'logq-tail(1)', 'logq-produce(1)'],
  },
  async run(args, io) {
    const place = placeIn(args)
    const topic = place?.topic ?? args.operands.topic
    // What can never be there is not waited for. Kafka's own topics may be read where Kafka keeps them.
    if (!topic.startsWith('__')) checkTopicName(topic)
    const where = await compileWhere(args.options.where, io)
    const printer = batchPrinter(args.options, undefined, io)
    const path = storePath(args.options.store, io)
    const limits = new TimeLimits({ idle: undefined, for: args.options.timeout }, io)
    const looked: Looked = { where, wantedCount: args.options.count ?? 1, matchedCount: 0, recordCount: 0 }
    try {
      const onAbsent = () => io.say(`store '${path}' does not exist yet; waiting for it`)
      const store = await awaitStore(io.system, path, onAbsent, limits.signal)
      if (store?.kind === 'logq') checkTopicName(topic)
      const { ackedBy } = args.options
      const isSettled =
        store !== undefined &&
        (place !== undefined && ackedBy !== undefined
          ? await awaitAck(store, ackedBy, place, limits.signal, io)
          : place === undefined
            ? await awaitRecords(store, args, looked, printer, limits.signal, io)
            : await awaitPlace(store, place, args, printer, limits.signal, io))
      if (isSettled || io.signal.aborted || printer.isDone) return
      throw new LogqError('LOGQ_TIMEOUT', describeTimeout(store, place, args, looked))
    } finally {
      limits.end()
      await where?.report()
    }
  },
})

/** What was looked at, and what of it was wanted. */
interface Looked {
  readonly where: Where | undefined
  readonly wantedCount: number
  matchedCount: number
  recordCount: number
}

/** Throws a usage error for what does not go together. */
function placeIn({ options: given, operands: { topic } }: Arguments): Place | undefined {
  const { format, where, offset, partition, count } = given
  if (format.kind === 'batch') throw usageError('--format batch copies whole batches, and wait prints single records', 'use -J')
  if (offset !== undefined && 'to' in offset && offset.to !== undefined)
    throw usageError('a range with an end cannot be waited for', 'leave out the end')
  const place = parsePlace(topic)
  if (place === undefined) {
    if (given.ackedBy === undefined) return undefined
    throw usageError('--acked-by needs a place', 'write TOPIC:PARTITION@OFFSET, as produce --print-offsets prints it')
  }
  const names = [where === undefined ? '' : '-w', offset === undefined ? '' : '-o', partition === undefined ? '' : '-p']
  const name = [...names, count === undefined ? '' : '-n'].find((each) => each !== '')
  if (name !== undefined) throw usageError(`${name} does not go with a place`, `a place is one record: ${formatPlace(place)}`)
  return place
}

/** Prints records that match until there are enough. False when the signal came before. */
async function awaitRecords(
  store: Store,
  { options: { offset, partition: list, isolation }, operands: { topic } }: Arguments,
  looked: Looked,
  printer: BatchPrinter,
  signal: AbortSignal,
  io: Io,
): Promise<boolean> {
  const file = findTopic(store, topic)
  const spec = offset ?? ({ kind: 'point', point: { kind: 'start' } } as const)
  const ranges = file === undefined ? [] : await resolveRanges(store, topic, list, spec, io, { isolation })
  const steps = followTopic(store, topic, {
    fromOffsets: new Map(ranges.map(({ context, fromOffset }) => [context.partition, fromOffset])),
    awaitTopic: true,
    isolation,
    signal,
    ...(file === undefined ? {} : { topicId: file.topicId }),
    ...(list === undefined ? {} : { partitions: partitionsIn(store, topic, list) }),
  })
  for await (const step of steps) {
    if (step.kind === 'batch') await printMatches(topic, step, looked, printer)
    else if (step.kind === 'pause') await io.output().flush()
    else if (step.kind === 'absent') await io.say(describeNotice(topic, step))
    else if (step.kind === 'created') await io.explain(describeNotice(topic, step))
    else await io.warn(describeNotice(topic, step))
    if (printer.isDone || looked.matchedCount === looked.wantedCount) return true
  }
  return false
}

async function printMatches(topic: string, slice: BatchSlice, looked: Looked, printer: BatchPrinter): Promise<void> {
  const { partition } = slice
  const walk = withRecords(slice, () => new SliceWalk(slice))
  while (!printer.isDone && looked.matchedCount < looked.wantedCount && withRecords(slice, () => walk.next())) {
    looked.recordCount += 1
    if (looked.where?.matches(topic, partition, walk.record) === false) continue
    // One that the format cannot hold was waited for all the same: it is named, and the status says so.
    looked.matchedCount += 1
    await printer.printRecord(topic, partition, walk.record)
  }
}

/** Waits until a group has committed a record. */
async function awaitAck(store: Store, group: string, place: Place, signal: AbortSignal, io: Io): Promise<boolean> {
  const names = { topic: place.topic, partition: `${place.topic}:${place.partition}`, group }
  const onAbsent = (what: AbsentPart) => io.say(`${what} '${names[what]}' does not exist yet; waiting for it`)
  return await awaitCommit(store, group, place, { signal, onAbsent })
}

/** Prints the record at a place when it is there, or says that it never will be. False when the signal came before. */
async function awaitPlace(
  store: Store,
  place: Place,
  { options: { isolation } }: Arguments,
  printer: BatchPrinter,
  signal: AbortSignal,
  io: Io,
): Promise<boolean> {
  const { topic, partition, offset } = place
  const options = { fromOffsets: new Map([[partition, offset]]), partitions: [partition], awaitTopic: true, isolation, signal }
  for await (const step of followTopic(store, topic, options)) {
    if (step.kind === 'absent') await io.say(describeNotice(topic, step))
    else if (step.kind === 'removed' || step.kind === 'recreated') await io.warn(describeNotice(topic, step))
    if (step.kind !== 'batch' && step.kind !== 'pause') continue
    const miss = await printPlace(store, place, isolation, printer, io)
    if (miss?.kind === 'beyond-end' || miss?.kind === 'unstable') continue
    if (miss !== undefined && !signal.aborted) await failMiss(place, miss, io)
    return true
  }
  return false
}

function describeTimeout(
  store: Store | undefined,
  place: Place | undefined,
  { options: { timeout = 0, where, ackedBy }, operands: { topic } }: Arguments,
  { matchedCount, wantedCount, recordCount }: Looked,
): string {
  const within = `within ${formatDuration(timeout)}`
  if (store === undefined) return `the store was not created ${within}`
  const name = place?.topic ?? topic
  if (findTopic(store, name) === undefined) return `topic '${name}' was not created ${within}`
  if (place !== undefined && ackedBy !== undefined) return `group '${ackedBy}' did not commit '${formatPlace(place)}' ${within}`
  if (place !== undefined) return `'${formatPlace(place)}' was not written ${within}`
  const wanted = where === undefined ? '' : ` that match '${where}'`
  return `${matchedCount} of ${wantedCount} records${wanted} came in topic '${name}' ${within}; looked at ${recordCount}`
}
