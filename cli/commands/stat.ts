/** logq stat: how many records, how large, how fast and when, by groups; the records themselves are not printed. */
import { groupRecords, type UnreadableRange } from '../../lib/inspect/group-records.js'
import { expandTopics } from '../../lib/store/topic-pattern.js'
import { defineCommand } from '../command.js'
import { parseGroupBy } from '../values/group-by.js'
import { options } from '../options.js'
import { heldBackReport } from '../reading/held-back.js'
import { openForReading, resolveRanges, type ResolvedRange } from '../reading/reading.js'
import { printJson, printTable } from '../print/stat-output.js'
import { compileWhere } from '../reading/where.js'

export const command = defineCommand({
  name: 'stat',
  summary: 'count the records of topics, by key, header, time or partition',
  operands: {
    topics: {
      label: 'TOPIC',
      meaning: 'The topics, or patterns of topics, each counted by itself. See TOPICS in **logq**(1).',
      required: true,
      repeated: true,
    },
  },
  options: {
    store: options.store,
    by: {
      kind: 'parsed',
      valueName: 'GROUP',
      default: 'partition',
      parse: parseGroupBy,
      meaning: 'What makes a group: partition, key, header:NAME, or a duration such as 1m, 1h or 1d for stretches of time.',
    },
    partition: options.partitions,
    offset: options.offset,
    where: options.where,
    isolation: options.isolation,
    count: { ...options.count, meaning: 'Only the N groups with the most records. The total is over all.' },
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq stat events', meaning: 'Records, bytes and rates of each partition.' },
    { command: 'logq stat access --by key -n 10', meaning: 'The ten keys with the most records.' },
    { command: 'logq stat access -o @-1d --by 1h', meaning: 'The last day, hour by hour.' },
    {
      command: "logq stat app --by header:level -w 'timestamp.getHours() < 6' -J",
      meaning: 'Levels of the small hours, as JSON.',
    },
  ],
  exits: ['failed', 'noMatch', 'corruption'],
  exitNotes: { noMatch: 'No record matches **-w**' },
  man: {
    description: [
      'Prints a line for each group of records and a last one, **total**, for the topic. The columns are topic, records, bytes (of keys and values), share of the records of the topic, records and bytes a second, timestamps of the first and last record (-1 for none), the places of these two (PARTITION@OFFSET), and the group, which is last since it may have spaces in it. Values are not looked at, only their lengths. The end offsets are taken when the command starts.',
      'Rates are taken over the time from the first to the last record of the group, and by time over the stretch of time; where that is no time they are **-**, and null in JSON.',
      'By key or header the group with the most records comes first. Its name has the escapes of tsv (see FORMATS in **logq**(1)), and \\N stands for a null key, and for a header that is null or absent. Of several headers of that name the last one counts.',
      'By time a group is a multiple of the duration since 1970 in UTC, such as whole minutes or hours (a week begins on a Thursday), and groups are in order of time. A stretch without records is not shown. \\N, at the end, stands for records without a timestamp.',
      'A partition that is damaged, or cannot be read, is named on standard error with the offset from which on its records are not counted; the others are counted all the same, and the exit status says so.',
      'Counts are exact. Up to 100,000 groups are counted at once; when there are more, the topic is read again for each further part of them. At most 20,000 groups are printed, those with the most records, and standard error says how many are not.',
      '**-J** prints an object for each group: topic, by, group (with "groupEncoding": "base64" when it is not UTF-8), recordCount, sizeBytes, share (0 to 1), recordsPerSecond, bytesPerSecond, firstTimestampMs, lastTimestampMs, firstPartition, firstOffset, lastPartition, lastOffset. The last one has "total": true and groupCount instead of group.',
    ],
    seeAlso: ['logq-cat(1)', 'logq-topic(1)', 'logq-du(1)'],
  },
  async run(args, io) {
    const { by, partition, offset, count, isolation, json } = args.options
    const held = heldBackReport(io)
    const where = await compileWhere(args.options.where, io)
    const store = openForReading(args.options.store, io)
    const spec = offset ?? { kind: 'point', point: { kind: 'start' } }
    const topics: { readonly topic: string; readonly ranges: readonly ResolvedRange[] }[] = []
    for (const topic of await expandTopics(store, args.operands.topics)) {
      const onUnreadable = async (error: unknown, number: number): Promise<void> => {
        await io.failWith(error)
        await io.warn(`'${topic}-${number}' is not counted`)
      }
      const how = { isolation, onHeldBack: held.onHeldBack, onUnreadable }
      topics.push({ topic, ranges: await resolveRanges(store, topic, partition, spec, io, how) })
    }
    const { matches, matchesAgain } = where ?? {}
    let recordCount = 0
    let isFirst = true
    try {
      for (const { topic, ranges } of topics) {
        const troubles: UnreadableRange[] = []
        const onUnreadable = (trouble: UnreadableRange) => troubles.push(trouble)
        const found = await groupRecords(ranges, { by, top: count, matches, matchesAgain, signal: io.signal, onUnreadable })
        for (const { partition: number, error, countedTo } of troubles) {
          await io.failWith(error)
          await io.warn(`the records of '${topic}-${number}' from offset ${countedTo} on are not counted`)
        }
        if (io.signal.aborted || io.output().readerClosed) return
        recordCount += found.total.recordCount
        if (json) await printJson({ topic, by, ...found }, io.output())
        else await printTable({ topic, by, ...found }, isFirst, io.output())
        isFirst = false
        const hiddenCount = found.groupCount - found.groups.length
        if (hiddenCount > 0 && count !== found.groups.length) {
          await io.warn(`topic '${topic}': ${hiddenCount} groups with fewer records are not shown; the total is over all`)
        }
      }
    } finally {
      await held.settle()
      await where?.report()
    }
    return where !== undefined && recordCount === 0 ? 'noMatch' : undefined
  },
})
