/** logq topic create */
import { openOrCreateStore } from '../../lib/store/store.js'
import { checkPartitioner, createTopic } from '../../lib/store/topics.js'
import { checkTopicName } from '../../lib/store/names.js'
import { defineCommand } from '../command.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'
import { storePath } from '../store-path.js'
import { parseMode } from '../values/mode.js'
import { parseSettings, withoutDefaults } from '../values/topic-settings.js'

export const command = defineCommand({
  name: 'topic create',
  summary: 'create a topic',
  operands: {
    topic: {
      label: 'TOPIC',
      meaning: 'The name: 1 to 249 of the characters a-z, A-Z, 0-9, dot, underscore and hyphen.',
      required: true,
    },
    settings: {
      label: 'NAME=VALUE',
      meaning: 'Settings that differ from the defaults, such as retention.ms=7d.',
      repeated: true,
    },
  },
  options: {
    store: options.store,
    partitions: { kind: 'integer', minimum: 1, maximum: 100_000, default: 1, meaning: 'Number of partitions.' },
    partitioner: {
      kind: 'string',
      valueName: 'NAME|EXPR',
      default: 'murmur2',
      meaning:
        "How a record's partition is chosen: murmur2 (that of Kafka's Java client), random, roundrobin, or a CEL expression that gives a whole number, of which the remainder is taken.",
    },
    mode: {
      kind: 'string',
      valueName: 'MODE',
      defaultText: '0700',
      meaning: 'Permissions of the store, if it is created now, in octal.',
    },
    allowNetworkFileSystem: {
      kind: 'flag',
      meaning: 'Create a store on NFS, SMB, 9p or FUSE, at the risk of lost and doubled records.',
    },
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    {
      command: "logq topic create orders --partitions 4 --partitioner 'int(value.customer)'",
      meaning: 'All records of a customer, by a number in the JSON value, go to one partition.',
    },
    {
      command: 'logq topic create events --partitions 4 retention.ms=7d',
      meaning: 'A topic of four partitions, kept for a week.',
    },
  ],
  exits: ['failed'],
  man: {
    description: [
      'Creates a topic, and the store if there is none. A name that differs from an existing one only in case, or only by a dot for an underscore, is refused.',
      'A partitioner that is an expression (CEL) knows **topic**, **key** and **text** (the value as a string), **value** (parsed as JSON), **headers** (a map), **timestamp**, and the function **murmur2(string)**. The partition is the remainder of its number. A record on which it fails is named, and not stored.',
    ],
    seeAlso: ['logq-produce(1)'],
  },
  async run(args, io) {
    const { partitions, partitioner, mode, allowNetworkFileSystem } = args.options
    const { topic, settings } = args.operands
    checkTopicName(topic)
    await checkPartitioner(partitioner)
    const config = withoutDefaults(parseSettings(settings))
    const wait = lockWait(io)
    const createOptions = { allowNetworkFileSystem, ...wait, ...(mode === undefined ? {} : { mode: parseMode(mode) }) }
    const store = await openOrCreateStore(io.system, storePath(args.options.store, io), createOptions)
    await createTopic(store, topic, { partitions, partitioner, config, ...wait })
    await io.explain(`topic '${topic}' with ${partitions} partitions was created in '${store.path}'`)
  },
})
