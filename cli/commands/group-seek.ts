/** logq group seek: committed offsets, set by hand. */
import { changeOffsets, type WantedOffset } from '../../lib/consume/group/change-offsets.js'
import { resolveOffsets } from '../../lib/consume/offset-spec.js'
import { GroupFiles } from '../../lib/store/group/group-files.js'
import { groupExists, requireGroup } from '../../lib/store/group/group-paths.js'
import { partitionOffsets, viewContext } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { findTopic } from '../../lib/store/topics.js'
import { defineCommand, type CommandArguments } from '../command.js'
import { usageError } from '../errors.js'
import { changeOptions, openToChange } from '../group/change-options.js'
import { readOffsetsFile, type GivenOffset } from '../group/offsets-input.js'
import { chosenPartitions, parsePartitionChoice } from '../group/partition-choice.js'
import { printChanges } from '../group/print-changes.js'
import type { Io } from '../io.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'
import { parseOffsetPlace } from '../values/offset-spec.js'

const operands = { group: { label: 'GROUP', meaning: 'The group. It is made when there is none.', required: true } } as const

const declaredOptions = {
  store: options.store,
  offset: {
    kind: 'parsed',
    letter: 'o',
    valueName: 'POINT',
    parse: parseOffsetPlace,
    meaning: 'Where to: start, end, 42, -10 (before the end), +10 (after the start), or a time such as @2026-11-20 or @-1h.',
  },
  topic: {
    kind: 'list',
    valueName: 'TOPIC[:P,…]',
    parse: parsePartitionChoice,
    meaning: 'Of this topic, or of these partitions of it.',
  },
  allTopics: { kind: 'flag', meaning: 'Of all topics that the group has committed offsets of.' },
  toGroup: { kind: 'string', valueName: 'GROUP', meaning: 'To what this other group has committed, instead of **-o**.' },
  fromFile: {
    kind: 'string',
    valueName: 'FILE',
    meaning:
      'To what a file says, instead of **-o**: lines TOPIC,PARTITION,OFFSET, as kafka-consumer-groups writes them; - is standard input.',
  },
  ...changeOptions('at the new offsets'),
} as const

type Arguments = CommandArguments<typeof declaredOptions, typeof operands>

export const command = defineCommand({
  name: 'group seek',
  summary: 'set the committed offsets of a consumer group',
  operands,
  options: declaredOptions,
  examples: [
    { command: 'logq group seek billing -o @-1h --topic orders', meaning: 'Read the last hour again.' },
    {
      command: 'logq group seek billing -o end --all-topics --dry-run',
      meaning: 'What passing over everything would come to.',
    },
    {
      command: 'logq group seek copy --to-group billing --topic orders',
      meaning: 'Let a new group begin where another one is.',
    },
  ],
  exits: ['failed', 'corruption', 'conflict'],
  exitNotes: { conflict: 'Members of the group are there, and **--force** was not given' },
  man: {
    description: [
      'Sets committed offsets, and prints before and after for each partition. Offsets outside of the log become its start or its end. Each change is kept in the history of the group, and **logq group undo** takes it back.',
    ],
    seeAlso: ['logq-consume(1)'],
  },
  async run(args, io) {
    const {
      options: given,
      operands: { group },
    } = args
    const store = openToChange(given.store, io)
    checkOptions(args)
    const wanted = await wantedOffsets(store, args, io)
    if (!groupExists(store, group)) {
      // A group may be given its offsets before it reads for the first time; a name that was mistyped is not made by asking.
      if (given.dryRun || given.allTopics) requireGroup(store, group)
      GroupFiles.openOrCreate(store, group).close()
    }
    const changed = await changeOffsets(store, group, { command: 'seek' }, wanted, {
      force: given.force,
      dryRun: given.dryRun,
      wait: lockWait(io),
    })
    await printChanges(group, changed, given.json, given.dryRun, io)
  },
})

function checkOptions({ options: given }: Arguments): void {
  const sources = [
    given.offset === undefined ? '' : '-o',
    given.toGroup === undefined ? '' : '--to-group',
    given.fromFile === undefined ? '' : '--from-file',
  ].filter((name) => name !== '')
  if (sources.length === 0)
    throw usageError('where to is missing', 'give one of -o POINT, --to-group GROUP and --from-file FILE')
  if (sources.length > 1) throw usageError(`${sources.join(' and ')} exclude each other`, 'each says where to')
  const hasTopics = given.topic.length > 0
  if (given.fromFile !== undefined) {
    if (hasTopics || given.allTopics)
      throw usageError('--topic and --all-topics do not go with --from-file', 'the file names topics and partitions')
    return
  }
  if (hasTopics && given.allTopics) throw usageError('--topic and --all-topics exclude each other')
  if (!hasTopics && !given.allTopics)
    throw usageError('which partitions is missing', 'give --topic TOPIC[:P,…], or --all-topics')
}

async function wantedOffsets(
  store: Store,
  { options: given, operands: { group } }: Arguments,
  io: Io,
): Promise<WantedOffset[]> {
  if (given.fromFile !== undefined)
    return (await readOffsetsFile(store, given.fromFile, io)).map((place) => clamped(store, place))
  const places = given.allTopics
    ? committedPartitions(store, group)
    : given.topic.flatMap((choice) => chosenPartitions(store, choice).map((partition) => ({ topic: choice.topic, partition })))
  const { toGroup, offset: spec } = given
  if (toGroup !== undefined) {
    const other = GroupFiles.open(store, toGroup)
    try {
      const { offsets } = other.read()
      return places.flatMap(({ topic, partition }) => {
        const stored = offsets.get(topic, findTopic(store, topic)?.topicId ?? '', partition)
        return stored === undefined ? [] : [{ topic, partition, offset: stored.offset }]
      })
    } finally {
      other.close()
    }
  }
  if (spec === undefined) return []
  const nowMs = io.system.clock.nowMs()
  const wanted: WantedOffset[] = []
  for (const { topic, partition } of places) {
    const { fromOffset, logEndOffset } = await resolveOffsets(viewContext(store, topic, partition), spec, nowMs)
    wanted.push({ topic, partition, offset: Math.min(fromOffset, logEndOffset) })
  }
  return wanted
}

function committedPartitions(store: Store, group: string): { topic: string; partition: number }[] {
  const files = GroupFiles.open(store, group)
  try {
    return files
      .read()
      .offsets.topics()
      .flatMap(({ topic, topicId, partitions }) =>
        findTopic(store, topic)?.topicId === topicId ? partitions.map((partition) => ({ topic, partition })) : [],
      )
  } finally {
    files.close()
  }
}

/** Within the log. */
function clamped(store: Store, { topic, partition, offset }: GivenOffset): WantedOffset {
  const { logStartOffset, logEndOffset } = partitionOffsets(viewContext(store, topic, partition))
  return { topic, partition, offset: Math.min(Math.max(offset, logStartOffset), logEndOffset) }
}
