/**
 * What cron runs (retain, trim, archive, compact, snapshot), killed before each system call that changes something, twice in a row. After
 * each kill the data is as before or as after, segment by segment: no hole, no key that was deleted, no log start that went back; and the
 * next run does the rest and leaves nothing lying about. An even choice of the calls; FAULTS=all for every one.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createNodeSystem, openStore, readRecords } from '../../lib/index.js'
import { copyOf, findingsIn } from '../faults/every-call.js'
import { callsOf, changingCalls, evenly, killedBefore, listing } from '../faults/inject.js'
import { atMost } from '../helpers/at-most.js'
import { straceMissing } from '../helpers/crash-points.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'

const MAX_KILLED = process.env['FAULTS'] === 'all' ? Infinity : 6
const timeoutMs = 120_000
const missing = straceMissing()

interface State {
  /** `OFFSET KEY=VALUE`, as readers get them, the archive included; of a tombstone `OFFSET KEY`. */
  readonly records: readonly string[]
  readonly logStartOffset: number
}

interface Row {
  readonly name: string
  readonly before: string
  /** What a copy of that needs, which lies in another directory. */
  readonly here?: string
  readonly command: string
  /** What is wrong with what a kill left. */
  readonly wrong: (killed: State, before: State, whole: State) => boolean
  /** Run after the last kill, before the command does the rest. */
  readonly beside?: string
  /** In place of the command itself, to do the rest; with what proves that it is done. */
  readonly again?: string
}

const TEN = `logq topic create t segment.bytes=300 index.interval.bytes=60`
const FILL = `seq 20 | sed 's/.*/k&:v&/' | logq produce t -q -K: --batch-bytes 70`

const isPart = (part: readonly string[], all: readonly string[]) => part.every((record) => all.includes(record))
const isSame = (one: readonly string[], other: readonly string[]) => one.join('\n') === other.join('\n')
/** A segment more or less of the oldest, and the rest whole. */
const isNoSuffix = ({ records }: State, before: State, whole: State) =>
  !isSame(records, before.records.slice(before.records.length - records.length)) || !isPart(whole.records, records)
const isOther = ({ records }: State, before: State) => !isSame(records, before.records)

/** The last value of each key that was not deleted. */
function tableOf({ records }: State): string {
  const table = new Map<string, string>()
  for (const record of records) {
    const [, key = '', value] = /^\d+ ([^=]*)(?:=(.*))?$/.exec(record) ?? []
    if (value === undefined) table.delete(key)
    else table.set(key, value)
  }
  return [...table]
    .map((entry) => entry.join('='))
    .sort((a, b) => a.localeCompare(b))
    .join('\n')
}

const rows: readonly Row[] = [
  { name: 'retain', before: `${TEN} && ${FILL}`, command: 'logq retain t -q --max-size 600', wrong: isNoSuffix },
  { name: 'trim', before: `${TEN} && ${FILL}`, command: 'logq trim -y -q t -o 9', wrong: isNoSuffix },
  {
    name: 'archive',
    before: `${TEN} archive.required=true && ${FILL}`,
    here: 'logq topic set t archive.location="$PWD/arch"',
    command: 'logq archive t -q -z gzip',
    wrong: isOther,
    beside: 'logq retain t -q --max-size 1',
    again: 'logq archive t -q -z gzip && logq archive -q --verify arch && logq retain t -q --max-size 1',
  },
  {
    name: 'compact',
    // A pass set the delete horizon of the tombstones; the one that is killed removes them, and values that came since.
    before: `${TEN} cleanup.policy=compact delete.retention.ms=1 && ${FILL} && printf 'k3:\\nk17:\\n' | logq produce t -q -K: --null '' &&
      logq compact t -q --min-dirty 0 --include-active && sleep 0.1 && seq 8 14 | sed 's/.*/k&:w&/' | logq produce t -q -K: --batch-bytes 70`,
    command: 'logq compact t -q --min-dirty 0 --include-active',
    wrong: (killed, before, whole) =>
      !isPart(killed.records, before.records) || !isPart(whole.records, killed.records) || tableOf(killed) !== tableOf(whole),
  },
  {
    name: 'snapshot',
    before: `${TEN} && ${FILL} && logq cat t > all`,
    command: 'logq snapshot t now -q',
    wrong: isOther,
    beside: '[ ! -e store/snapshots/now ] || logq cat -s store/snapshots/now t | cmp - all',
    again:
      '{ [ -e store/snapshots/now ] || logq snapshot t now -q; } && logq cat -s store/snapshots/now t | cmp - all && logq snapshot t later -q',
  },
]

