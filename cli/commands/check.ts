/** logq check: one topic as a monitoring system wants to know it: well, critical or unknown. */
import { groupLag, type PartitionLag } from '../../lib/consume/group/lag.js'
import { newestRecordMs } from '../../lib/inspect/newest-record.js'
import { listGroups } from '../../lib/store/group/group-paths.js'
import type { Store } from '../../lib/store/store.js'
import { getTopic } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { describeError, usageError } from '../errors.js'
import type { ExitStatus } from '../exit-status.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'
import { bytesOf, parseFreeSpace, type FreeSpace } from '../values/free-space.js'
import { formatDuration, roundSize } from '../values/units.js'

export const command = defineCommand({
  name: 'check',
  summary: 'check a topic for a monitoring system',
  operands: { topic: { label: 'TOPIC', meaning: 'The topic.', required: true } },
  options: {
    store: options.store,
    maxLag: {
      kind: 'integer',
      valueName: 'N',
      meaning: 'Critical when a group is more than so many records behind in any partition.',
    },
    maxAge: {
      kind: 'duration',
      valueName: 'DURATION',
      meaning: 'Critical when the newest record is older, or when there is none.',
    },
    minFree: {
      kind: 'parsed',
      valueName: 'SIZE',
      parse: parseFreeSpace,
      meaning:
        'Critical when the file system of the store has less free for this user. A size such as 10GiB, or a share such as 5%.',
    },
    group: { kind: 'list', letter: 'g', valueName: 'GROUP', meaning: 'For **--max-lag**: only this group.' },
    quietOk: { kind: 'flag', meaning: 'Print nothing when all is well.' },
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    {
      command: 'logq check orders --max-lag 1000 --max-age 5m --min-free 5%',
      meaning: 'One line, and status 0, 2 or 3, for Nagios, Icinga and their kin.',
    },
    {
      command: 'logq check orders --max-age 1h --quiet-ok',
      meaning: 'For cron: a line, and so a mail, when nothing arrives any more.',
    },
  ],
  exits: ['noMatch'],
  exitNotes: {
    done: 'All that was asked for is well',
    usage: 'Critical: **--max-lag** or **--max-age** is exceeded, or less than **--min-free** is free',
    noMatch: 'Unknown: it could not be found out, or the command line is wrong',
  },
  monitoringOptions: 'always',
  man: {
    description: [
      'A plug-in for monitoring systems: prints one line, CHECK OK, CHECK CRITICAL or CHECK UNKNOWN, what was found, and behind a | the figures as performance data (lag in records, age in seconds, free in bytes). The exit status is 0, 2 or 3; there are no warnings, for which **logq lag --warn** is there, and a limit that is just reached is no trouble yet. At least one of **--max-lag**, **--max-age** and **--min-free** is needed.',
      'The lag is that of the group and partition that is furthest behind. A topic that no group reads, or that a group named with **-g** does not, is unknown.',
      'The age counts from the latest timestamp in the topic, or from the time at which its file was written, whichever is earlier: timestamps in the future make nothing look alive. Works on a log directory of Kafka too, except for groups.',
    ],
    seeAlso: ['logq-lag(1)', 'logq-du(1)', 'logq-topic(1)'],
  },
  async run(args, io) {
    const { options: given } = args
    const { maxLag, maxAge, minFree, group } = given
    if (maxLag === undefined && maxAge === undefined && minFree === undefined)
      throw usageError('there is nothing to check', 'give --max-lag, --max-age or --min-free')
    if (group.length > 0 && maxLag === undefined) throw usageError('-g needs --max-lag', 'it chooses whose lag is looked at')
    const line = (text: string) => io.output().writeLine(text)
    let findings: readonly Finding[]
    try {
      findings = await look(openForReading(given.store, io), args.operands.topic, given, io)
    } catch (error) {
      await line(`CHECK UNKNOWN - ${plain(describeError(error).message)}`)
      return 'noMatch'
    }
    const status = statusOf(findings)
    if (status === 'OK' && given.quietOk) return 'done'
    const figures = findings.flatMap(({ figure }) => figure ?? [])
    const data = figures.length === 0 ? '' : ` | ${figures.join(' ')}`
    await line(`CHECK ${status} - ${findings.map(({ text }) => plain(text)).join('; ')}${data}`)
    return exitStatuses[status]
  },
})

