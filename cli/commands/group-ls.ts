/** logq group ls */
import { describeGroup } from '../../lib/consume/group/groups.js'
import { listGroups } from '../../lib/store/group/group-paths.js'
import { defineCommand } from '../command.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'

export const command = defineCommand({
  name: 'group ls',
  summary: 'list the consumer groups of a store',
  operands: {},
  options: { store: options.store, json: options.jsonLines, quiet: options.quiet, verbose: options.verbose },
  examples: [{ command: 'logq group ls', meaning: 'The names, one a line.' }],
  exits: ['failed'],
  man: {
    description: [
      'Prints the names of all groups, sorted, one a line; with **-J** an object for each, with state, generation, members, lagRecords and lastCommitMs (null when nothing was committed).',
    ],
  },
  async run(args, io) {
    const store = openForReading(args.options.store, io)
    for (const group of listGroups(store)) {
      if (!args.options.json) {
        await io.output().writeLine(group)
        continue
      }
      try {
        const { state, generation, members, partitions, lastCommitMs = null } = await describeGroup(store, group)
        const lagRecords = partitions.reduce((sum, lag) => sum + lag.lagRecords, 0)
        const line = { group, state, generation, members: members.length, lagRecords, lastCommitMs }
        await io.output().writeLine(JSON.stringify(line))
      } catch (error) {
        // One that is damaged, or was removed meanwhile: the others are listed.
        await io.failWith(error)
      }
    }
  },
})
