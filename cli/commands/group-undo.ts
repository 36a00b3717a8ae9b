/** logq group undo: the last change by hand, taken back. */
import { undoChange } from '../../lib/consume/group/change-offsets.js'
import { defineCommand } from '../command.js'
import { changeOptions, openToChange } from '../group/change-options.js'
import { printChanges } from '../group/print-changes.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'

export const command = defineCommand({
  name: 'group undo',
  summary: 'take back the last seek or skip of a consumer group',
  operands: { group: { label: 'GROUP', meaning: 'The group.', required: true } },
  options: {
    store: options.store,
    ...changeOptions('at the old offsets'),
  },
  examples: [
    {
      command: 'logq group undo billing --dry-run',
      meaning: 'What the last change was, and what taking it back would come to.',
    },
  ],
  exits: ['failed', 'corruption', 'conflict', 'gone'],
  exitNotes: {
    conflict: 'Members of the group are there, and **--force** was not given',
    gone: 'There is nothing to be taken back',
  },
  man: {
    description: [
      'Sets the committed offsets to what they were before the last **group seek** or **group skip** that was not taken back yet, whatever was committed since. Partitions that had no committed offset before have none again.',
    ],
    seeAlso: ['logq-consume(1)'],
  },
  async run(args, io) {
    const {
      options: given,
      operands: { group },
    } = args
    const store = openToChange(given.store, io)
    const changed = await undoChange(store, group, { force: given.force, dryRun: given.dryRun, wait: lockWait(io) })
    const { command, timeMs, reason } = changed.undone
    await io.say(`taking back '${command}' of ${new Date(timeMs).toISOString()}${reason === undefined ? '' : ` (${reason})`}`)
    await printChanges(group, changed, given.json, given.dryRun, io)
  },
})
