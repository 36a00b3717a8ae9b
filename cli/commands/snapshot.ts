/** logq snapshot: what a store holds now, as a store of its own. */
import { requireWritable } from '../../lib/store/store.js'
import { takeSnapshot } from '../../lib/maintain/snapshot/take-snapshot.js'
import type { SharedTopic } from '../../lib/maintain/snapshot/share-topic.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import { lockWait } from '../lock-wait.js'
import { noWait } from '../maintain/options.js'
import { reportShared } from '../maintain/report-shared.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'

export const command = defineCommand({
  name: 'snapshot',
  summary: 'keep what topics hold now, as a store of its own',
  operands: {
    names: {
      label: 'TOPIC… NAME',
      meaning: 'The topics, and the name of the snapshot, which comes last.',
      required: true,
      repeated: true,
    },
  },
  options: {
    store: options.store,
    all: { kind: 'flag', meaning: 'All topics; only the name of the snapshot is given.' },
    noWait,
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq snapshot --all before-upgrade', meaning: 'All topics.' },
    {
      command: 'logq snapshot orders payments evening && logq cat -s "$LOGQ_STORE/snapshots/evening" orders',
      meaning: 'Two topics; then read from the snapshot.',
    },
    {
      command: 'logq snapshot --all "$(date +%Y-%m-%d)" && logq snapshot rm "$(date -d "8 days ago" +%Y-%m-%d)"',
      meaning: 'A snapshot a day, kept for a week (GNU date).',
    },
  ],
  exits: ['failed', 'corruption', 'conflict', 'tryAgain'],
  exitNotes: {
    conflict: 'There is a snapshot of that name',
    tryAgain: 'With **--no-wait**: another process holds the lock of the store, or the append lock of a partition',
  },
  man: {
    description: [
      'Makes a store in _STORE_/snapshots/_NAME_ with the records that the topics hold now. Every command reads it with **-s**. Each partition is taken up to its end at the moment when its turn comes; producers go on meanwhile. What consumer groups had committed of these topics comes along.',
      'Closed segments are shared by hard links, so that a snapshot takes no space but for the end of each partition, which is copied. What retention, compaction or **topic rm** later removes from the store stays in the snapshot, and takes its space there: **logq snapshot ls** says how much. Where the file system makes no hard links, segments are copied, and a line says so.',
      'The snapshot is there as a whole or not at all; it is on disk when the command exits with 0. What is written into it, or removed from it, changes nothing outside. It is no backup against a failing disk: for that copy it elsewhere (**cp -a**, **rsync -a**, **tar**), which a snapshot makes safe at any time, or see **logq-archive**(1). To go back to a snapshot of all topics, use it as the store, or move it to where the store was.',
      "A name has 1 to 249 of the characters a-z A-Z 0-9 . _ - and begins with none of '.', '-' and '__'. For a topic that is called ls or rm put an option before it: **logq snapshot -s** _STORE_ **ls** _NAME_.",
    ],
    files: ['_STORE_/snapshots/_NAME_/', '    The snapshot; a store.'],
    seeAlso: ['logq-topic(1)', 'logq-archive(1)', 'logq-du(1)'],
  },
  async run(args, io) {
    const { all, json, noWait: isImpatient } = args.options
    const { names } = args.operands
    const name = names.at(-1) ?? ''
    const topics = names.slice(0, -1)
    if (all && topics.length > 0)
      throw usageError(`'${topics[0]}' is one operand too many`, '--all is all topics; only the name of the snapshot follows')
    if (!all && topics.length === 0)
      throw usageError('a topic is missing, or --all', `logq snapshot TOPIC ${name}, or logq snapshot --all ${name}`)
    const store = requireWritable(openForReading(args.options.store, io))
    const path = await takeSnapshot(store, name, {
      ...lockWait(io),
      ...(isImpatient ? { wait: 'no' as const } : {}),
      ...(all ? {} : { topics: [...new Set(topics)] }),
      onTopic: (shared: SharedTopic) => reportShared(shared, json, io),
    })
    await io.explain(`the snapshot is '${path}'`)
  },
})
