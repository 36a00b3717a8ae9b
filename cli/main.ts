/**
 * The program: gives the command line the real world, and makes of its end an exit status or a signal.
 *
 * INT, TERM and HUP: the first one aborts `signal`; the command finishes and syncs what it had read, and then the process dies of
 * the same signal, so that a shell loop around it stops too. A second one ends it at once. Node.js undoes dispositions inherited
 * from nohup(1), so HUP counts there as well; setsid(1) is what keeps a command running.
 *
 * Standard streams are those of lib/system: `process.stdout` and its siblings are never touched (on a pipe that alone changes the
 * mode of a description that other programs share).
 */
import { setMaxListeners } from 'node:events'
import { constants } from 'node:os'
import { createNodeSystem } from '../lib/system/node-system.js'
import { openInputFile, openStandardStreams } from '../lib/system/standard-streams.js'
import { commandGroups } from './command-list.js'
import { describeError } from './errors.js'
import { exitStatuses, statusOfError } from './exit-status.js'
import { escapeText } from './print/escape.js'
import { runCommandLine, stackOf } from './run.js'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const received = new AbortController()
let signal: NodeJS.Signals | undefined
const streams = openStandardStreams()

function main(): void {
  // Every follower of a partition listens to it.
  setMaxListeners(0, received.signal)
  // Warnings of Node.js itself are not for users, and printing one touches process.stderr.
  process.removeAllListeners('warning')
  for (const name of signals) {
    process.on(name, () => {
      if (signal !== undefined) {
        dieOf(name)
        return
      }
      signal = name
      received.abort()
    })
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  run().catch(fail)
}

async function run(): Promise<void> {
  const status = await runCommandLine(process.argv.slice(2), commandGroups, {
    system: createNodeSystem(process.env),
    streams,
    env: process.env,
    cwd: workingDirectory(),
    signal: received.signal,
    openInputFile,
  })
  if (signal !== undefined) dieOf(signal)
  else process.exit(exitStatuses[status].number)
}

function dieOf(name: NodeJS.Signals): void {
  for (const other of signals) process.removeAllListeners(other)
  process.kill(process.pid, name)
  // Still here: whoever started this process blocked the signal. Then the status says it, as a shell would.
  setTimeout(() => process.exit(128 + constants.signals[name]), 100)
}

/** What nobody caught. runCommandLine prints errors by itself, so this is a defect, or something as early as LOGQ_FAILPOINT. */
function fail(error: unknown): void {
  const { message, hint } = describeError(error)
  const lines = [`logq: ${message}`, ...(hint === undefined ? [] : [`  hint: ${hint}`])]
  if (process.env['LOGQ_DEBUG'] !== undefined && error instanceof Error) lines.push(stackOf(error))
  // Nothing of what was thrown is known, so it passes the gate of terminals like any message.
  const shown = streams.stderr.isTerminal
    ? lines.flatMap((line) => line.split('\n').map((part) => escapeText(part, 'line')))
    : lines
  const exit = (): never => process.exit(exitStatuses[statusOfError(error)].number)
  streams.stderr.write(Buffer.from(`${shown.join('\n')}\n`, 'utf8')).then(exit, exit)
}

/** A working directory that was removed leaves relative paths that fail by themselves, each with its name. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return '.'
  }
}

main()
