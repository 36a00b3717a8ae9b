/** logq metrics: the figures of a store for Prometheus, once. */
import { LogqError } from '../../lib/errors.js'
import { openMetricsLines } from '../../lib/inspect/open-metrics.js'
import { storeMetrics } from '../../lib/inspect/store-metrics.js'
import { parentDirectory, replaceFileInPieces } from '../../lib/system/durable.js'
import type { System } from '../../lib/system/system.js'
import { defineCommand } from '../command.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'

export const command = defineCommand({
  name: 'metrics',
  summary: 'print figures of a store for Prometheus',
  operands: {},
  options: {
    store: options.store,
    output: {
      kind: 'string',
      valueName: 'FILE',
      meaning: 'Into this file, which is replaced when all is written: whoever reads it sees the old text or the new one.',
    },
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    {
      command: 'logq metrics --output /var/lib/node_exporter/textfile/logq.prom',
      meaning: 'Every minute from cron, for the textfile collector of node_exporter.',
    },
    { command: "logq metrics | grep '^logq_group_lag_records'", meaning: 'How far each group is behind.' },
  ],
  exits: ['failed', 'corruption'],
  man: {
    description: [
      'Prints the OpenMetrics text format, once; nothing listens on a port. For each partition: **logq_log_start_offset**, **logq_log_end_offset**, **logq_partition_size_bytes**, **logq_partition_segments**, and **logq_newest_timestamp_seconds** where a record has a timestamp, with the labels topic and partition. For each partition that a group has committed for or has members for: **logq_group_committed_offset** where something was committed, **logq_group_lag_records**, **logq_group_lag_bytes** and **logq_group_lag_seconds**, with the labels group, topic and partition. For each group **logq_group_members**, those that are alive. Of the store: **logq_store_free_bytes** and **logq_store_total_bytes** of its file system. All of them are gauges.',
      'What cannot be read is named on standard error, left out, counted in **logq_unreadable**, and is in the exit status; the rest is written all the same.',
      'It costs a few look-ups a segment, and for each partition that a group is behind in, reading one batch. FILE gets the mode 0644, narrowed by the umask.',
    ],
    seeAlso: ['logq-check(1)', 'logq-lag(1)', 'logq-du(1)'],
  },
  async run(args, io) {
    const { store, output } = args.options
    const families = await storeMetrics(openForReading(store, io), (error) => io.failWith(error))
    if (output !== undefined) replaceOutput(io.system, output, openMetricsLines(families))
    else for (const line of openMetricsLines(families)) await io.output().writeText(line)
  },
})

const OUTPUT_MODE = 0o644

function replaceOutput(system: System, path: string, lines: Iterable<string>): void {
  const directory = system.fs.pathStatus(`${parentDirectory(path)}/.`)
  if (directory === undefined)
    throw new LogqError('LOGQ_IO', `cannot write '${path}': its directory does not exist`, {
      hint: 'make it, or choose another FILE',
    })
  const there = system.fs.pathStatus(path)
  if (there !== undefined && there.kind !== 'file')
    throw new LogqError('LOGQ_IO', `cannot write '${path}': it is no regular file`, { hint: 'leave out --output to print' })
  // The directory is the collector's: it may be another user's who lets this one write in it.
  const { userId } = system.self
  const ownership = { userId, groupId: directory.groupId, fileMode: OUTPUT_MODE, directoryMode: OUTPUT_MODE }
  replaceFileInPieces(system, path, [Buffer.from([...lines].join(''))], ownership)
}