type Status = 'OK' | 'CRITICAL' | 'UNKNOWN'

const exitStatuses = { OK: 'done', CRITICAL: 'usage', UNKNOWN: 'noMatch' } as const satisfies Record<Status, ExitStatus>

interface Finding {
  readonly status: Status
  readonly text: string
  /** As plug-ins write performance data: label=value[unit];warn;crit;minimum;maximum. */
  readonly figure?: string
}

interface Limits {
  readonly maxLag: number | undefined
  readonly maxAge: number | undefined
  readonly minFree: FreeSpace | undefined
  readonly group: readonly string[]
}

/** What is critical outweighs what is not known. */
function statusOf(findings: readonly Finding[]): Status {
  return (['CRITICAL', 'UNKNOWN'] as const).find((status) => findings.some((finding) => finding.status === status)) ?? 'OK'
}

async function look(store: Store, topic: string, { maxLag, maxAge, minFree, group }: Limits, io: Io): Promise<Finding[]> {
  getTopic(store, topic)
  const findings: Finding[] = []
  if (maxLag !== undefined) findings.push(await lagFinding(store, topic, group, maxLag, io.signal))
  if (maxAge !== undefined) findings.push(ageFinding(newestRecordMs(store, topic), maxAge, io.system.clock.nowMs()))
  if (minFree !== undefined) findings.push(freeFinding(store, minFree))
  return findings
}

async function lagFinding(
  store: Store,
  topic: string,
  groups: readonly string[],
  maxLag: number,
  signal: AbortSignal,
): Promise<Finding> {
  let worst: PartitionLag | undefined
  for (const group of groups.length > 0 ? groups : listGroups(store)) {
    const lags = (await groupLag(store, group, signal)).filter((lag) => lag.topic === topic)
    if (lags.length === 0 && groups.length > 0) return { status: 'UNKNOWN', text: `group '${group}' does not read '${topic}'` }
    for (const lag of lags) if (worst === undefined || lag.lagRecords > worst.lagRecords) worst = lag
  }
  if (worst === undefined) return { status: 'UNKNOWN', text: `no group reads '${topic}'` }
  const { group, partition, lagRecords } = worst
  const isTooFar = lagRecords > maxLag
  return {
    status: isTooFar ? 'CRITICAL' : 'OK',
    text: `${group} is ${lagRecords} records behind in ${topic}:${partition}${isTooFar ? ` (at most ${maxLag})` : ''}`,
    figure: `lag=${lagRecords};;${maxLag};0`,
  }
}

function ageFinding(newestMs: number | undefined, maxAge: number, nowMs: number): Finding {
  if (newestMs === undefined) return { status: 'CRITICAL', text: 'there is no record' }
  const ageMs = Math.max(0, nowMs - newestMs)
  const isTooOld = ageMs > maxAge
  return {
    status: isTooOld ? 'CRITICAL' : 'OK',
    text: `the newest record is ${ageMs / 1000} s old${isTooOld ? ` (at most ${formatDuration(maxAge)})` : ''}`,
    figure: `age=${ageMs / 1000}s;;${maxAge / 1000};0`,
  }
}

function freeFinding({ system: { fs }, path }: Store, minFree: FreeSpace): Finding {
  const freeBytes = fs.freeBytes(path)
  const totalBytes = fs.totalBytes(path)
  const leastBytes = bytesOf(minFree, totalBytes)
  const isTooLittle = freeBytes < leastBytes
  return {
    status: isTooLittle ? 'CRITICAL' : 'OK',
    text: `${roundSize(freeBytes)} are free${isTooLittle ? ` (at least ${minFree.text})` : ''}`,
    figure: `free=${freeBytes}B;;${leastBytes}:;0;${totalBytes}`,
  }
}

/** A | begins the figures, and there is one line. */
function plain(text: string): string {
  return text.replaceAll('|', '/').replaceAll(/[\r\n]+/g, ' ')
}
