/** Runs the tables through the built program, each line in a shell. */
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { commandGroups } from '../../cli/command-list.js'
import { atMost } from '../helpers/at-most.js'
import { projectRoot } from '../helpers/project.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'
import { invocationsIn } from './invocations.js'
import type { Row, Table } from './table.js'
import { tables } from './tables.js'

const inTurn = atMost(4)
/** Much longer than any line takes, also on a machine that does other things. */
const timeoutMs = 100_000

const surroundings = { FIXTURES: join(projectRoot, 'test', 'fixtures') }

for (const table of tables) {
  test(`${table.title}: ${table.rows.length} rows`, async (t) => {
    t.timeout(600_000)
    await run(t, table)
  })
}

async function run(t: ExecutionContext, { title, before, rows }: Table): Promise<void> {
  const cli = makeCli(t)
  if (before !== undefined) {
    const made = await inTurn(() => cli.shell(before, { timeoutMs, env: surroundings }))
    t.is(made.stderr, '', `before '${title}'`)
  }
  const findings = await Promise.all(rows.map((row, index) => inTurn(() => differences(cli, row, index))))
  // All of them at once: a word that has changed its meaning breaks several rows.
  t.is(findings.flat().join('\n'), '')
}

async function differences(cli: Cli, [promise, line, seen]: Row, index: number): Promise<string[]> {
  const expected = typeof seen === 'string' ? { stdout: seen } : seen
  const { stdout = '', stderr = '', status = 0, stdin } = expected
  const done = await cli.shell(line, {
    timeoutMs,
    env: { T: `n${index}`, ...surroundings },
    ...(stdin === undefined ? {} : { stdin }),
  })
  const found: string[] = []
  const compare = (what: string, is: string, shown: string | RegExp) => {
    if (typeof shown === 'string' ? is !== shown : !shown.test(is)) {
      found.push(`${what} is ${JSON.stringify(is)}, not ${typeof shown === 'string' ? JSON.stringify(shown) : String(shown)}`)
    }
  }
  compare('status', String(done.status), String(status))
  compare('standard output', done.stdout.toString(), stdout)
  compare('standard error', done.stderr, stderr)
  return found.length === 0 ? [] : [`${promise}: ${line}`, ...found.map((text) => `    ${text}`)]
}

test('invocationsIn() finds commands and their options in a line of shell', async (t) => {
  const commands = await Promise.all(commandGroups.flatMap((group) => group.commands).map(({ load }) => load()))
  const found = (line: string) =>
    invocationsIn(line, commands).map(({ command, options }) => [command.name, ...options].join(' '))
  t.deepEqual(
    found(`printf 'logq cat t' | logq produce $T -K: -qv --acks=0 2> -x && logq cat "$T" -o -5 -J; logq nonsense -q`),
    ['produce keySeparator quiet verbose acks', 'cat offset json'],
  )
  t.deepEqual(found(`x=$(logq topic ls -q); { logq topic create a --partitions 3; } & env -i logq cat -n3 t -- -q`), [
    'topic ls quiet',
    'topic create partitions',
    'cat count',
  ])
})
