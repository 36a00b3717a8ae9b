/**
 * The matrix of faults and commands: one call of a command fails, with an error that such a call can have; then the store has to go on
 * by itself, or after the `fsck --repair` that a message named.
 */
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import {
  checkPartition,
  checkTopicFiles,
  createNodeSystem,
  getTopic,
  listTopics,
  openStore,
  readRecords,
} from '../../lib/index.js'
import { atMost } from '../helpers/at-most.js'
import { makeCli, type Cli, type Finished } from '../helpers/run-cli.js'
import { callsOf, changingCalls, failing, injected, listing, lookingCalls, type CallPlace, type FaultyCall } from './inject.js'

export interface Row {
  readonly name: string
  /** A script that makes what stands before the command. */
  readonly before?: string
  readonly command: string
  /** Exits 0 when the command has done its work: what status 0 promises. */
  readonly isDone?: string
  /** Finishes the work, or finds it done, when the fault is gone. Without it the next produce is all that has to work. */
  readonly again?: string
  /** Besides 0 (the fault did not matter) and 1. */
  readonly statuses?: readonly number[]
  /** The command changes nothing. */
  readonly isReading?: boolean
  /** Offsets are missing on purpose. */
  readonly hasGaps?: boolean
}

const timeoutMs = 60_000

const TOPIC = 'logq topic create t segment.bytes=300 index.interval.bytes=60 && seq 5 | logq produce t --batch-bytes 70'
const PRODUCE = 'logq produce t in --batch-bytes 70 --print-offsets'

export const rows: readonly Row[] = [
  { name: 'produce', before: TOPIC, command: PRODUCE },
  { name: 'a first produce', command: PRODUCE },
  {
    name: 'recovery of a torn tail',
    before: `${TOPIC}; echo 6 | LOGQ_FAILPOINT=append.after-write=kill logq produce t; truncate -s -3 $(ls store/t-0/*.log | tail -n 1)`,
    command: PRODUCE,
  },
  {
    name: 'topic create',
    before: TOPIC,
    command: 'logq topic create new --partitions 2',
    isDone: 'test -e store/topics/new.json -a -e store/new-1/lock',
    again: 'logq topic create new --partitions 2 || logq topic show new',
  },
  {
    name: 'topic set',
    before: TOPIC,
    command: 'logq topic set t retention.ms=1d',
    isDone: 'grep -q 86400000 store/topics/t.json',
    again: 'logq topic set t retention.ms=1d',
  },
  {
    name: 'topic add-partitions',
    before: TOPIC,
    command: 'logq topic add-partitions t 2',
    isDone: 'test -e store/t-1/lock',
    again: 'logq topic add-partitions t 2 || test -e store/t-1/lock',
  },
  {
    name: 'topic rm',
    before: `${TOPIC}; seq 3 | logq produce new`,
    command: 'logq topic rm -y new',
    isDone: '! ls -A store store/topics | grep "new\\|removed"',
    again: 'logq topic rm -y new; logq topic create later && ! ls -A store store/topics | grep new',
  },
  {
    name: 'fsck --repair',
    before: `${TOPIC}; printf x | dd of=store/t-0/00000000000000000000.log conv=notrunc bs=1 seek=100 status=none`,
    command: 'logq fsck --repair',
    again: 'logq fsck --repair > repaired; test $? = 0 -o $? = 5',
    statuses: [5],
    hasGaps: true,
  },
  ...(
    [
      ['cat', 'logq cat t'],
      ['tail', 'logq tail -n 3 t'],
      ['get', 'logq get t:0@3'],
      ['export --to', 'logq export t --to ndjson'],
      ['dump', 'logq dump t'],
      ['du', 'logq du'],
      ['stat', 'logq stat t'],
      ['fsck', 'logq fsck'],
    ] as const
  ).map(([name, command]) => ({ name, command, before: TOPIC, isReading: true, statuses: [5] })),
  {
    name: 'export --kafka',
    before: TOPIC,
    command: 'logq export --kafka t out',
    isDone: 'cmp out/t-0/00000000000000000000.log store/t-0/00000000000000000000.log',
    again: 'rm -rf out; logq export --kafka t out',
  },
]

