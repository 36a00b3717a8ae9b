/**
 * The matrix of faults and commands: one call of a command fails, with an error that such a call can have, or all do from one on; then
 * the store has to go on by itself, or after the `fsck --repair` that a message named. Or the command is killed before a call, and the
 * next one has to go on by itself.
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
import {
  callsOf,
  changingCalls,
  evenly,
  failing,
  failingFrom,
  injected,
  killedBefore,
  listing,
  lookingCalls,
  type CallPlace,
  type FaultyCall,
} from './inject.js'
import { PRODUCE, type Row } from './rows.js'

const timeoutMs = 60_000

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

/** A device that takes no more, and one that is gone. Node.js opens files for itself: opens do not fail for good. */
const LASTING: readonly (readonly [code: string, names: readonly FaultyCall[]])[] = [
  ['ENOSPC', ['pwrite64', 'mkdir', 'rename']],
  ['EIO', ['pwrite64', 'fdatasync', 'fsync', 'ftruncate', 'mkdir', 'rename', 'unlink', 'rmdir']],
]

/** Places that are tried of a row where each costs several commands; FAULTS=all tries every one. */
const MAX_LASTING = process.env['FAULTS'] === 'all' ? Infinity : 4
const MAX_KILLED = process.env['FAULTS'] === 'all' ? Infinity : 10

export type Mode = 'each call fails' | 'all calls fail from one on' | 'killed before a call'

export interface Matrix {
  readonly tried: number
  readonly callCount: number
  /** What was wrong, in all cells. */
  readonly problems: readonly string[]
}

/** Every cell of a row, two at a time. */
export async function everyCall(t: ExecutionContext, row: Row, mode: Mode = 'each call fails'): Promise<Matrix> {
  const template = makeCli(t)
  await template.shell(`seq 101 104 > in; seq 201 203 > next; ${row.before ?? 'true'}`, { timeoutMs })
  const before = await recordsIn(template)
  const first = copyOf(t, template)
  const done = await first.shell(listing(row.isReading === true ? lookingCalls : changingCalls, row.command), { timeoutMs })
  t.true([0, ...(row.statuses ?? [])].includes(done.status ?? -1), `${row.name}: ${done.stderr}`)
  const calls = callsOf(first)
  const whole = sameOf(done.stdout.toString(), first)
  const twice = atMost(2)
  const troubles = troublesOf(row, mode, calls)
  const problems = await Promise.all(
    troubles.map((trouble) =>
      twice(async () => {
        const cell: Cell = { t, row, template, before, whole, trouble, problems: [] }
        await (trouble.kills ? killedCell(cell) : failingCell(cell))
        return cell.problems.map((problem) => `${trouble.name}: ${problem}`)
      }),
    ),
  )
  return { tried: troubles.length, callCount: calls.length, problems: problems.flat() }
}

/** What goes wrong in a cell. */
interface Trouble {
  readonly name: string
  readonly script: string
  readonly kills: boolean
}

function troublesOf({ command }: Row, mode: Mode, calls: readonly CallPlace[]): Trouble[] {
  const changes = calls.filter(({ isChange }) => isChange)
  const at = ({ call, nth, path }: CallPlace) => `${call} ${nth} ('${path}')`
  if (mode === 'killed before a call') {
    return evenly(changes, MAX_KILLED).map((place) => ({
      name: `killed before ${at(place)}`,
      script: killedBefore(place, command),
      kills: true,
    }))
  }
  if (mode === 'all calls fail from one on') {
    return LASTING.flatMap(([code, names]) => {
      const places = calls.filter(({ call }) => names.includes(call))
      return evenly(places, MAX_LASTING).map((place) => ({
        name: `${code} from ${at(place)} on`,
        script: failingFrom(calls, place, names, code, command),
        kills: false,
      }))
    })
  }
  return [...new Set(calls.map(({ call }) => call))].flatMap((name) => {
    const places = calls.filter(({ call }) => call === name)
    return evenly(places, MAX_CALLS[name] ?? places.length).map((place, n) => {
      const code = CODES[name][n % CODES[name].length] ?? 'EIO'
      return { name: `${code} from ${at(place)}`, script: failing(place, code, command), kills: false }
    })
  })
}

interface Cell {
  readonly t: ExecutionContext
  readonly row: Row
  readonly template: Cli
  readonly before: readonly string[]
  /** What the command prints without a fault. */
  readonly whole: string
  readonly trouble: Trouble
  readonly problems: string[]
}

/** Killed twice in a row, so that what goes on is killed as well; then the next command does the rest. */
async function killedCell({ t, row, template, before, trouble, problems }: Cell): Promise<void> {
  const cli = copyOf(t, template)
  const killed = await cli.shell(trouble.script, { timeoutMs })
  if (killed.status !== 137 && row.isTimed !== true)
    problems.push(`not killed: status ${String(killed.status)} ${killed.stderr}`)
  await cli.shell(trouble.script, { timeoutMs })
  problems.push(...(await goesOn(row, cli, '')), ...(await notKept(row, cli, before, [])))
  const quarantine = join(cli.store, 't-0', 'quarantine')
  const copies = existsSync(quarantine) ? readdirSync(quarantine) : []
  if (copies.length > MAX_COPIES) problems.push(`${copies.length} copies in quarantine: ${copies.join()}`)
  rmSync(cli.directory, { recursive: true, force: true })
}

/** One for each of the three that rewrote the segment. */
const MAX_COPIES = 3

async function failingCell({ t, row, template, before, whole, trouble, problems }: Cell): Promise<void> {
  const cli = copyOf(t, template)
  const done = await cli.shell(trouble.script, { timeoutMs })
  const printed = done.stdout.toString()
  const acknowledged = printed.split('\n').filter((line) => line.startsWith('t:'))
  if (injected(cli).length === 0 && row.isTimed !== true) problems.push('no such call')
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
    problems.push(...(await goesOn(row, cli, done.stderr)), ...(await notKept(row, cli, before, acknowledged)))
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

/** The fault is gone: the next commands work, if need be after the repair that a message named; a kill has no message. */
async function goesOn(row: Row, cli: Cli, stderr: string): Promise<string[]> {
  const produce = 'logq produce t next'
  const again = `{ ${row.again ?? 'true'}; } > again 2>&1 || { cat again; exit 9; }`
  let next = await cli.shell(`${again}; ${produce}`, { timeoutMs })
  if (next.status !== 0 && stderr !== '' && (stderr + next.stderr).includes('fsck --repair'))
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
    readdirSync(join(cli.directory, path)).filter((name) => /^[.](tmp|removed|import)/.test(name)),
  )
  return [...problems, ...(await findingsIn(cli)), ...litter.map((name) => `litter: ${name}`)]
}

export function copyOf(t: ExecutionContext, template: Cli): Cli {
  const cli = makeCli(t)
  for (const name of readdirSync(template.directory)) {
    if (!name.startsWith('.')) cpSync(join(template.directory, name), join(cli.directory, name), { recursive: true })
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
export async function findingsIn(cli: Cli): Promise<string[]> {
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
