/** logq topic ls */
import { getTopic, listTopics } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { options } from '../options.js'
import { printNames } from '../print-names.js'
import { openForReading } from '../reading/reading.js'

export const command = defineCommand({
  name: 'topic ls',
  summary: 'list the topics of a store',
  operands: {},
  options: { store: options.store, json: options.jsonLines, quiet: options.quiet, verbose: options.verbose },
  examples: [{ command: 'logq topic ls', meaning: 'The names, one a line.' }],
  exits: ['failed'],
  man: {
    description: [
      'Prints the names of all topics, sorted, one a line; with **-J** an object for each, with topicId, partitions and partitioner.',
    ],
  },
  async run(args, io) {
    const store = openForReading(args.options.store, io)
    const describe = (topic: string): object => {
      const { topicId, partitions, partitioner } = getTopic(store, topic)
      return { topic, topicId, partitions, partitioner }
    }
    await printNames(listTopics(store), args.options.json, describe, io)
  },
})
