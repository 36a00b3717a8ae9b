/** logq topic rm */
import { isLogqError } from '../../lib/errors.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { findTopic, getTopic, removeTopic } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import type { Io } from '../io.js'
import { lockWait } from '../lock-wait.js'
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
      'Files go once no append is under way. When a process that is stopped keeps one open for ever, and a signal ends the wait, the topic is gone all the same: its files are removed by the next command that changes topics and finds them free.',
    ],
  },
  async run(args, io) {
    const { topics } = args.operands
    const { yes, dryRun } = args.options
    const store = openStore(io.system, storePath(args.options.store, io))
    for (const topic of topics) getTopic(store, topic)
    if (dryRun) {
      for (const topic of topics) await io.output().writeLine(`would remove topic '${topic}'`)
      return
    }
    if (!yes && !(await io.confirm(`remove ${topics.map((topic) => `'${topic}'`).join(', ')} with all records?`))) return
    for (const topic of topics) {
      await remove(store, topic, io)
      await io.explain(`topic '${topic}' was removed`)
    }
  },
})

async function remove(store: Store, topic: string, io: Io): Promise<void> {
  try {
    await removeTopic(store, topic, lockWait(io))
  } catch (error) {
    if (isLogqError(error, 'LOGQ_ABORTED') && findTopic(store, topic) === undefined)
      await io.warn(`topic '${topic}' is gone; the next topic command removes its records`)
    throw error
  }
}
