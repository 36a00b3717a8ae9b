/** logq-cron(7): its very lines are run as cron and systemd run them, on a store and with a program in other places. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot } from '../helpers/project.js'
import { shellQuote } from '../helpers/run-cli.js'

/** Verbatim parts of the page, as a reader sees them. */
const verbatim = readFileSync(join(projectRoot, 'man', 'logq-cron.7'), 'utf8')
  .split('\n.nf\n')
  .slice(1)
  .map((part) => (part.split('\n.fi')[0] ?? '').replaceAll('\\-', '-').replaceAll('\\e', '\\'))
const [crontab = '', service = '', timer = ''] = verbatim

const directory = mkdtempSync(join(tmpdir(), 'logq-cron-'))
test.after.always(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** The page's paths are those of no machine that tests run on. */
function here(text: string): string {
  return text.replaceAll('/usr/local/bin/logq', `${directory}/logq`).replaceAll('/var/lib/logq', `${directory}/store`)
}

const lines = crontab.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
const environment = assignments(lines.filter((line) => /^[A-Z_]+=/.test(line)).map(here))

function assignments(texts: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const one of texts) values[one.slice(0, one.indexOf('='))] = one.slice(one.indexOf('=') + 1)
  return values
}

/** As cron hands them to sh: five fields taken off, up to the first % that is not escaped. */
const commands = lines
  .filter((line) => !/^[A-Z_]+=/.test(line))
  .map((line) => /^(?:\S+ ){5}(.*)$/.exec(line)?.[1] ?? '')
  .map((line) => (/^(?:[^%\\]|\\.)*/s.exec(line)?.[0] ?? '').replaceAll('\\%', '%'))
  .map(here)

function sh(command: string, env: Record<string, string> = environment): SpawnSyncReturns<string> {
  return spawnSync('/bin/sh', ['-c', command], { cwd: '/', env, encoding: 'utf8', timeout: 120_000 })
}

test.before(() => {
  mkdirSync(directory, { recursive: true })
  const script = `#!/bin/sh\nexec ${shellQuote(process.execPath)} ${shellQuote(join(projectRoot, 'cli', 'logq.cjs'))} "$@"\n`
  writeFileSync(join(directory, 'logq'), script)
  chmodSync(join(directory, 'logq'), 0o755)
})

test.serial('each line of the crontab runs in the environment of cron, twice, and mails nothing', (t) => {
  t.is(commands.length, 5)
  t.is(sh(`printf 'k:1\\nk:2\\n' | ${directory}/logq produce t -K:`).status, 0)
  t.is(sh(`${directory}/logq topic set t cleanup.policy=compact,delete`).status, 0)
  for (const command of commands) {
    for (const line of command.includes('--all') ? [command] : [command, command]) {
      const { status, stdout, stderr } = sh(line)
      t.deepEqual({ line, status, stdout, stderr }, { line, status: 0, stdout: '', stderr: '' })
    }
  }
  t.is(readdirSync(join(directory, 'store', 'snapshots')).length, 1)
  t.regex(readFileSync(join(directory, 'store', 'metrics.prom'), 'utf8'), /# EOF\n$/)
})

test.serial('trouble is one message', (t) => {
  for (const command of commands) {
    const { stdout, stderr } = sh(command, { ...environment, LOGQ_STORE: `${directory}/none` })
    t.regex(stdout + stderr, /^logq [a-z ]+: store '.*none' does not exist\n {2}hint: .*\n$/, command)
  }
})

test.serial('the service runs, and its timer is one', (t) => {
  const values = (unit: string, key: string) =>
    here(unit)
      .split('\n')
      .filter((line) => line.startsWith(`${key}=`))
      .map((line) => line.slice(key.length + 1))
  const env = assignments(values(service, 'Environment'))
  const starts = values(service, 'ExecStart')
  t.is(starts.length, 2)
  for (const start of starts) {
    const [program = '', ...words] = start.split(' ')
    const { status, stderr } = spawnSync(program, words, { cwd: '/', env, encoding: 'utf8', timeout: 120_000 })
    t.deepEqual({ start, status, stderr }, { start, status: 0, stderr: '' })
  }
  t.deepEqual(values(service, 'SuccessExitStatus'), ['75'])
  t.deepEqual(values(timer, 'OnCalendar'), ['hourly'])
  for (const [name, unit] of Object.entries({ service, timer }))
    writeFileSync(join(directory, `logq-care.${name}`), here(unit).replace('User=logq\n', ''))
  const verify = spawnSync('systemd-analyze', ['verify', join(directory, 'logq-care.timer')], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  if (verify.error === undefined) t.is(verify.status, 0, verify.stderr)
  else t.log("not run: systemd-analyze verify (no 'systemd-analyze')")
})
