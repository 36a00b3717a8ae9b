/** logq topic set */
import { openStore } from '../../lib/store/store.js'
import { TOPIC_SETTINGS } from '../../lib/store/topic-config.js'
import { alterTopic } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'
import { storePath } from '../store-path.js'
import { parseSettings } from '../values/topic-settings.js'

export const command = defineCommand({
  name: 'topic set',
  summary: 'change settings of a topic',
  operands: {
    topic: { label: 'TOPIC', meaning: 'The topic.', required: true },
    settings: {
      label: 'NAME=VALUE',
      meaning: "Settings; the value 'default' takes one back to its default.",
      required: true,
      repeated: true,
    },
  },
  options: { store: options.store, quiet: options.quiet, verbose: options.verbose },
  examples: [
    {
      command: 'logq topic set events retention.ms=30d segment.bytes=default',
      meaning: 'Change one setting, and take back another.',
    },
  ],
  exits: ['failed'],
  man: {
    description: [
      'Changes settings of an existing topic. Running producers obey them within a second. The settings:',
      ...Object.entries(TOPIC_SETTINGS).map(
        ([name, { meaning, default: value }]) => `    ${name}=${value}\n        ${meaning}`,
      ),
    ],
  },
  async run(args, io) {
    const changes = parseSettings(args.operands.settings)
    if (Object.keys(changes).length === 0) throw usageError('no setting is given', 'for example retention.ms=7d')
    const store = openStore(io.system, storePath(args.options.store, io))
    await alterTopic(store, args.operands.topic, changes, lockWait(io))
    await io.explain(`topic '${args.operands.topic}' was changed`)
  },
})
