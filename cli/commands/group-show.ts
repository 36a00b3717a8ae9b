/** logq group show */
import { describeGroup, type GroupDescription, type MemberDescription } from '../../lib/consume/group/groups.js'
import { defineCommand } from '../command.js'
import { lagTableOfGroup } from '../group/lag-table.js'
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
      "Prints state and generation of a group, its members, and for each partition what is committed and how far behind that is: LAG in records, BYTES in bytes of the log, SECONDS as the age of the oldest record that is not committed, by its timestamp. The states are Kafka's: Empty, PreparingRebalance (partitions are handed over), CompletingRebalance (not all members have taken note), Stable.",
      'Of a member it shows machine, process, command, for how long it has been there, and whether it is alive, still (stopped, or on a machine that cannot be asked), dead (and about to be taken out), or away (its partitions wait for it). CONSUMER-ID is short for the id of the member, which **-J** gives as a whole.',
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
  const names = new Map(members.map((one) => [one.member, shortName(one)]))
  const rows = members.map((member) => rowOf(member, nowMs))
  return [
    `group       ${group}`,
    `state       ${state}`,
    `generation  ${generation}`,
    `assignor    ${assignor}`,
    '',
    ...(rows.length === 0 ? ['no members'] : table(head, rows, { lastIsText: true, isNarrow: true })),
    '',
    ...lagTableOfGroup(partitions, (member) => names.get(member) ?? member),
  ]
}

/** Its digits, which no other has; host and process stand beside them. One that has a name is called by it. */
function shortName({ member, file }: MemberDescription): string {
  return file !== undefined && member.includes(`-${file.pid}-`) ? member.slice(member.lastIndexOf('-') + 1) : member
}

function rowOf(description: MemberDescription, nowMs: number): string[] {
  const { file, presence, partitions } = description
  const joinedMs = Date.parse(file?.joined ?? '')
  const age = Number.isNaN(joinedMs) ? '-' : formatDuration(Math.max(0, Math.floor((nowMs - joinedMs) / 1000) * 1000))
  return [
    shortName(description),
    file?.host ?? '-',
    file === undefined ? '-' : String(file.pid),
    presence,
    age,
    partitions.length === 0 ? '-' : partitionText(partitions),
    file?.command ?? '-',
  ]
}
