/** The Io that a command gets, put together for one run. */
import type { InputStream, StandardStreams } from '../lib/system/streams.js'
import type { System } from '../lib/system/system.js'
import { describeError, usageError } from './errors.js'
import { statusOfError, strongerStatus, type ExitStatus } from './exit-status.js'
import type { Io } from './io.js'
import type { OutputWriter } from './output.js'
import type { Talk } from './talk.js'

/** Everything that is given from outside; tests give their own. */
export interface World {
  readonly system: System
  readonly streams: StandardStreams
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly signal: AbortSignal
  /** Opens a path that was given as an operand. Throws the system error of the open. */
  openInputFile(path: string): InputStream
}

/** What one run adds to the world. */
export interface RunContext {
  /** 'logq produce', before every message. */
  readonly who: string
  readonly quiet: boolean
  readonly verbose: boolean
  readonly output: OutputWriter
  readonly talk: Talk
}

/** Longer messages are cut: a record may stand in one, and a record may be large. */
const MAX_MESSAGE_CHARACTERS = 2000

export function createIo(world: World, context: RunContext): Io {
  const { system, streams, env, cwd, signal } = world
  const { who, quiet, verbose, output, talk } = context
  let status: ExitStatus = 'done'

  const warn = async (message: string, hint?: string): Promise<void> => {
    await talk.line(`${who}: ${shorten(message)}`)
    if (hint !== undefined) await talk.line(`  hint: ${shorten(hint)}`)
  }
  const merge = (other: ExitStatus): void => {
    status = strongerStatus(status, other)
  }
  return {
    system,
    streams,
    env,
    cwd,
    signal,
    quiet,
    verbose,
    warn,
    merge,
    async failItem(message, hint, itemStatus = 'failed') {
      merge(itemStatus)
      await warn(message, hint)
    },
    async failWith(error) {
      merge(statusOfError(error))
      const { message, hint } = describeError(error)
      await warn(message, hint)
    },
    async say(message) {
      if (!quiet) await talk.line(`${who}: ${shorten(message)}`)
    },
    async explain(message) {
      if (verbose) await talk.line(`${who}: ${shorten(message)}`)
    },
    async showStatus(text) {
      if (!quiet) await talk.status(text === '' ? '' : `${who}: ${shorten(text)}`)
    },
    get status() {
      return status
    },
    output: () => output,
    async confirm(question) {
      if (!streams.stdin.isTerminal || !streams.stderr.isTerminal) {
        throw usageError(`no terminal to ask on: ${question}`, "give '-y' to answer yes")
      }
      await talk.ask(`${who}: ${question} [y/N] `)
      const answer = await readLine(streams.stdin, signal)
      return /^\s*(y|yes)\s*$/i.test(answer)
    },
    openInput: (operand) => Promise.resolve(operand === '-' ? streams.stdin : world.openInputFile(operand)),
  }
}

function shorten(text: string): string {
  return text.length <= MAX_MESSAGE_CHARACTERS ? text : `${text.slice(0, MAX_MESSAGE_CHARACTERS)}… (${text.length} characters)`
}

/** What was typed up to the line end, the end of input or a signal. */
async function readLine(stdin: InputStream, signal: AbortSignal): Promise<string> {
  const typed: Uint8Array[] = []
  const buffer = new Uint8Array(1024)
  let ended = false
  while (!ended) {
    const length = (await stdin.read(buffer, signal)) ?? 0
    const newLine = buffer.subarray(0, length).indexOf(0x0a)
    typed.push(buffer.slice(0, newLine === -1 ? length : newLine))
    ended = length === 0 || newLine !== -1
  }
  return Buffer.concat(typed).toString('utf8')
}
