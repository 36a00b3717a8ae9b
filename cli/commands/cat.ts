/** logq cat: the records of topics, up to the end offsets as they are when the command starts. */
import type { BatchSlice } from '../../lib/log/read-partition.js'
import { expandTopics } from '../../lib/store/topic-pattern.js'
import { resolveArchived, topicsInArchive } from '../archive/read.js'
import { defineCommand } from '../command.js'
import { damageReport } from '../reading/damage.js'
import { usageError } from '../errors.js'
import { heldBackReport } from '../reading/held-back.js'
import { printRanges } from '../reading/print-ranges.js'
import {
  batchPrinter,
  openForReading,
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
import { compileWhere } from '../reading/where.js'

export const command = defineCommand({
  name: 'cat',
  summary: 'print the records of topics',
  operands: {
    topics: {
      label: 'TOPIC',
      meaning: 'The topics, or patterns of topics, printed in this order, partitions ascending. See TOPICS in **logq**(1).',
      required: true,
      repeated: true,
    },
  },
  options: {
    ...printingOptions,
    ...orderOptions,
    archive: {
      kind: 'string',
      valueName: 'DIR',
      meaning: 'Print what is archived in this directory instead of a store (see **logq-archive**(1)).',
    },
    ...talkOptions,
  },
  examples: [
    { command: 'logq cat access | grep -c " 404 "', meaning: 'Count lines, as with a file.' },
    { command: 'logq cat events -o @-1h -J', meaning: 'The records of the last hour as JSON.' },
    { command: "logq cat events -F '%p %o %k %v\\n'", meaning: 'Partition, offset, key and value of each record.' },
    {
      command: 'logq cat orders -o @2026-11-01:+1d -w \'key == "u1" && value.total > 100\'',
      meaning: 'What one user ordered on a day, above an amount.',
    },
    { command: 'logq cat --archive /backup/logq access', meaning: 'What is archived, wherever it came from.' },
    { command: "logq cat --merge 'access.*' --reverse -n 20", meaning: 'The newest 20 records of several topics.' },
    {
      command: 'logq cat events -p 0 --format batch | ssh host logq produce events -p 0 --format batch',
      meaning: 'Copy a partition without decoding it.',
    },
  ],
  exits: ['failed', 'noMatch', 'corruption'],
  exitNotes: { noMatch: 'No record matches **-w**' },
  man: {
    description: [
      'Prints the values of all records, each followed by a newline. The end offsets are taken when the command starts, and reading stops there, however busy the topic is. An empty range prints nothing, and is success.',
      'With **-w** records that do not match are not printed, and do not count for **-n**.',
      'Memory stays bounded, however many partitions **--merge** has to hold together: with hundreds of them, whose batches are large and of the same time, batches are read several times.',
      'Records that were appended but not yet synced by their producer may be shown.',
      'In a directory of Kafka, the records of transactions that were aborted are not printed, and reading ends where a transaction is open that has no end yet, which is said on stderr with the number of records that are held back; **--isolation read_uncommitted** prints both. The end is then the last stable offset, also for **-o**. Markers of transactions are never printed. What is read is what is on disk, which on a broker may lie above the high watermark: a consumer would not get these records yet, and they may be taken back. Raw batches of committed transactions go out as they are, and **logq produce** refuses them: copy with **-J**.',
      'With **archive.location** on a topic, what is no longer in the store is read from there, and the log starts where the archive does; only what is asked for is read. Where a compaction has been, what is archived below is left out, and that is said: keys that were deleted would come back. With **--archive** nothing but the archive is read, and no store is needed.',
      'What is archived on S3 is fetched as far as it is read, in ranges of at most 8 MiB, and kept meanwhile in a file without a name in **TMPDIR**, or in /tmp: that has to have room for one segment of each partition that is read at once, and at times for 256 MiB more. All commands that read topics do so. The npm package, and what says where the server is and who asks, are those of **logq-archive**(1). A server that does not answer is given up after a minute, a few times over: exit status 1.',
      'What is printed to a terminal has its control characters escaped, unless **--raw** is given; to a pipe or file every byte goes out as it is.',
    ],
    seeAlso: ['logq-tail(1)', 'logq-produce(1)', 'logq-digest(1)', 'logq-archive(1)'],
  },
  async run(args, io) {
    const { offset, partition, count, format, speed, isolation, reverse } = args.options
    refuseCombinations(args.options)
    const where = await compileWhere(args.options.where, io)
    const printer = batchPrinter(args.options, count, io, where?.matches)
    const { archive } = args.options
    const store = archive === undefined ? openForReading(args.options.store, io) : undefined
    const archived = archive === undefined ? undefined : await topicsInArchive(archive, args.operands.topics, io)
    const topics = store === undefined ? [...(archived?.keys() ?? [])] : await expandTopics(store, args.operands.topics)
    const damage = damageReport(args.options.onCorrupt, io)
    const held = heldBackReport(io)
    const limits = new TimeLimits(args.options, io)
    const { signal } = limits
    try {
      const spec = offset ?? { kind: 'point', point: { kind: 'start' } }
      const ranges: ResolvedRange[] = []
      const how = { isolation, onDamage: damage.onDamage, onHeldBack: held.onHeldBack, needsEnd: reverse }
      for (const topic of topics) {
        ranges.push(
          ...(store === undefined
            ? await resolveArchived(archived?.get(topic) ?? [], partition, spec, io, how)
            : await resolveRanges(store, topic, partition, spec, io, how)),
        )
      }
      refuseSeveral(format, topics.length, ranges.length)
      await printRanges(ranges, {
        printer,
        isMerged: args.options.merge || speed !== undefined,
        direction: reverse ? 'backwards' : 'forwards',
        matches: where?.matches,
        replay: speed === undefined ? undefined : new Replay(speed, io.output(), io.system.clock, signal),
        signal,
        ...(format.kind === 'batch' ? { inspect: refusePart } : {}),
      })
      return statusOfMatches(where, count, printer, io)
    } finally {
      limits.end()
      await damage.settle()
      await held.settle()
      await where?.report()
    }
  },
})

function refusePart({ batch, fromOffset, toOffset }: BatchSlice): void {
  if (fromOffset <= batch.baseOffset && toOffset >= batch.nextOffset) return
  throw usageError(
    `the range cuts through the batch of offsets ${batch.baseOffset} to ${batch.nextOffset - 1}`,
    '--format batch copies whole batches: begin and end at the offset of one, or use -J',
  )
}
