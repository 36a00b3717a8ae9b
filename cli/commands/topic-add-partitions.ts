/** logq topic add-partitions */
import { openStore } from '../../lib/store/store.js'
import { addPartitions } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'
import { storePath } from '../store-path.js'
import { parseWholeNumber } from '../values/units.js'

export const command = defineCommand({
  name: 'topic add-partitions',
  summary: 'give a topic more partitions',
  operands: {
    topic: { label: 'TOPIC', meaning: 'The topic.', required: true },
    total: { label: 'N', meaning: 'The number of partitions that it is to have in all.', required: true },
  },
  options: { store: options.store, quiet: options.quiet, verbose: options.verbose },
  examples: [{ command: 'logq topic add-partitions events 8', meaning: 'The topic has eight partitions from now on.' }],
  exits: ['failed'],
  man: {
    description: [
      'Gives a topic more partitions; the number can only grow. Running producers and followers notice within a second. Records stay where they are: a key may go to another partition from now on, as in Kafka.',
    ],
  },
  async run(args, io) {
    const { topic, total } = args.operands
    const partitions = parseWholeNumber(total, { minimum: 1, maximum: 100_000 })
    const store = openStore(io.system, storePath(args.options.store, io))
    await addPartitions(store, topic, partitions, lockWait(io))
    await io.explain(`topic '${topic}' has ${partitions} partitions`)
  },
})
