/** logq group show */
import { describeGroup, type GroupDescription, type MemberDescription } from '../../lib/consume/group/groups.js'
import { defineCommand } from '../command.js'
import { lagTable } from '../group/lag-table.js'
import type { Io } from '../io.js'
import { partitionText } from '../group/partition-text.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'
import { table } from '../table.js'
import { formatDuration } from '../values/units.js'

export const command = defineCommand({
  name: 'group show',
  summary: 'show members, offsets and lag of a consumer group',
  operands: { group: { label: 'GROUP', meaning: 'The group.', required: true } },
  options: { store: options.store, json: options.jsonLines, quiet: options.quiet, verbose: options.verbose },
  examples: [{ command: 'logq group show billing', meaning: 'Who reads what, and how far behind.' }],
  exits: ['failed', 'corruption'],
  exitNotes: { corruption: 'The committed offsets are damaged; what can be read of them is shown' },
  man: {
    description: [
      "Prints state and generation of a group, its members, and for each partition what is committed and how far behind that is: LAG in records, LAG-BYTES in bytes of the log, LAG-SECONDS as the age of the oldest record that is not committed, by its timestamp. The states are Kafka's: Empty, PreparingRebalance (partitions are handed over), CompletingRebalance (not all members have taken note), Stable.",
      'Of a member it shows machine, process, command, for how long it has been there, and whether it is alive, still (stopped, or on a machine that cannot be asked), dead (and about to be taken out), or away (its partitions wait for it).',
    ],
    seeAlso: ['logq-consume(1)', 'logq-lag(1)'],
  },
  async run(args, io) {
    const store = openForReading(args.options.store, io)
    const description = await describeGroup(store, args.operands.group)
    const lines = args.options.json ? [JSON.stringify(toJson(description))] : render(description, io)
    for (const line of lines) await io.output().writeLine(line)
    for (const problem of description.problems) await io.failItem(problem, undefined, 'corruption')
  },
})

function toJson({ members, ...rest }: GroupDescription): object {
  return {
    ...rest,
    lastCommitMs: rest.lastCommitMs ?? null,
    partitions: rest.partitions.map((lag) => ({
      ...lag,
      currentOffset: lag.currentOffset ?? null,
      member: lag.member ?? null,
      committedAtMs: lag.committedAtMs ?? null,
    })),
    members: members.map(({ file, ...member }) => ({
      ...member,
      ...(file === undefined
        ? {}
        : { host: file.host, pid: file.pid, command: file.command, joined: file.joined, subscription: file.subscription }),
    })),
  }
}

function render({ group, state, generation, assignor, members, partitions }: GroupDescription, io: Io): string[] {
  const nowMs = io.system.clock.nowMs()
  const head = ['CONSUMER-ID', 'HOST', 'PID', 'STATE', 'AGE', 'PARTITIONS', 'COMMAND']
  const rows = members.map((member) => rowOf(member, nowMs))
  return [
    `group       ${group}`,
    `state       ${state}`,
    `generation  ${generation}`,
    `assignor    ${assignor}`,
    '',
    ...(rows.length === 0 ? ['no members'] : table(head, rows, { lastIsText: true })),
    '',
    ...lagTable(partitions),
  ]
}

function rowOf({ member, file, presence, partitions }: MemberDescription, nowMs: number): string[] {
  const joinedMs = Date.parse(file?.joined ?? '')
  const age = Number.isNaN(joinedMs) ? '-' : formatDuration(Math.max(0, Math.floor((nowMs - joinedMs) / 1000) * 1000))
  return [
    member,
    file?.host ?? '-',
    file === undefined ? '-' : String(file.pid),
    presence,
    age,
    partitions.length === 0 ? '-' : partitionText(partitions),
    file?.command ?? '-',
  ]
}
