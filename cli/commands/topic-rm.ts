/** logq topic rm */
import { openStore } from '../../lib/store/store.js'
import { getTopic, removeTopic } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { options } from '../options.js'
import { storePath } from '../store-path.js'

export const command = defineCommand({
  name: 'topic rm',
  summary: 'remove topics with all their records',
  operands: { topics: { label: 'TOPIC', meaning: 'The topics.', required: true, repeated: true } },
  options: { store: options.store, yes: options.yes, dryRun: options.dryRun, quiet: options.quiet, verbose: options.verbose },
  examples: [{ command: 'logq topic rm -y scratch', meaning: 'Remove a topic from a script.' }],
  exits: ['failed'],
  man: {
    description: [
      'Removes topics with all their records. On a terminal it asks first; elsewhere **-y** is needed. Running producers end with exit status 1, naming what was not written; **tail -f** says that the topic is gone.',
    ],
  },
  async run(args, io) {
    const { topics } = args.operands
    const { yes, dryRun } = args.options
    const store = openStore(io.system, storePath(args.options.store, io))
    for (const topic of topics) getTopic(store, topic)
    if (dryRun) {
      for (const topic of topics) await io.output().writeText(`would remove topic '${topic}'\n`)
      return
    }
    if (!yes && !(await io.confirm(`remove ${topics.map((topic) => `'${topic}'`).join(', ')} with all records?`))) return
    for (const topic of topics) {
      const onLongWait = (holderPid: number) => {
        void io.warn(`waiting for the append lock of a partition of '${topic}', held by process ${holderPid}`)
      }
      await removeTopic(store, topic, { onLongWait, signal: io.signal })
      await io.explain(`topic '${topic}' was removed`)
    }
  },
})
