/** logq du: what topics take on disk. */
import { isLogqError } from '../../lib/errors.js'
import { bytesSince, topicUsage, type DiskUsage, type PartitionUsage } from '../../lib/inspect/disk-usage.js'
import type { Store } from '../../lib/store/store.js'
import { expandTopics } from '../../lib/store/topic-pattern.js'
import { getTopic, listTopics } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { selectPartitions, type PartitionList } from '../values/partition-list.js'
import { openForReading } from '../reading/reading.js'
import { table } from '../table.js'
import { roundSize } from '../values/units.js'

const DAY_MS = 86_400_000

export const command = defineCommand({
  name: 'du',
  summary: 'show what topics take on disk',
  operands: {
    topics: {
      label: 'TOPIC',
      meaning: 'The topics, or patterns of topics; all of the store by default. See TOPICS in **logq**(1).',
      repeated: true,
    },
  },
  options: {
    store: options.store,
    partition: options.partitions,
    by: {
      kind: 'choice',
      choices: ['topic', 'partition', 'segment', 'file'],
      default: 'topic',
      valueName: 'WHAT',
      meaning: 'A line for each topic, partition, segment or file.',
    },
    human: { kind: 'flag', meaning: 'Sizes as people read them: 1.5KiB, 12GiB.' },
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq du --human', meaning: 'All topics, and when the disk is full at the rate of the last 24 hours.' },
    { command: 'logq du --by segment access', meaning: 'The segments of one topic, with their times.' },
    {
      command: 'logq du -J | jq -r \'select(.type == "topic" and .sizeBytes > 1e9).topic\'',
      meaning: 'Topics above a gigabyte.',
    },
  ],
  exits: ['failed', 'corruption'],
  man: {
    description: [
      'Prints for each topic the bytes of all files in its partition directories (not of the directories themselves), the bytes of the blocks that these files take on the device, and how the former are divided into logs, indexes and other files (quarantine/ among them); then the number of segments, how many offsets lie between log start and log end (as many as records, where nothing was compacted away), and the largest timestamps of the first batch and of all batches. The last line is the total. A - stands for what is not known or does not apply; where damage, a read error, or something else than a file in place of a segment is the reason, it is named, the rest is counted, and the exit status says so. It costs a few look-ups a segment, whatever the size.',
      'With **-J** each line is an object with a "type" (topic, partition, segment, file, total, forecast), names (topic, partition, baseOffset, file), sizeBytes, allocatedBytes, logBytes, indexBytes, otherBytes, segmentCount, offsetSpan, logStartOffset, logEndOffset, firstTimestampMs and largestTimestampMs (null where not known), and modifiedMs (when the log of a segment was written last), as far as they apply.',
      'The forecast goes to standard error, or is the last object of **-J**: how many bytes were appended in the last 24 hours (by the timestamps of the records), how many the file system has free for this user, and in how many days so many bytes a day would fill it. It counts the topics that were asked for only, and supposes that nothing is deleted.',
      'Topics may be in use. What is rolled or removed meanwhile is counted or not. Works on a log directory of Kafka too, where the preallocated indexes of active segments make the size larger than what is allocated.',
    ],
    seeAlso: ['logq-topic(1)', 'logq-fsck(1)', 'du(1)'],
  },
  async run(args, io) {
    const { partition: list, by, human, json } = args.options
    const store = openForReading(args.options.store, io)
    const nowMs = io.system.clock.nowMs()
    const rows: Row[] = []
    const total = new Sum()
    let partitionCount = 0
    let lastDayBytes: number | undefined = 0
    const { topics } = args.operands
    const onUnmatched = (error: unknown) => io.failWith(error)
    for (const topic of topics.length > 0 ? await expandTopics(store, topics, onUnmatched) : listTopics(store)) {
      if (io.signal.aborted) return
      const usages = await usageOf(store, topic, list, topics.includes(topic), io)
      partitionCount += usages.length
      for (const usage of usages) {
        total.add(usage)
        for (const trouble of usage.troubles) await io.failWith(trouble)
        const bytes = await bytesSince(store, topic, usage.partition, nowMs - DAY_MS)
        lastDayBytes = bytes === undefined || lastDayBytes === undefined ? undefined : lastDayBytes + bytes
      }
      rows.push(...rowsOf(topic, usages, by))
    }
    // Of topics that were named and are none there is no total, and nothing to foretell.
    if (topics.length > 0 && partitionCount === 0) return
    rows.push({ names: { type: 'total' }, label: 'total', usage: total.usage })
    const output = io.output()
    if (json) for (const row of rows) await output.writeLine(JSON.stringify({ ...row.names, ...row.usage }))
    else for (const line of render(rows, human ? roundSize : String)) await output.writeLine(line)
    await forecast(lastDayBytes, io.system.fs.freeBytes(store.path), json, io)
  },
})

