/** logq group rename */
import { renameGroup } from '../../lib/consume/group/groups.js'
import { defineCommand } from '../command.js'
import { openToChange } from '../group/change-options.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'

export const command = defineCommand({
  name: 'group rename',
  summary: 'give a consumer group another name',
  operands: {
    group: { label: 'GROUP', meaning: 'The group.', required: true },
    name: { label: 'NAME', meaning: 'What it is to be called.', required: true },
  },
  options: {
    store: options.store,
    force: { kind: 'flag', meaning: 'Also while members read: they join a new group of the old name, without offsets.' },
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [{ command: 'logq group rename billing billing-old', meaning: 'Keep the offsets of a group under another name.' }],
  exits: ['failed', 'conflict'],
  exitNotes: {
    conflict: 'There is a group of that name, or one too like it; or members are there, and **--force** was not given',
  },
  man: { description: ['Renames a group, with its committed offsets and its history.'] },
  async run(args, io) {
    const { group, name } = args.operands
    const store = openToChange(args.options.store, io)
    await renameGroup(store, group, name, { force: args.options.force, wait: lockWait(io) })
    await io.explain(`group '${group}' is now '${name}'`)
  },
})