/** The errors that a call can have; a row takes them in turn. */
const CODES: Readonly<Record<FaultyCall, readonly string[]>> = {
  openat: ['EACCES', 'EMFILE', 'EIO', 'EROFS', 'ENOSPC', 'ENOMEM'],
  pwrite64: ['ENOSPC', 'EIO', 'EDQUOT', 'ENOMEM'],
  fdatasync: ['EIO', 'ENOSPC', 'EDQUOT'],
  fsync: ['EIO', 'ENOSPC', 'EDQUOT'],
  ftruncate: ['EIO', 'EROFS', 'EACCES'],
  rename: ['ENOSPC', 'EIO', 'EDQUOT', 'EROFS', 'EACCES', 'ENOMEM'],
  mkdir: ['ENOSPC', 'EACCES', 'EDQUOT', 'EROFS', 'EIO', 'ENOMEM'],
  unlink: ['EIO', 'EROFS', 'EACCES'],
  rmdir: ['EIO', 'EROFS', 'EACCES'],
  pread64: ['EIO', 'ENOMEM'],
  getdents64: ['EIO', 'ENOMEM'],
}

/** At most so many calls of one name are tried in a row, evenly spread: opens and reads are many, and much alike. */
const MAX_CALLS: Readonly<Partial<Record<FaultyCall, number>>> = { openat: 5, pread64: 5, getdents64: 3, pwrite64: 20 }

export interface Matrix {
  readonly tried: number
  readonly callCount: number
  /** What was wrong, in all cells. */
  readonly problems: readonly string[]
}

/** Every cell of a row, two at a time. */
export async function everyCall(t: ExecutionContext, row: Row): Promise<Matrix> {
  const template = makeCli(t)
  await template.shell(`seq 101 104 > in; seq 201 203 > next; ${row.before ?? 'true'}`, { timeoutMs })
  const before = await recordsIn(template)
  const first = copyOf(t, template)
  const whole = await first.shell(listing(row.isReading === true ? lookingCalls : changingCalls, row.command), { timeoutMs })
  t.true([0, ...(row.statuses ?? [])].includes(whole.status ?? -1), `${row.name}: ${whole.stderr}`)
  const calls = callsOf(first)
  const cells = chosen(calls)
  const twice = atMost(2)
  const problems = await Promise.all(
    cells.map(({ place, code }) =>
      twice(async () => {
        const cell: Cell = {
          t,
          row,
          template,
          before,
          whole: sameOf(whole.stdout.toString(), first),
          place,
          code,
          problems: [],
        }
        await oneCell(cell)
        return cell.problems.map((problem) => `${code} from ${place.call} ${place.nth} ('${place.path}'): ${problem}`)
      }),
    ),
  )
  return { tried: cells.length, callCount: calls.length, problems: problems.flat() }
}

function chosen(calls: readonly CallPlace[]): { place: CallPlace; code: string }[] {
  return [...new Set(calls.map(({ call }) => call))].flatMap((name) => {
    const places = calls.filter(({ call }) => call === name)
    const step = Math.max(1, places.length / (MAX_CALLS[name] ?? places.length))
    return places
      .filter((_, n) => n === 0 || Math.floor(n / step) > Math.floor((n - 1) / step))
      .map((place, n) => ({ place, code: CODES[name][n % CODES[name].length] ?? 'EIO' }))
  })
}

interface Cell {
  readonly t: ExecutionContext
  readonly row: Row
  readonly template: Cli
  readonly before: readonly string[]
  /** What the command prints without a fault. */
  readonly whole: string
  readonly place: CallPlace
  readonly code: string
  readonly problems: string[]
}

async function oneCell({ t, row, template, before, whole, place, code, problems }: Cell): Promise<void> {
  const cli = copyOf(t, template)
  const done = await cli.shell(failing(place, code, row.command), { timeoutMs })
  const printed = done.stdout.toString()
  const acknowledged = printed.split('\n').filter((line) => line.startsWith('t:'))
  if (injected(cli).length === 0) problems.push('no such call')
  if (![0, 1, ...(row.statuses ?? [])].includes(done.status ?? -1))
    problems.push(`status ${String(done.status)}: ${done.stderr}`)
  if (done.status === 1) problems.push(...badMessage(done))
  if (row.isReading === true) {
    if (done.status === 0 && sameOf(printed, cli) !== whole)
      problems.push(`status 0, and another output: ${printed}${done.stderr}`)
    if ((await recordsIn(cli)).join() !== before.join()) problems.push('other records than before')
  } else {
    if (done.status === 0 && row.command === PRODUCE && acknowledged.length !== 4) problems.push(`status 0 for ${printed}`)
    if (done.status === 0 && row.isDone !== undefined && (await cli.shell(row.isDone)).status !== 0)
      problems.push(`status 0, and not done: ${printed}${done.stderr}`)
    problems.push(...(await goesOn(row, cli, done)), ...(await notKept(row, cli, before, acknowledged)))
  }
  rmSync(cli.directory, { recursive: true, force: true })
}