/** None for a topic that was removed meanwhile; one that cannot be read is named, and the others go on. */
async function usageOf(
  store: Store,
  topic: string,
  list: PartitionList | undefined,
  isNamed: boolean,
  io: Io,
): Promise<readonly PartitionUsage[]> {
  try {
    const wanted = list === undefined ? undefined : selectPartitions(list, topic, getTopic(store, topic).partitions)
    return topicUsage(store, topic, wanted) ?? []
  } catch (error) {
    if (!isLogqError(error)) throw error
    if (error.code !== 'LOGQ_UNKNOWN_TOPIC' || isNamed) await io.failWith(error)
    return []
  }
}

interface RowUsage extends DiskUsage {
  readonly logBytes?: number
  readonly indexBytes?: number
  readonly otherBytes?: number
  readonly segmentCount?: number
  readonly logStartOffset?: number | null
  readonly logEndOffset?: number | null
  readonly offsetSpan?: number | null
  readonly firstTimestampMs?: number | null
  readonly largestTimestampMs?: number | null
}

interface Row {
  /** The fields that say what it is. */
  readonly names: Readonly<Record<string, string | number>>
  readonly label: string
  readonly usage: RowUsage
}

function rowsOf(topic: string, usages: readonly PartitionUsage[], by: 'topic' | 'partition' | 'segment' | 'file'): Row[] {
  if (usages.length === 0) return []
  switch (by) {
    case 'topic': {
      const all = new Sum()
      for (const usage of usages) all.add(usage)
      return [{ names: { type: 'topic', topic }, label: topic, usage: all.usage }]
    }
    case 'partition':
      return usages.map((usage) => partitionRow(topic, usage))
    case 'segment':
      return usages.flatMap(({ partition, segments }) =>
        segments.map(({ baseOffset, ...usage }) => ({
          names: { type: 'segment', topic, partition, baseOffset },
          label: `${topic}-${partition}/${String(baseOffset).padStart(20, '0')}`,
          usage: {
            ...usage,
            firstTimestampMs: known(usage.firstTimestampMs),
            largestTimestampMs: known(usage.largestTimestampMs),
          },
        })),
      )
    case 'file':
      return usages.flatMap(({ partition, files }) =>
        files.map(({ name, ...usage }) => ({
          names: { type: 'file', topic, partition, file: `${topic}-${partition}/${name}` },
          label: `${topic}-${partition}/${name}`,
          usage,
        })),
      )
  }
}

function partitionRow(topic: string, usage: PartitionUsage): Row {
  const all = new Sum()
  all.add(usage)
  const { offsets } = usage
  const { offsetSpan, ...rest } = all.usage
  return {
    names: { type: 'partition', topic, partition: usage.partition },
    label: `${topic}-${usage.partition}`,
    usage: {
      ...rest,
      logStartOffset: offsets?.logStartOffset ?? null,
      logEndOffset: offsets?.logEndOffset ?? null,
      ...(offsetSpan === undefined ? {} : { offsetSpan }),
    },
  }
}

