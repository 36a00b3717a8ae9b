/** logq partition-of: which partition a key belongs to. */
import { keyPartitioner } from '../../lib/produce/key-partitioner.js'
import { DEFAULT_PARTITIONER } from '../../lib/store/topic-file.js'
import { getTopic } from '../../lib/store/topics.js'
import { isLogqError } from '../../lib/errors.js'
import { defineCommand } from '../command.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'

export const command = defineCommand({
  name: 'partition-of',
  summary: 'print the partition that a key belongs to',
  operands: {
    topic: { label: 'TOPIC', meaning: 'The topic.', required: true },
    keys: { label: 'KEY', meaning: 'The keys.', required: true, repeated: true },
  },
  options: {
    store: options.store,
    partitions: {
      kind: 'integer',
      valueName: 'N',
      minimum: 1,
      maximum: 0x7fff_ffff,
      meaning: 'As if the topic had this many partitions. It need not exist: then its partitioner is taken to be murmur2.',
    },
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq partition-of events user-42', meaning: 'The number of a partition.' },
    {
      command: 'logq cat events -p "$(logq partition-of events user-42)" -w \'key == "user-42"\'',
      meaning: 'The records of a key, without reading the other partitions.',
    },
    { command: 'logq partition-of events user-42 --partitions 12', meaning: 'Where it would be with 12 partitions.' },
  ],
  exits: ['failed', 'corruption'],
  exitNotes: {
    failed: 'Failed, such as an unknown topic; or the partitioner, an expression, cannot be computed from a key alone',
    usage: 'Usage; also for a topic whose partitioner is random or roundrobin, where no key has a partition',
  },
  man: {
    description: [
      'Prints the number of the partition to which **produce** appends records of each KEY: one number a line, in the order of the keys. With **-J** each line is an object with topic, key and partition.',
      'Records of a key may be in other partitions too: from before partitions were added, or because a producer named the partition.',
    ],
    seeAlso: ['logq-produce(1)', 'logq-get(1)', 'logq-topic(1)'],
  },
  async run(args, io) {
    const { partitions, json } = args.options
    const { topic, keys } = args.operands
    const partitionOf = await keyPartitioner(describe(topic, partitions, args.options.store, io))
    for (const key of keys) {
      try {
        const partition = partitionOf(Buffer.from(key, 'utf8'))
        await io.output().writeLine(json ? JSON.stringify({ topic, key, partition }) : String(partition))
      } catch (error) {
        if (!isLogqError(error, 'LOGQ_INVALID_RECORD')) throw error
        await io.failItem(`key '${key}': ${error.message}`, error.hint)
      }
    }
  },
})

/** The topic as it is, or as it would be. */
function describe(
  topic: string,
  partitions: number | undefined,
  path: string | undefined,
  io: Io,
): { topic: string; partitioner: string; partitions: number } {
  try {
    const file = getTopic(openForReading(path, io), topic)
    return { ...file, partitions: partitions ?? file.partitions }
  } catch (error) {
    const isUnknown = isLogqError(error, 'LOGQ_UNKNOWN_TOPIC') || isLogqError(error, 'LOGQ_UNKNOWN_STORE')
    if (partitions === undefined || !isUnknown) throw error
    return { topic, partitioner: DEFAULT_PARTITIONER, partitions }
  }
}
