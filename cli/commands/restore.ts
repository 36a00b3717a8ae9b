/** logq restore: archived segments back into a store. */
import { listArchive } from '../../lib/archive/inspect-archive.js'
import type { RestoreRange } from '../../lib/archive/restore-range.js'
import { restoreTopic } from '../../lib/archive/restore-topic.js'
import { resolveTimes, type OffsetSpec, type Point } from '../../lib/consume/offset-spec.js'
import { openOrCreateStore } from '../../lib/store/store.js'
import { TopicConfig } from '../../lib/store/topic-config.js'
import { isTopicPattern } from '../../lib/store/topic-pattern.js'
import { getTopic } from '../../lib/store/topics.js'
import { topicChoice } from '../archive/inspect.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import type { Io } from '../io.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'
import { storePath } from '../store-path.js'
import { parseLocation } from '../values/location.js'
import { parseMode } from '../values/mode.js'
import { isListed } from '../values/partition-list.js'

export const command = defineCommand({
  name: 'restore',
  summary: 'bring archived segments back into a store',
  operands: {
    location: { label: 'LOCATION', meaning: 'The archive: a directory, or s3://BUCKET/PREFIX.', required: true },
    topics: {
      label: 'TOPIC',
      meaning: 'The topics, or patterns of topics, in the archive; all of it by default. See TOPICS in **logq**(1).',
      repeated: true,
    },
  },
  options: {
    store: options.store,
    partition: {
      ...options.partitions,
      meaning: 'Only these partitions, such as 0 or 0,2-5. In a topic that is created the others are empty.',
    },
    as: { kind: 'string', valueName: 'NAME', meaning: 'The name of the topic in the store, when it is to be another one.' },
    topicId: { kind: 'string', valueName: 'ID', meaning: 'Which topic, where the archive has several of that name.' },
    offset: {
      ...options.offset,
      meaning:
        'Only the segments that hold offsets or times in this range, as wholes: 42, 10:20, -10 (before the end of the archive), @2026-11-20, @-2d:-1d. Ends are excluded, and the log starts where the range begins. With times, the segment in which the end is reached comes along.',
    },
    mode: { kind: 'string', valueName: 'MODE', meaning: 'Permissions of a store that is created, such as 0750.' },
    allowNetworkFileSystem: {
      kind: 'flag',
      meaning: 'Write although the store is on a network file system, where locks and syncs cannot be relied on.',
    },
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq restore /backup/logq', meaning: 'Everything, into a new store.' },
    {
      command: 'logq restore s3://backups/logq access --as old-access -o @2026-11-01:+1d',
      meaning: 'One day of one topic, beside the topic itself.',
    },
  ],
  exits: ['failed', 'corruption', 'conflict', 'gone'],
  exitNotes: {
    corruption: 'What is archived is damaged, or a partition or a file is missing. Nothing of it was restored',
    gone: 'Nothing is archived in the range',
    conflict:
      'Another topic of that name is there, what is archived does not reach the log start of the topic, or the topic was compacted since',
  },
  man: {
    description: [
      'A topic that is not in the store is created, with its settings, its partitions and its topic id, and holds the segments that are archived of it. Each is compared with its digest and checked batch by batch before it is shown, and indexes are built anew.',
      'When the end of what is archived is left out, by **-o** or **-p**, it becomes a topic of its own, with a new topic id: what is produced to it does not go on where the archive does.',
      'When the topic itself is in the store, by its topic id, the segments that are below its log start are put back, and the log start offset goes back to where they begin: nothing else moves it back. What is archived must reach the log without a gap. Producers and consumers may run. Segments that a compaction has been over are refused: the log may have lost the tombstones of keys that they hold, which would come back. Restored under another name, they are the history of the topic as it was archived.',
      'What is restored is old, and **logq retain** removes it again as the settings of the topic say: change **retention.ms** first when it is to stay.',
      'Topics are restored one after the other, and each appears as a whole. A run that was cut off leaves nothing but what it had finished, and is simply started again.',
    ],
    seeAlso: ['logq-archive(1)', 'logq-topic(1)'],
  },
  async run(args, io) {
    const { store: path, partition: list, as, topicId, mode, allowNetworkFileSystem } = args.options
    const location = parseLocation(args.operands.location, io.cwd)
    const range = rangeOf(args.options.offset, io)
    const names = new Set<string>()
    const topics = topicChoice(args.operands.topics)
    for await (const { topic } of listArchive(io.system, location, { topics, signal: io.signal })) names.add(topic)
    const wanted = args.operands.topics.length > 0 ? namedTopics(args.operands.topics, names) : [...names]
    if (as !== undefined && wanted.length !== 1)
      throw usageError('--as takes one topic', 'name the topic that is to be restored')
    if (wanted.length === 0) {
      await io.failItem(`nothing is archived at '${location}'`)
      return
    }
    const store = await openOrCreateStore(io.system, storePath(path, io), {
      allowNetworkFileSystem,
      signal: io.signal,
      ...(mode === undefined ? {} : { mode: parseMode(mode) }),
    })
    const partitions = list === undefined ? undefined : (partition: number) => isListed(list, partition)
    for (const topic of wanted) {
      const restored = await restoreTopic(store, location, topic, { ...lockWait(io), as, topicId, range, partitions })
      for (const { topic: name, partition, segmentCount, sizeBytes, startOffset, endOffset } of restored) {
        await io.explain(
          `'${name}-${partition}': ${segmentCount} segments, offsets ${startOffset} to ${endOffset}, end excluded, ${sizeBytes} bytes`,
        )
      }
      await report(
        store,
        as ?? topic,
        restored.reduce((sum, one) => sum + one.segmentCount, 0),
        io,
      )
    }
  },
})

async function report(store: Parameters<typeof getTopic>[0], topic: string, segmentCount: number, io: Io): Promise<void> {
  if (segmentCount === 0) {
    await io.say(`nothing of '${topic}' was missing`)
    return
  }
  const retentionMs = new TopicConfig(getTopic(store, topic).config).number('retention.ms')
  const note = retentionMs < 0 ? '' : `; retain removes what is older than retention.ms=${retentionMs}`
  await io.say(`${segmentCount} segments of '${topic}' were restored${note}`)
}

function namedTopics(given: readonly string[], archived: ReadonlySet<string>): string[] {
  const matches = topicChoice(given)
  const found = [...archived].filter((topic) => matches?.(topic) === true)
  // What is not there is named by restoreTopic.
  return [...found, ...given.filter((one) => !archived.has(one) && !isTopicPattern(one))]
}

function rangeOf(spec: OffsetSpec | undefined, io: Io): RestoreRange {
  switch (spec?.kind) {
    case undefined:
      return {}
    case 'point':
      return { fromOffset: offsetOf(spec.point) }
    case 'range':
      return { fromOffset: offsetOf(spec.from), toOffset: offsetOf(spec.to) }
    case 'time':
    case 'time-range':
      return resolveTimes(spec, io.system.clock.nowMs())
  }
}

function offsetOf(point: Point | undefined): number | undefined {
  switch (point?.kind) {
    case undefined:
    case 'start':
      return undefined
    case 'offset':
      return point.offset
    case 'before-end':
      return -point.count
    case 'end':
    case 'after-start':
      throw usageError('an archive has no such place', 'give an offset, -N before its end, or a time')
  }
}
