/** logq trim: removes the records below an offset. */
import { resolveOffsets } from '../../lib/consume/offset-spec.js'
import { refuseBeyondEnd, trimPartition } from '../../lib/maintain/retain/trim-partition.js'
import { viewContext } from '../../lib/store/partition.js'
import { requireWritable } from '../../lib/store/store.js'
import { getTopic } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import { lockWait } from '../lock-wait.js'
import { noWait } from '../maintain/options.js'
import { options } from '../options.js'
import { openForReading, partitionsOf } from '../reading/reading.js'
import { parseOffsetPlace } from '../values/offset-spec.js'
import { roundSize } from '../values/units.js'

export const command = defineCommand({
  name: 'trim',
  summary: 'remove the records of a topic below an offset',
  operands: { topic: { label: 'TOPIC', meaning: 'The topic.', required: true } },
  options: {
    store: options.store,
    partition: options.partitions,
    offset: {
      kind: 'parsed',
      letter: 'o',
      valueName: 'POINT',
      parse: parseOffsetPlace,
      meaning:
        'The first record that stays: start, end, 42, -10 (before the end), +10 (after the start), or a time such as @-1d.',
    },
    yes: options.yes,
    noWait,
    dryRun: options.dryRun,
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq trim -y access -o @-7d', meaning: 'Keep the last seven days.' },
    { command: 'logq trim scratch -o end --dry-run', meaning: 'What emptying a topic would remove.' },
  ],
  exits: ['failed', 'corruption', 'gone', 'tryAgain'],
  exitNotes: {
    gone: 'An offset behind the end of the log: nothing can begin there',
    tryAgain: 'With **--no-wait**: another process holds the append lock of a partition',
  },
  man: {
    description: [
      'Moves the log start offset of each partition forward to the place that **-o** says, durably, and unlinks the segments that lie wholly below it. Records below it in a segment that stays are not shown any more. A log start offset never goes back: where the partition begins behind the place already, nothing changes. On a terminal it asks first; elsewhere **-y** is needed.',
      'Consumer groups that had not read what was removed go on at the new start, and say so.',
    ],
    seeAlso: ['logq-retain(1)', 'logq-topic(1)'],
  },
  async run(args, io) {
    const { options: given, operands } = args
    const { topic } = operands
    const { offset: place, dryRun, yes, json } = given
    if (place === undefined) throw usageError('trim needs -o', 'the first record that stays: logq trim TOPIC -o POINT')
    const store = requireWritable(openForReading(given.store, io))
    const file = getTopic(store, topic)
    const partitions = partitionsOf(store, file, given.partition)
    if (!dryRun && !yes && !(await io.confirm(`remove records of '${topic}'?`))) return
    for (const partition of partitions) {
      if (io.signal.aborted) return
      const view = viewContext(store, topic, partition)
      const range = await resolveOffsets(view, place, io.system.clock.nowMs())
      const offset = range.fromOffset
      refuseBeyondEnd(view, offset)
      const wait = { ...lockWait(io), ...(given.noWait ? { wait: 'no' as const } : {}) }
      const done = dryRun
        ? { fromOffset: range.logStartOffset, toOffset: offset, removedSegments: undefined, removedBytes: undefined }
        : await trimPartition(store, topic, partition, offset, wait)
      const { fromOffset, toOffset, removedBytes } = done
      if (json) {
        await io.output().writeLine(JSON.stringify({ topic, partition, ...done }))
      } else if (toOffset > fromOffset) {
        const what = dryRun ? 'would remove' : 'removed'
        const size = removedBytes === undefined ? '' : `, ${roundSize(removedBytes)} of segments`
        await io.output().writeLine(`${topic}-${partition}: ${what} offsets ${fromOffset} to ${toOffset - 1}${size}`)
      } else {
        await io.explain(`'${topic}-${partition}' begins at offset ${fromOffset} already`)
      }
    }
  },
})
