/** logq cat: the records of topics, up to the end offsets as they are when the command starts. */
import { readPartition } from '../../lib/log/read-partition.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import { batchPrinter, openForReading, printingOptions, refuseSeveral, resolveRanges } from '../reading.js'
import type { PartitionRange } from '../reading.js'

export const command = defineCommand({
  name: 'cat',
  summary: 'print the records of topics',
  operands: {
    topics: {
      label: 'TOPIC',
      meaning: 'The topics, printed in this order, partitions ascending.',
      required: true,
      repeated: true,
    },
  },
  options: printingOptions,
  examples: [
    { command: 'logq cat access | grep -c " 404 "', meaning: 'Count lines, as with a file.' },
    { command: 'logq cat events -o @-1h -J', meaning: 'The records of the last hour as JSON.' },
    { command: "logq cat events -F '%p %o %k %v\\n'", meaning: 'Partition, offset, key and value of each record.' },
    {
      command: 'logq cat events -p 0 --format batch | ssh host logq produce events -p 0 --format batch',
      meaning: 'Copy a partition without decoding it.',
    },
  ],
  exits: ['failed', 'corruption'],
  man: {
    description: [
      'Prints the values of all records, each followed by a newline. The end offsets are taken when the command starts, and reading stops there, however busy the topic is. An empty range prints nothing, and is success.',
      'Records that were appended but not yet synced by their producer may be shown.',
      'What is printed to a terminal has its control characters escaped, unless **--raw** is given; to a pipe or file every byte goes out as it is.',
    ],
    seeAlso: ['logq-tail(1)', 'logq-produce(1)', 'logq-digest(1)'],
  },
  async run(args, io) {
    const { offset, partition: partitions, count, format, store: path } = args.options
    const { topics } = args.operands
    const printer = batchPrinter(args.options, count, io)
    const store = openForReading(path, io)
    const spec = offset ?? { kind: 'point', point: { kind: 'start' } }
    const work: { readonly topic: string; readonly ranges: readonly PartitionRange[] }[] = []
    for (const topic of topics) work.push({ topic, ranges: await resolveRanges(store, topic, partitions, spec, io) })
    refuseSeveral(format, topics.length, work.flatMap(({ ranges }) => ranges).length)
    for (const { topic, ranges } of work) {
      for (const { context, range } of ranges) {
        for await (const slice of readPartition(context, range.fromOffset, range.toOffset, io.signal)) {
          if (printer.isDone) return
          if (format.kind === 'batch')
            refusePart(slice.batch.baseOffset, slice.batch.nextOffset, slice.fromOffset, slice.toOffset)
          await printer.print(topic, slice)
        }
      }
    }
  },
})

function refusePart(baseOffset: number, nextOffset: number, fromOffset: number, toOffset: number): void {
  if (fromOffset <= baseOffset && toOffset >= nextOffset) return
  throw usageError(
    `the range cuts through the batch of offsets ${baseOffset} to ${nextOffset - 1}`,
    '--format batch copies whole batches: begin and end at the offset of one, or use -J',
  )
}
