/** logq topic show */
import { describeTopic, type TopicDescription } from '../../lib/store/describe-topic.js'
import { TOPIC_SETTINGS } from '../../lib/store/topic-config.js'
import { defineCommand } from '../command.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'
import { table } from '../table.js'

export const command = defineCommand({
  name: 'topic show',
  summary: 'show partitions, offsets and settings of a topic',
  operands: { topic: { label: 'TOPIC', meaning: 'The topic.', required: true } },
  options: { store: options.store, json: options.jsonLines, quiet: options.quiet, verbose: options.verbose },
  examples: [
    {
      command: 'logq topic show events',
      meaning: 'Offsets and sizes by partition, and the settings that differ from the defaults.',
    },
  ],
  exits: ['failed', 'corruption'],
  man: {
    description: [
      'Prints what a topic is: its id, partitioner and settings, and for each partition the log start offset, the log end offset, segments and bytes. Settings that have their default are shown with **-v**, and with **-J** always.',
    ],
  },
  async run(args, io) {
    const store = openForReading(args.options.store, io)
    const description = describeTopic(store, args.operands.topic)
    const lines = args.options.json ? [JSON.stringify(description)] : render(description, io.verbose)
    for (const line of lines) await io.output().writeLine(line)
  },
})

function render(description: TopicDescription, withDefaults: boolean): string[] {
  const lines = [
    `topic        ${description.topic}`,
    `topic id     ${description.topicId}`,
    `partitioner  ${description.partitioner}`,
  ]
  for (const [name, { value, isDefault }] of Object.entries(description.config)) {
    if (!isDefault || withDefaults) lines.push(`${name}=${value}${isDefault ? '  (default)' : ''}  ${meaningOf(name)}`)
  }
  const rows = description.partitions.map(({ partition, logStartOffset, logEndOffset, segments, sizeBytes }) =>
    [partition, logStartOffset, logEndOffset, segments, sizeBytes].map(String),
  )
  return [...lines, '', ...table(['PARTITION', 'LOG-START-OFFSET', 'LOG-END-OFFSET', 'SEGMENTS', 'BYTES'], rows)]
}

function meaningOf(name: string): string {
  return Object.entries(TOPIC_SETTINGS).find(([known]) => known === name)?.[1].meaning ?? ''
}