for (const row of rows) {
  test.serial(
    `${row.name}, killed before each change, twice in a row: as before or as after, and the next run does the rest`,
    async (t) => {
      if (missing !== undefined) {
        t.log(`left out: ${missing}`)
        t.pass()
        return
      }
      t.timeout(1_200_000)
      const template = makeCli(t)
      const made = await template.shell(`{ ${row.before}; } > /dev/null`, { timeoutMs })
      t.is(made.status, 0, made.stderr)
      const before = await stateOf(template)
      const first = await copy(t, template, row)
      const done = await first.shell(listing(changingCalls, `${row.command} > /dev/null`), { timeoutMs })
      t.is(done.status, 0, done.stderr)
      const whole = await stateOf(first)
      // Those that need no proof beside are seen to be done by what is gone.
      t.is(isSame(whole.records, before.records), row.again !== undefined)
      const places = callsOf(first).filter(({ isChange }) => isChange)
      const twice = atMost(2)
      const problems = await Promise.all(
        evenly(places, MAX_KILLED).map((place) =>
          twice(async () => {
            const cli = await copy(t, template, row)
            const script = killedBefore(place, `${row.command} > /dev/null`)
            const found = await killed(row, cli, script, before, whole)
            rmSync(cli.directory, { recursive: true, force: true })
            return found.map((problem) => `before ${place.call} ${place.nth} ('${place.path}'): ${problem}`)
          }),
        ),
      )
      t.log(`${problems.length} kills, of ${places.length} calls`)
      t.deepEqual(problems.flat(), [])
      t.true(problems.length > 4)
    },
  )
}

async function copy(t: ExecutionContext, template: Cli, { here = 'true' }: Row): Promise<Cli> {
  const cli = copyOf(t, template)
  const done = await cli.shell(here, { timeoutMs })
  t.is(done.status, 0, done.stderr)
  return cli
}

async function killed(row: Row, cli: Cli, script: string, before: State, whole: State): Promise<string[]> {
  const problems: string[] = []
  let startOffset = 0
  for (const which of ['first', 'second']) {
    const done = await cli.shell(script, { timeoutMs })
    if (which === 'first' && done.status !== 137) problems.push(`not killed: status ${String(done.status)} ${done.stderr}`)
    const state = await stateOf(cli)
    if (row.wrong(state, before, whole)) problems.push(`after the ${which} kill: ${state.records.join()}`)
    if (state.logStartOffset < startOffset)
      problems.push(`the log start went back from ${startOffset} to ${state.logStartOffset}`)
    startOffset = state.logStartOffset
    problems.push(...(await findingsIn(cli)))
  }
  for (const [what, line] of [
    ['beside it', row.beside ?? 'true'],
    ['the rest', row.again ?? row.command],
  ] as const) {
    const done = await cli.shell(`{ ${line}; } > /dev/null`, { timeoutMs })
    if (done.status !== 0) problems.push(`${what}: status ${String(done.status)} ${done.stderr}`)
    const state = await stateOf(cli)
    if (row.wrong(state, before, whole)) problems.push(`${what}: ${state.records.join()}`)
    if (state.logStartOffset < startOffset) problems.push(`${what}: the log start went back`)
  }
  const end = await stateOf(cli)
  if (!isSame(end.records, whole.records)) problems.push(`not done: ${end.records.join()}`)
  return [...problems, ...(await findingsIn(cli)), ...litterIn(cli)]
}

async function stateOf(cli: Cli): Promise<State> {
  const records: string[] = []
  for await (const { offset, key, value } of readRecords(openStore(createNodeSystem(), cli.store), 't')) {
    const text = `${offset} ${Buffer.from(key ?? []).toString()}`
    records.push(value === null ? text : `${text}=${Buffer.from(value).toString()}`)
  }
  const path = join(cli.store, 't-0', 'log-start-offset')
  const logStartOffset = existsSync(path) ? Number(readFileSync(path, 'utf8').split(' ')[1]) : 0
  return { records, logStartOffset }
}

/**
 * What is neither data nor a file that has its place. Small files that were being replaced (`.tmp-…`) are left in the store to the next
 * change of a topic, and in a partition to the next recovery (format-spec/store.md).
 */
function litterIn(cli: Cli): string[] {
  return ['store', 'store/topics', 'store/t-0', 'store/snapshots', ...archiveFolders(cli)]
    .filter((path) => existsSync(join(cli.directory, path)))
    .flatMap((path) => readdirSync(join(cli.directory, path)).map((name) => `${path}/${name}`))
    .filter((path) => /\/([.].*|cleaner)$/.test(path) && !/^store\/(t-0\/)?[.]tmp-/.test(path))
    .map((path) => `litter: ${path}`)
}

function archiveFolders(cli: Cli): string[] {
  const top = join(cli.directory, 'arch', 't')
  return existsSync(top) ? readdirSync(top).map((topicId) => `arch/t/${topicId}/0`) : []
}
