/** logq topic clone */
import { cloneTopic } from '../../lib/maintain/snapshot/clone-topic.js'
import { requireWritable } from '../../lib/store/store.js'
import { defineCommand } from '../command.js'
import { lockWait } from '../lock-wait.js'
import { noWait } from '../maintain/options.js'
import { reportShared } from '../maintain/report-shared.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'

export const command = defineCommand({
  name: 'topic clone',
  summary: 'make a topic with the records of another one',
  operands: {
    topic: { label: 'TOPIC', meaning: 'The topic.', required: true },
    name: { label: 'NEW', meaning: 'The name of the new one.', required: true },
  },
  options: {
    store: options.store,
    noWait,
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq topic clone orders orders-test', meaning: 'Try something on the records of a topic that is in use.' },
  ],
  exits: ['failed', 'corruption', 'tryAgain'],
  exitNotes: {
    tryAgain: 'With **--no-wait**: another process holds the lock of the store, or the append lock of a partition',
  },
  man: {
    description: [
      'Makes a topic with the same partitions, offsets, records and settings, and a topic id of its own; no consumer group has read it. Each partition is taken up to its end at the moment when its turn comes; producers go on meanwhile. From then on the two have nothing to do with each other.',
      'Closed segments are shared by hard links, so that a clone takes no space at first, but for the end of each partition, which is copied. Where the file system makes no hard links, segments are copied, and a line says so. The clone is there as a whole or not at all.',
    ],
  },
  async run(args, io) {
    const { json, noWait: isImpatient } = args.options
    const { topic, name } = args.operands
    const store = requireWritable(openForReading(args.options.store, io))
    const wait = { ...lockWait(io), ...(isImpatient ? { wait: 'no' as const } : {}) }
    const shared = await cloneTopic(store, topic, name, wait)
    await reportShared({ ...shared, topic: name }, json, io)
  },
})
