/** logq group ls */
import { describeGroup } from '../../lib/consume/group/groups.js'
import { listGroups } from '../../lib/store/group/group-paths.js'
import { defineCommand } from '../command.js'
import { options } from '../options.js'
import { printNames } from '../print-names.js'
import { openForReading } from '../reading/reading.js'

export const command = defineCommand({
  name: 'group ls',
  summary: 'list the consumer groups of a store',
  operands: {},
  options: { store: options.store, json: options.jsonLines, quiet: options.quiet, verbose: options.verbose },
  examples: [{ command: 'logq group ls', meaning: 'The names, one a line.' }],
  exits: ['failed', 'corruption'],
  exitNotes: { corruption: 'With **-J**: files of a group are damaged; what can be read of it is shown' },
  man: {
    description: [
      'Prints the names of all groups, sorted, one a line; with **-J** an object for each, with state, generation, members, lagRecords and lastCommitMs (null when nothing was committed).',
    ],
  },
  async run(args, io) {
    const store = openForReading(args.options.store, io)
    const describe = async (group: string): Promise<object> => {
      const { state, generation, members, partitions, lastCommitMs = null, problems } = await describeGroup(store, group)
      for (const problem of problems) await io.failItem(problem, undefined, 'corruption')
      const lagRecords = partitions.reduce((sum, lag) => sum + lag.lagRecords, 0)
      return { group, state, generation, members: members.length, lagRecords, lastCommitMs }
    }
    await printNames(listGroups(store), args.options.json, describe, io)
  },
})
