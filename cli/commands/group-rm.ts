/** logq group rm */
import { describeGroup, removeGroup } from '../../lib/consume/group/groups.js'
import { requireGroup } from '../../lib/store/group/group-paths.js'
import { defineCommand } from '../command.js'
import { openToChange } from '../group/change-options.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'

export const command = defineCommand({
  name: 'group rm',
  summary: 'remove consumer groups with their committed offsets',
  operands: { groups: { label: 'GROUP', meaning: 'The groups.', required: true, repeated: true } },
  options: {
    store: options.store,
    yes: options.yes,
    force: { kind: 'flag', meaning: 'Also while members read: they join a new group of that name, without offsets.' },
    dryRun: options.dryRun,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [{ command: 'logq group rm -y scratch', meaning: 'Remove a group from a script.' }],
  exits: ['failed', 'conflict'],
  exitNotes: { conflict: 'Members of the group are there, and **--force** was not given' },
  man: {
    description: [
      'Removes groups with their committed offsets and their history. On a terminal it asks first; elsewhere **-y** is needed.',
    ],
  },
  async run(args, io) {
    const { groups } = args.operands
    const { yes, dryRun, force } = args.options
    const store = openToChange(args.options.store, io)
    for (const group of groups) requireGroup(store, group)
    if (dryRun) {
      for (const group of groups) {
        const { partitions } = await describeGroup(store, group)
        const count = partitions.filter(({ currentOffset }) => currentOffset !== undefined).length
        await io.output().writeLine(`would remove group '${group}' with ${count} committed offset${count === 1 ? '' : 's'}`)
      }
      return
    }
    if (!yes && !(await io.confirm(`remove ${groups.map((group) => `'${group}'`).join(', ')} with all committed offsets?`)))
      return
    for (const group of groups) {
      await removeGroup(store, group, { force, wait: lockWait(io) })
      await io.explain(`group '${group}' was removed`)
    }
  },
})
