/**
 * Measures logq beside what a user would compare it with, in one run on one machine (npm run bench). Nothing here is an assertion: a slow
 * machine is no defect. Each case alternates between logq and its reference, and prints medians, spread and their ratio beside the goal.
 *
 * Usage: npm run bench -- [--quick | --full] [--json] [--only NAME[,NAME]] [--pairs N] [--lines N] [--dir DIRECTORY]
 *
 *   --quick   small inputs and few pairs: shows that everything runs, the figures mean little
 *   --full    5 million lines, segments of 1 MiB; takes minutes, and 3 GB below DIRECTORY
 *   --dir     where input and stores lie for the time of the run; default: the temporary directory
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { appendLatency } from './cases/append-latency.mjs'
import { archiveToDirectory } from './cases/archive-to-directory.mjs'
import { catThroughPipe } from './cases/cat-through-pipe.mjs'
import { compact } from './cases/compact.mjs'
import { fourProducers } from './cases/four-producers.mjs'
import { groupCommits, groupIdle, groupMoves, groupOfMany } from './cases/groups.mjs'
import { memory } from './cases/memory.mjs'
import { oneShot } from './cases/one-shot.mjs'
import { openAt } from './cases/open-at.mjs'
import { produceFromFile } from './cases/produce-from-file.mjs'
import { retainNothing } from './cases/retain-nothing.mjs'
import { startUp } from './cases/start-up.mjs'
import { describeMachine, describeMachineLine } from './machine.mjs'
import { printRow, printTable } from './print.mjs'
import { projectRoot, Workspace } from './workspace.mjs'

const cases = {
  produceFromFile,
  catThroughPipe,
  appendLatency,
  oneShot,
  startUp,
  fourProducers,
  openAt,
  archiveToDirectory,
  compact,
  retainNothing,
  memory,
  groupMoves,
  groupIdle,
  groupCommits,
  groupOfMany,
}

const sizes = {
  quick: { lines: 20_000, pairs: 2, shots: 4, samples: 20, segments: 40, segmentBytes: 32 << 10, idleMs: 2_000, commitMs: 500 },
  usual: {
    lines: 1_000_000,
    pairs: 5,
    shots: 15,
    samples: 400,
    segments: 1600,
    segmentBytes: 128 << 10,
    idleMs: 20_000,
    commitMs: 3_000,
  },
  full: {
    lines: 5_000_000,
    pairs: 7,
    shots: 25,
    samples: 1000,
    segments: 1600,
    segmentBytes: 1 << 20,
    idleMs: 60_000,
    commitMs: 10_000,
  },
}

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    pairs: { type: 'string' },
    lines: { type: 'string' },
    dir: { type: 'string' },
  },
})
const wanted = given.only === undefined ? Object.keys(cases) : given.only.split(',')
for (const name of wanted)
  if (!Object.hasOwn(cases, name)) fail(`no case '${name}'; there are: ${Object.keys(cases).join(' ')}`)

const scale = given.quick ? 'quick' : given.full ? 'full' : 'usual'
const size = { ...sizes[scale] }
for (const name of ['pairs', 'lines']) if (given[name] !== undefined) size[name] = positive(name, given[name])

const built = spawnSync(process.execPath, ['.config/build.mjs'], { cwd: projectRoot, stdio: ['ignore', 2, 2] })
if (built.status !== 0) fail('the build failed')

const workspace = new Workspace(given.dir, size)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    workspace.remove()
    process.kill(process.pid, signal)
  })
}
try {
  const machine = describeMachine(workspace.directory)
  if (!given.json) process.stdout.write(`${describeMachineLine(machine)}\n${scale}: ${JSON.stringify(size)}\n\n`)
  workspace.makeInput()
  const rows = []
  for (const name of wanted) {
    for (const row of await cases[name](workspace, size)) {
      rows.push({ case: name, ...row })
      if (!given.json) printRow(row)
    }
  }
  if (given.json) process.stdout.write(`${JSON.stringify({ ...machine, scale, size, rows }, undefined, 2)}\n`)
  else printTable(rows)
} finally {
  workspace.remove()
}

function positive(name, text) {
  if (!/^[1-9]\d{0,9}$/.test(text)) fail(`--${name} takes a whole number above 0, not '${text}'`)
  return Number(text)
}

function fail(message) {
  process.stderr.write(`bench: ${message}\n`)
  process.exit(2)
}
