/** logq digest: proves that two copies hold the same records. */
import { digestPartition, topicDigest, type PartitionDigest } from '../../lib/maintain/digest.js'
import { defineCommand } from '../command.js'
import { options } from '../options.js'
import { heldBackReport } from '../reading/held-back.js'
import { openForReading, resolveRanges } from '../reading/reading.js'

export const command = defineCommand({
  name: 'digest',
  summary: 'print a digest of the records of topics',
  operands: { topics: { label: 'TOPIC', meaning: 'The topics.', required: true, repeated: true } },
  options: {
    store: options.store,
    partition: options.partitions,
    offset: options.offset,
    isolation: options.isolation,
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: { ...options.verbose, meaning: 'Print a line for each partition before that of the topic.' },
  },
  examples: [
    { command: 'logq digest events', meaning: 'One line: digest, number of records, topic.' },
    {
      command: 'test "$(logq digest a | cut -c-64)" = "$(logq digest b | cut -c-64)"',
      meaning: 'Succeed when two topics hold the same records.',
    },
  ],
  exits: ['failed', 'corruption'],
  man: {
    description: [
      'Prints a SHA-256 digest over the partitions, their records in order, and the timestamp, key, value and headers of each; not over offsets, batches, compression or timestamp types. So a faithful copy with as many partitions has the same digest, however it was made. Each line has the digest, the number of records, and the topic (or topic-partition with **-v**).',
      'The end offsets are taken when the command starts. The digest covers what **logq cat** prints with the same options: without **--isolation read_uncommitted**, no records of transactions that were aborted, and none from the first transaction on that is open.',
    ],
    seeAlso: ['logq-cat(1)'],
  },
  async run(args, io) {
    const { partition: list, offset, isolation, json } = args.options
    const held = heldBackReport(io)
    const store = openForReading(args.options.store, io)
    const spec = offset ?? { kind: 'point', point: { kind: 'start' } }
    const how = { isolation, onHeldBack: held.onHeldBack }
    for (const topic of args.operands.topics) {
      const digests: PartitionDigest[] = []
      for (const { context, fromOffset, toOffset } of await resolveRanges(store, topic, list, spec, io, how)) {
        digests.push(await digestPartition(context, fromOffset, toOffset, io.signal))
      }
      await held.settle()
      const { digest, recordCount, partitions } = topicDigest(topic, digests)
      if (json) {
        await io.output().writeLine(JSON.stringify({ topic, digest, recordCount, partitions }))
        continue
      }
      if (io.verbose)
        for (const part of partitions)
          await io.output().writeLine(`${part.digest}  ${part.recordCount}  ${topic}-${part.partition}`)
      await io.output().writeLine(`${digest}  ${recordCount}  ${topic}`)
    }
  },
})
