/** logq snapshot rm */
import { requireSnapshot, removeSnapshot } from '../../lib/maintain/snapshot/snapshots.js'
import { requireWritable } from '../../lib/store/store.js'
import { defineCommand } from '../command.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'

export const command = defineCommand({
  name: 'snapshot rm',
  summary: 'remove snapshots',
  operands: { names: { label: 'NAME', meaning: 'The snapshots.', required: true, repeated: true } },
  options: { store: options.store, yes: options.yes, dryRun: options.dryRun, quiet: options.quiet, verbose: options.verbose },
  examples: [{ command: 'logq snapshot rm -y before-upgrade', meaning: 'From a script.' }],
  exits: ['failed', 'gone'],
  exitNotes: { gone: 'There is no snapshot of that name; nothing was removed' },
  man: {
    description: [
      'Removes snapshots. On a terminal it asks first; elsewhere **-y** is needed. Nothing is taken from the topics, or from other snapshots, that share segments with it. A removal that is cut off is finished by the next **logq snapshot**; the snapshot is gone at once.',
    ],
  },
  async run(args, io) {
    const { names } = args.operands
    const { yes, dryRun } = args.options
    const store = requireWritable(openForReading(args.options.store, io))
    for (const name of names) requireSnapshot(store, name)
    if (dryRun) {
      for (const name of names) await io.output().writeLine(`would remove snapshot '${name}'`)
      return
    }
    if (!yes && !(await io.confirm(`remove ${names.map((name) => `'${name}'`).join(', ')}?`))) return
    for (const name of names) {
      await removeSnapshot(store, name, lockWait(io))
      await io.explain(`snapshot '${name}' was removed`)
    }
  },
})
