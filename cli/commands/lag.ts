/** logq lag: how far groups are behind; with thresholds, as a monitoring plug-in. */
import { groupLag, type PartitionLag } from '../../lib/consume/group/lag.js'
import { listGroups } from '../../lib/store/group/group-paths.js'
import type { Store } from '../../lib/store/store.js'
import { defineCommand } from '../command.js'
import { describeError, usageError } from '../errors.js'
import type { ExitStatus } from '../exit-status.js'
import { lagJson, lagTable } from '../group/lag-table.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'

export const command = defineCommand({
  name: 'lag',
  summary: 'show how far consumer groups are behind',
  operands: {},
  options: {
    store: options.store,
    group: { kind: 'list', letter: 'g', valueName: 'GROUP', meaning: 'Only this group.' },
    warn: { kind: 'integer', valueName: 'N', meaning: 'Monitoring: exit with 1 when any partition is so many records behind.' },
    crit: { kind: 'integer', valueName: 'N', meaning: 'Monitoring: exit with 2 when any partition is so many records behind.' },
    quietOk: { kind: 'flag', meaning: 'Monitoring: print nothing when all is well.' },
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq lag', meaning: 'All groups.' },
    { command: "logq lag -J | jq -s 'map(.lagRecords) | add'", meaning: 'Records that are before any group.' },
    {
      command: 'logq lag -g billing --warn 1000 --crit 10000',
      meaning: 'For a monitoring system: one line, and status 0, 1 or 2.',
    },
  ],
  exits: ['failed', 'noMatch', 'corruption'],
  exitNotes: {
    failed: 'Failed; monitoring: **--warn** is reached',
    usage: 'Usage; monitoring: **--crit** is reached',
    noMatch: 'Monitoring: the lag is not known, or the command line is wrong',
  },
  monitoringOptions: ['warn', 'crit'],
  man: {
    description: [
      'Prints for each partition of each group what is committed and how far behind that is: LAG in records, LAG-BYTES in bytes of the log, LAG-SECONDS as the age of the oldest record that is not committed, by its timestamp: 0 when there is none, and never negative. What has no committed offset counts from the start of the log.',
      'With **--warn** or **--crit** it is a plug-in for monitoring systems: one line on standard output, and the exit status 0 (well), 1 (warning), 2 (critical) or 3 (unknown: the groups could not be read, or the command line is wrong).',
    ],
    seeAlso: ['logq-group(1)', 'logq-consume(1)'],
  },
  async run(args, io) {
    const { options: given } = args
    const { warn, crit, json } = given
    if (warn !== undefined || crit !== undefined) {
      if (json) throw usageError('-J does not go with --warn and --crit', 'a plug-in prints one line')
      if (warn !== undefined && crit !== undefined && crit < warn)
        throw usageError(
          `--crit ${crit} is below --warn ${warn}`,
          'what is critical is a larger lag than what is worth a warning',
        )
      return await monitor(given, io)
    }
    if (given.quietOk) throw usageError('--quiet-ok needs --warn or --crit', 'it is for monitoring systems')
    let failures = 0
    const lags = await readLags(openForReading(given.store, io), given.group, io.signal, async (error) => {
      failures += 1
      await io.failWith(error)
    })
    if (lags.length === 0 && failures > 0) return undefined
    for (const line of json ? lags.map(lagJson) : lagTable(lags)) await io.output().writeLine(line)
    return undefined
  },
})

/** With `onError`, a group that cannot be read hides no other one. */
async function readLags(
  store: Store,
  groups: readonly string[],
  signal: AbortSignal,
  onError?: (error: unknown) => Promise<void>,
): Promise<PartitionLag[]> {
  const lags: PartitionLag[] = []
  for (const group of groups.length > 0 ? groups : listGroups(store)) {
    try {
      lags.push(...(await groupLag(store, group, signal)))
    } catch (error) {
      if (onError === undefined) throw error
      await onError(error)
    }
  }
  return lags
}

interface Monitored {
  readonly store: string | undefined
  readonly group: readonly string[]
  readonly warn: number | undefined
  readonly crit: number | undefined
  readonly quietOk: boolean
}

/** One line, and a status by the rules of monitoring plug-ins. */
async function monitor({ store, group, warn, crit, quietOk }: Monitored, io: Io): Promise<ExitStatus> {
  let lags: PartitionLag[]
  try {
    lags = await readLags(openForReading(store, io), group, io.signal)
  } catch (error) {
    await io.output().writeLine(`LAG UNKNOWN - ${describeError(error).message}`)
    return 'noMatch'
  }
  const worst = lags.reduce<PartitionLag | undefined>(
    (most, lag) => (lag.lagRecords > (most?.lagRecords ?? -1) ? lag : most),
    undefined,
  )
  const largest = worst?.lagRecords ?? 0
  const status = crit !== undefined && largest >= crit ? 'CRITICAL' : warn !== undefined && largest >= warn ? 'WARNING' : 'OK'
  if (status === 'OK' && quietOk) return 'done'
  const where =
    worst === undefined ? 'no partitions' : `${worst.group} is ${largest} records behind in ${worst.topic}:${worst.partition}`
  await io.output().writeLine(`LAG ${status} - ${where} | lag=${largest};${warn ?? ''};${crit ?? ''};0`)
  return status === 'CRITICAL' ? 'usage' : status === 'WARNING' ? 'failed' : 'done'
}
