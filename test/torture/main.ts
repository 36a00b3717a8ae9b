/**
 * npm run torture: many real processes on one store, disturbed; then the checker (README.md).
 *
 *     npm run torture -- [--minutes N | --seconds N] [--seed S] [--disk small|ordinary] [--nemeses A,B] [--clients A,B]
 *         [--bundle PATH] [--double NAME]
 *     node dist/test-build/test/torture/main.js check HISTORY
 *
 * Exit status 0 when no invariant was violated, 1 when one was, 2 when the options are wrong.
 */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { stubPath } from '../helpers/project.js'
import { check, type Violation } from './checker/check.js'
import { clients } from './clients/clients.js'
import { doubles, type Double } from './doubles.js'
import { readHistory } from './history.js'
import { nemeses } from './nemeses/nemeses.js'
import { runTorture } from './run.js'

const self = fileURLToPath(import.meta.url)
/** Set in the process that has namespaces of its own. */
const INSIDE = 'TORTURE_INSIDE'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    disk: { type: 'string' },
    nemeses: { type: 'string' },
    clients: { type: 'string' },
    bundle: { type: 'string' },
    double: { type: 'string' },
  },
})

if (positionals[0] === 'check' && positionals[1] !== undefined) {
  const violations = check(readHistory(positionals[1]))
  report(violations)
  process.exitCode = violations.length === 0 ? 0 : 1
} else if (positionals.length > 0) usage(`'${positionals.join(' ')}' is not understood`)
else if (process.env[INSIDE] === undefined && canBeAlone()) beAlone()
else await torture()

/** Runs this again where mounts and the limits of inotify are its own, and go away with it. */
function beAlone(): void {
  const child = spawn('unshare', ['-Urm', process.execPath, '--enable-source-maps', self, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  child.on('exit', (status) => {
    process.exitCode = status ?? 1
  })
}

function canBeAlone(): boolean {
  return spawnSync('unshare', ['-Urm', 'true'], { stdio: 'ignore' }).status === 0
}

async function torture(): Promise<void> {
  const totalMs =
    values.seconds === undefined ? number(values.minutes ?? '2', 'minutes') * 60_000 : number(values.seconds, 'seconds') * 1000
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : number(values.seed, 'seed')
  const { disk, double } = values
  if (disk !== undefined && disk !== 'small' && disk !== 'ordinary') return usage(`--disk ${disk}: small or ordinary`)
  if (double !== undefined && !isDouble(double)) return usage(`--double ${double}: ${Object.keys(doubles).join(', ')}`)
  const only = values.nemeses?.split(',').filter((name) => name !== '')
  const unknown = only?.find((name) => !nemeses.some((nemesis) => nemesis.name === name))
  if (unknown !== undefined) return usage(`--nemeses ${unknown}: ${nemeses.map(({ name }) => name).join(', ')}`)
  const onlyClients = values.clients?.split(',')
  const stranger = onlyClients?.find((name) => !clients.some((client) => client.name === name))
  if (stranger !== undefined) return usage(`--clients ${stranger}: ${clients.map(({ name }) => name).join(', ')}`)
  const program = resolve(values.bundle ?? process.env['LOGQ_BUNDLE'] ?? stubPath)
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'logq-torture-')))
  endWithParent(directory)
  say(`torture: --seed ${seed} --seconds ${totalMs / 1000}${double === undefined ? '' : ` --double ${double}`}`)
  const isAlone = process.env[INSIDE] !== undefined
  const prelude = double === undefined ? '' : doubles[double]
  let outcome
  try {
    outcome = await runTorture({ seed, totalMs, disk, directory, program, prelude, isAlone, only, onlyClients, say })
  } catch (error) {
    say(`the driver failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    say(`kept: ${directory}`)
    return process.exit(1)
  }
  const { violations, extent, historyPath, store } = outcome
  say(
    `${extent.processCount} processes, ${extent.killedCount} killed; ${extent.sentCount} values sent: ${extent.acknowledgedCount} acknowledged, ` +
      `${extent.failedCount} not written, ${extent.unknownCount} unknown; ${extent.readCount} records read, ${extent.deliveredCount} delivered to groups`,
  )
  report(violations)
  if (violations.length === 0) {
    remove(directory)
    return process.exit(0)
  }
  const kept = realpathSync(mkdtempSync(join(tmpdir(), 'logq-torture-kept-')))
  cpSync(historyPath, join(kept, 'history.jsonl'))
  cpSync(store, join(kept, 'store'), { recursive: true })
  remove(directory)
  say(`kept: ${kept}`)
  say(`check again: node ${self} check ${join(kept, 'history.jsonl')}`)
  say(`run again: npm run torture -- --seed ${seed} --seconds ${totalMs / 1000}`)
  process.exit(1)
}

/** Whoever started this may be killed: then nothing may be left running, or lying about. */
function endWithParent(directory: string): void {
  const parent = process.ppid
  const end = (): void => {
    remove(directory)
    process.exit(1)
  }
  setInterval(() => {
    if (process.ppid !== parent) end()
  }, 500).unref()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
}

function remove(directory: string): void {
  // Where a small disk is mounted; it goes away when nobody uses it any more.
  spawnSync('umount', ['-l', join(directory, 'disk')], { stdio: 'ignore' })
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
}

function report(violations: readonly Violation[]): void {
  const shown = 8
  for (const invariant of new Set(violations.map((violation) => violation.invariant))) {
    const list = violations.filter((violation) => violation.invariant === invariant)
    say(`VIOLATED ${invariant}: ${list.length}`)
    for (const { message } of list.slice(0, shown)) say(`  ${message}`)
  }
  if (violations.length === 0) say('no invariant is violated')
}

function isDouble(name: string): name is Double {
  return Object.hasOwn(doubles, name)
}

function number(text: string, name: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) usage(`--${name} ${text}: not a number`)
  return Number(text)
}

function usage(message: string): never {
  process.stderr.write(`torture: ${message}\n`)
  process.exit(2)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
