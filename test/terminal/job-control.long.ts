/**
 * ^Z and fg on a real pseudo-terminal, typed into a shell with job control: `script` of util-linux makes the terminal. A member that was
 * stopped for longer than its session timeout is put out and joins anew, and nothing that it was given before is committed after that.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeCli, type Cli, type Running } from '../helpers/run-cli.js'
import { processState, until } from '../helpers/until.js'

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0
const onTerminal = hasScript ? test : test.skip
if (!hasScript) process.stderr.write("not run: ^Z and fg on a terminal (no 'script' of util-linux)\n")

const PARTITIONS = 2
const LONG = { timeoutMs: 180_000 }
const CONSUME = 'logq consume t -g g --session-timeout 2s'

/** A shell on a terminal; what is written is typed. */
async function terminal(cli: Cli): Promise<Running> {
  const shell = cli.start(`exec script -qfec 'bash --norc --noprofile --noediting -i' /dev/null`, { ...LONG, stdin: 'open' })
  shell.write(`PS1='' PS2=''; stty -echo; echo ready$((1 + 1))\n`)
  await shell.waitForOutput('ready2')
  return shell
}

/** ^C to what runs, and the end of the terminal. */
async function end(shell: Running): Promise<void> {
  shell.write('\x03')
  // A terminal throws away what was typed before ^C reached it.
  await until('the shell asks again', () => {
    shell.write('echo over$((1 + 1))\n')
    return shell.stdout().toString().includes('over2')
  })
  // With its terminal gone, the shell ends.
  shell.signal('SIGKILL', { group: true })
  await shell.finished
}

interface Group {
  readonly state: string
  readonly generation: number
  readonly members: Readonly<Record<string, unknown>>
}

function group(cli: Cli): Group | undefined {
  try {
    return JSON.parse(readFileSync(join(cli.store, 'groups/g/group.json'), 'utf8')) as Group
  } catch {
    return undefined
  }
}

function stable(cli: Cli, members: number): boolean {
  const present = group(cli)
  return present?.state === 'Stable' && Object.keys(present.members).length === members
}

async function isAllRead(cli: Cli): Promise<boolean> {
  return (await cli.shell("logq lag -g g -J | jq -s 'map(.lagRecords) | add'")).stdout.toString() === '0\n'
}

interface Line {
  readonly generation: number
  readonly member: string
  readonly offsets: Readonly<Record<string, { readonly partitions: Readonly<Record<string, readonly [offset: number]>> }>>
}

/** What is wrong with the commits: those of a member after it was put out, and those that go back. */
function wrongCommits(cli: Cli, member: string, fencedIn: number): string[] {
  const wrong: string[] = []
  const offsets = new Map<string, number>()
  let isOver = false
  for (const text of readFileSync(join(cli.store, 'groups/g/offsets'), 'utf8').trimEnd().split('\n')) {
    const line = JSON.parse(text.slice(9)) as Line
    isOver ||= line.generation >= fencedIn
    if (isOver && line.member === member) wrong.push(`by the old member: ${text}`)
    for (const [partition, [offset]] of Object.entries(line.offsets['t']?.partitions ?? {})) {
      if (offset < (offsets.get(partition) ?? 0)) wrong.push(`goes back: ${text}`)
      offsets.set(partition, offset)
    }
  }
  return wrong
}

for (const [what, tail, count] of [
  ['that prints to the terminal', '', 10],
  // What is stopped has given much to its pipe by then, and not all of it is committed.
  ['with a slow reader behind a pipe', ' | while read -r line; do echo $line; [ -e fast ] || sleep 0.2; done', 40_000],
] as const) {
  onTerminal(`consume ${what}, stopped by ^Z for longer than its session timeout, and continued by fg`, async (t) => {
    const cli = makeCli(t)
    const produce = (from: number, to: number) =>
      `seq ${from} ${to} | awk '{ print "{\\"partition\\":" $1 % ${PARTITIONS} ",\\"value\\":\\"" $1 "\\"}" }' | logq produce t -J --keep partition`
    await cli.shell(`logq topic create t --partitions ${PARTITIONS}; ${produce(1, count)}`)
    const shell = await terminal(cli)
    shell.write(`${CONSUME}${tail}\n`)
    await shell.waitForOutput((text) => /^\d+\r?$/m.test(text), LONG)
    await until('it is a member', () => stable(cli, 1))
    const [first = ''] = Object.keys(group(cli)?.members ?? {})
    const other = cli.start(`exec ${CONSUME} > other`, LONG)
    await until('two members', () => Object.keys(group(cli)?.members ?? {}).length === 2)
    if (tail === '') await until('two members, settled', () => stable(cli, 2))
    const pid = Number(/-(\d+)-[0-9a-f]+$/.exec(first)?.[1])
    shell.write('\x1a')
    await until('it is stopped', () => processState(pid) === 'T')
    await shell.waitForOutput('Stopped', LONG)
    await cli.shell(produce(count + 1, count + 20))
    await until('the other one has everything', async () => stable(cli, 1) && (await isAllRead(cli)))
    t.false(first in (group(cli)?.members ?? {}))
    const fencedIn = group(cli)?.generation ?? 0
    await cli.shell('touch fast')
    shell.write('fg\n')
    await shell.waitForOutput('joining again', LONG)
    await until('it is back', () => stable(cli, 2))
    await cli.shell(produce(count + 21, count + 40))
    await until('all is read', () => isAllRead(cli))
    await end(shell)
    t.true(stable(cli, 1))
    other.signal('SIGTERM')
    await other.finished
    const own = shell.stdout().toString().split(/\r?\n/)
    const others = readFileSync(join(cli.directory, 'other'), 'utf8').split('\n')
    const all = new Set([...own, ...others])
    t.deepEqual(
      Array.from({ length: count + 40 }, (_, n) => String(n + 1)).filter((value) => !all.has(value)),
      [],
    )
    t.deepEqual(wrongCommits(cli, first, fencedIn), [])
    t.true(own.some((value) => Number(value) > count + 20))
  })
}

onTerminal('tail -f, stopped by ^Z, and continued by fg: what came meanwhile is printed, once', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 3 | logq produce t')
  const shell = await terminal(cli)
  shell.write('logq tail -f t\n')
  await shell.waitForOutput(/^3\r?$/m, LONG)
  shell.write('\x1a')
  await shell.waitForOutput('Stopped', LONG)
  await cli.shell('seq 4 6 | logq produce t; sleep 3; seq 7 9 | logq produce t')
  t.notRegex(shell.stdout().toString(), /^4\r?$/m)
  shell.write('fg\n')
  await shell.waitForOutput(/^9\r?$/m, LONG)
  await end(shell)
  const lines = shell.stdout().toString().split(/\r?\n/)
  t.deepEqual(
    lines.filter((line) => /^\d+$/.test(line)),
    ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
  )
})