/** What several partitions take together. */
class Sum {
  #usage = {
    sizeBytes: 0,
    allocatedBytes: 0,
    logBytes: 0,
    indexBytes: 0,
    otherBytes: 0,
    segmentCount: 0,
    offsetSpan: 0 as number | null,
    firstTimestampMs: null as number | null,
    largestTimestampMs: null as number | null,
  }

  add({ segments, offsets, ...partition }: PartitionUsage): void {
    const sum = this.#usage
    const first = segments.map(({ firstTimestampMs }) => firstTimestampMs).find((timestampMs) => timestampMs >= 0)
    const largest = segments.reduce((so, { largestTimestampMs }) => Math.max(so, largestTimestampMs), -1)
    const span = offsets === undefined ? null : offsets.logEndOffset - offsets.logStartOffset
    this.#usage = {
      sizeBytes: sum.sizeBytes + partition.sizeBytes,
      allocatedBytes: sum.allocatedBytes + partition.allocatedBytes,
      logBytes: sum.logBytes + partition.logBytes,
      indexBytes: sum.indexBytes + partition.indexBytes,
      otherBytes: sum.otherBytes + partition.otherBytes,
      segmentCount: sum.segmentCount + segments.length,
      offsetSpan: span === null || sum.offsetSpan === null ? null : sum.offsetSpan + span,
      firstTimestampMs: first === undefined ? sum.firstTimestampMs : Math.min(first, sum.firstTimestampMs ?? Infinity),
      largestTimestampMs: largest < 0 ? sum.largestTimestampMs : Math.max(largest, sum.largestTimestampMs ?? -1),
    }
  }

  get usage(): RowUsage {
    return this.#usage
  }
}

function known(timestampMs: number): number | null {
  return timestampMs < 0 ? null : timestampMs
}

function render(rows: readonly Row[], size: (bytes: number) => string): string[] {
  const head = ['BYTES', 'ALLOCATED', 'LOG', 'INDEX', 'OTHER', 'SEGMENTS', 'OFFSETS', 'FIRST', 'LATEST', 'NAME']
  const sizeOr = (bytes: number | undefined) => (bytes === undefined ? '-' : size(bytes))
  const cells = rows.map(({ label, usage }) => [
    size(usage.sizeBytes),
    size(usage.allocatedBytes),
    sizeOr(usage.logBytes),
    sizeOr(usage.indexBytes),
    sizeOr(usage.otherBytes),
    String(usage.segmentCount ?? '-'),
    String(usage.offsetSpan ?? '-'),
    timeText(usage.firstTimestampMs),
    timeText(usage.largestTimestampMs),
    label,
  ])
  return table(head, cells, { lastIsText: true })
}

/** To the second, UTC. */
function timeText(timestampMs: number | null | undefined): string {
  if (timestampMs === undefined || timestampMs === null) return '-'
  const date = new Date(timestampMs)
  return Number.isNaN(date.getTime()) ? String(timestampMs) : date.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Ten years: beyond that a figure would only pretend to know. */
const MOST_DAYS = 3_650

async function forecast(lastDayBytes: number | undefined, freeBytes: number, json: boolean, io: Io): Promise<void> {
  const days = lastDayBytes === undefined || lastDayBytes === 0 ? null : Math.round((10 * freeBytes) / lastDayBytes) / 10
  if (json) {
    const line = { type: 'forecast', lastDayBytes: lastDayBytes ?? null, freeBytes, daysUntilFull: days }
    await io.output().writeLine(JSON.stringify(line))
    return
  }
  const free = `${roundSize(freeBytes)} are free`
  if (lastDayBytes === undefined) await io.say(`what the last 24 hours brought cannot be read; ${free}`)
  else if (days === null) await io.say(`nothing was appended in the last 24 hours; ${free}`)
  else {
    const brought = `${roundSize(lastDayBytes)} were appended in the last 24 hours`
    const time = days > MOST_DAYS ? `no less than ${MOST_DAYS / 365} years` : `${days} days`
    await io.say(`${brought}; ${free}: so many every day fill them in ${time}, if nothing is deleted`)
  }
}
