/**
 * The transcripts of this folder, typed into `sh` and into `bash` as they stand: everything that can be seen of a run, standard
 * output, standard error and exit status, must be what the page shows.
 */
import { accessSync, constants, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { atMost } from '../helpers/at-most.js'
import { fixture, projectRoot, realInputs } from '../helpers/project.js'
import { makeCli, shellQuote, type Cli } from '../helpers/run-cli.js'
import { isAsShown, parseTranscripts, type Step, type Transcript } from './transcript.js'

const folder = join(projectRoot, 'test', 'transcripts')
const pages = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md')
const inTurn = atMost(3)
/** Much longer than any step takes, also on a machine that does other things. */
const stepTimeoutMs = 100_000

for (const page of pages) {
  for (const transcript of parseTranscripts(readFileSync(join(folder, page), 'utf8'))) {
    for (const shell of transcript.shells) {
      test(`${page}: ${transcript.title} (${shell})`, async (t) => {
        const missing = [shell, ...transcript.needs].filter((program) => !isInstalled(program))
        if (missing.length > 0) {
          t.log(`left out: ${missing.join(' and ')} not installed`)
          t.pass()
          return
        }
        t.timeout(300_000)
        await inTurn(() => run(t, transcript, shell))
      })
    }
  }
}

async function run(t: ExecutionContext, transcript: Transcript, shell: string): Promise<void> {
  const cli = makeCli(t)
  for (const name of realInputs) {
    if (transcript.steps.some(({ script }) => script.includes(name))) writeFileSync(join(cli.directory, name), fixture(name))
  }
  for (const step of transcript.steps) await runStep(t, cli, step, shell)
}

/** One step is one script, as a file: what it exits with is its own, and `exit` and `set -e` mean what they say. */
async function runStep(t: ExecutionContext, cli: Cli, step: Step, shell: string): Promise<void> {
  const script = join(cli.directory, '.bin', 'step')
  writeFileSync(script, step.script)
  const done = await cli.shell(`exec ${shell} -u ${shellQuote(script)}`, { timeoutMs: stepTimeoutMs })
  const printed = done.stdout.toString()
  if (!isAsShown(step.stdout, printed, cli.directory)) t.is(printed, step.stdout, `${step.script}\n${done.stderr}`)
  if (!isAsShown(step.stderr, done.stderr, cli.directory)) t.is(done.stderr, step.stderr, step.script)
  t.is(done.status, step.status, `${step.script}\n${done.stderr}`)
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const page = (...lines: string[]) => ['# Page', '', ...lines, ''].join('\n')

test('parseTranscripts() reads scripts with what they print, their status, and what they need', (t) => {
  const [first, second] = parseTranscripts(
    page('## One', '', 'Needs: jq, zstd.', '', '```sh', 'a', '```', '', 'Exit status 3, since.', '', '```stderr', 'e', '```') +
      page('## Two', 'Shell: bash.', '```sh', 'b', '```', '```text', 'o', '```', '', '```sh', 'c', '```'),
  )
  t.deepEqual(first, {
    title: 'One',
    needs: ['jq', 'zstd'],
    shells: ['sh', 'bash'],
    steps: [{ script: 'a\n', stdout: '', stderr: 'e\n', status: 3 }],
  })
  t.deepEqual(second?.shells, ['bash'])
  t.deepEqual(second?.steps, [
    { script: 'b\n', stdout: 'o\n', stderr: '', status: 0 },
    { script: 'c\n', stdout: '', stderr: '', status: 0 },
  ])
})

test('parseTranscripts() refuses a page on which something belongs to no script', (t) => {
  t.throws(() => parseTranscripts(page('## One', 'text')), { message: /no script/ })
  t.throws(() => parseTranscripts(page('## One', '```text', 'x', '```')), { message: /belongs to no script/ })
  t.throws(() => parseTranscripts(page('## One', '```sh', 'x', '```', '```out', 'x', '```')), { message: /'out'/ })
  t.throws(() => parseTranscripts(page('## One', 'Exit status 1.', '```sh', 'x', '```')), { message: /before the first/ })
})

test('isAsShown() compares to the letter, but for the placeholders', (t) => {
  t.true(isAsShown('a <N> b\n', 'a 12 b\n', '/x'))
  t.true(isAsShown("no '/tmp/here/f' at <MS>, <TIME>", "no '/x.y/f' at 1700000000000, 2026-01-02T03:04:05.678Z", '/x.y'))
  t.true(isAsShown('', '', '/x'))
  for (const [shown, printed] of [
    ['', '\n'],
    ['a', 'a\n'],
    ['a\n', ''],
    ['<N>', 'x'],
    ['<N>\n', '1\n2\n'],
    ['a.c', 'abc'],
    ['a-c', 'a.c'],
    ['/tmp/here', '/x-y'],
  ] as const) {
    t.false(isAsShown(shown, printed, '/x.y'), `'${shown}' '${printed}'`)
  }
})
