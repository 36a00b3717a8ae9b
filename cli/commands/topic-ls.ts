/** logq topic ls */
import { getTopic, listTopics } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { options } from '../options.js'
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
    for (const topic of listTopics(store)) {
      if (!args.options.json) {
        await io.output().writeLine(topic)
        continue
      }
      const { topicId, partitions, partitioner } = getTopic(store, topic)
      await io.output().writeLine(JSON.stringify({ topic, topicId, partitions, partitioner }))
    }
  },
})