/** Without what every copy has of its own. `dump` says `?` where it could not look whether a state block agrees with the log. */
function sameOf(output: string, { directory }: Cli): string {
  return output
    .replaceAll(directory, '')
    .replaceAll(/ inode=\d+/g, '')
    .replaceAll(/ matchesLog=(\?|false)/g, ' matchesLog=false')
}

/** The fault is gone: the next commands work, if need be after the repair that a message named. */
async function goesOn(row: Row, cli: Cli, { stderr }: Finished): Promise<string[]> {
  const produce = 'logq produce t next'
  const again = `{ ${row.again ?? 'true'}; } > again 2>&1 || { cat again; exit 9; }`
  let next = await cli.shell(`${again}; ${produce}`, { timeoutMs })
  if (next.status !== 0 && (stderr + next.stderr).includes('fsck --repair'))
    next = await cli.shell(`logq fsck --repair > repaired; ${again}; ${produce}`, { timeoutMs })
  return next.status === 0 ? [] : [`${stderr}, and then: ${next.stdout.toString()}${next.stderr}`]
}

/** What was there and what was acknowledged still is, each at one offset without gaps; and nothing is left lying about. */
async function notKept(row: Row, cli: Cli, before: readonly string[], acknowledged: readonly string[]): Promise<string[]> {
  const problems: string[] = []
  const after = await recordsIn(cli)
  const places = after.map((line) => line.slice(0, line.indexOf(' ')))
  const lost = [...before.filter((line) => !after.includes(line)), ...acknowledged.filter((place) => !places.includes(place))]
  if (lost.length > 0) problems.push(`lost: ${lost.join()}`)
  if (new Set(places).size !== places.length) problems.push(`an offset twice: ${places.join()}`)
  if (after.filter((line) => / 20[123]$/.test(line)).length !== 3) problems.push(`after the next produce: ${after.join()}`)
  for (const partition of new Set(places.map((place) => place.slice(0, place.indexOf('@'))))) {
    const own = places.filter((place) => place.startsWith(`${partition}@`))
    if (row.hasGaps !== true && own.some((place, n) => place !== `${partition}@${n}`)) problems.push(`gaps: ${own.join()}`)
  }
  const litter = ['store', 'store/topics', 'store/t-0'].flatMap((path) =>
    readdirSync(join(cli.directory, path)).filter((name) => /^[.](tmp|removed)/.test(name)),
  )
  return [...problems, ...(await findingsIn(cli)), ...litter.map((name) => `litter: ${name}`)]
}

function copyOf(t: ExecutionContext, template: Cli): Cli {
  const cli = makeCli(t)
  for (const name of ['store', 'in', 'next']) {
    const path = join(template.directory, name)
    if (existsSync(path)) cpSync(path, join(cli.directory, name), { recursive: true })
  }
  return cli
}

/** `TOPIC:PARTITION@OFFSET VALUE`, of all records of topic t that can be read. */
async function recordsIn(cli: Cli): Promise<string[]> {
  if (!existsSync(join(cli.store, 'topics', 't.json'))) return []
  const records: string[] = []
  const store = openStore(createNodeSystem(), cli.store)
  for await (const { partition, offset, value } of readRecords(store, 't', { onDamage: () => undefined }))
    records.push(`t:${partition}@${offset} ${Buffer.from(value ?? []).toString()}`)
  return records
}

/** Damage and caches that are wrong; notes are for nobody to act on. */
async function findingsIn(cli: Cli): Promise<string[]> {
  const store = openStore(createNodeSystem(), cli.store)
  const findings = await checkTopicFiles(store)
  for (const topic of listTopics(store)) {
    for (let partition = 0; partition < getTopic(store, topic).partitions; partition += 1)
      findings.push(...(await checkPartition(store, topic, partition)).findings)
  }
  return findings.filter(({ kind }) => kind !== 'note').map((finding) => JSON.stringify(finding))
}

/** What is wrong with how a command spoke of a failure: it has to name something, and to say the next step. */
function badMessage({ stderr }: Finished): string[] {
  if (/unexpected error|node:internal|LOGQ_[A-Z]|undefined/.test(stderr)) return [`not a message for people: ${stderr}`]
  if (!/^logq [a-z -]+: .*'[^']+'/m.test(stderr)) return [`nothing is named: ${stderr}`]
  if (!/^ {2}hint: [a-z].*[^.]$/m.test(stderr)) return [`no next step: ${stderr}`]
  return []
}
