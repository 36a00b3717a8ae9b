/**
 * One command line from its words to its exit status: finds the command, parses its arguments, runs it, prints what went wrong.
 * main.ts gives it the real world and dies of the signal when one came; tests give it a world of their own.
 */
import { isLogqError } from '../lib/errors.js'
import { parseArguments } from './arguments.js'
import type { Command } from './command.js'
import { createIo, type World } from './command-io.js'
import type { CommandGroup } from './command-list.js'
import { describeError, usageError } from './errors.js'
import { statusOfError, strongerStatus, type ExitStatus } from './exit-status.js'
import { findCommand, findGroup } from './find-command.js'
import { commandHelp, groupHelp, programHelp } from './help.js'
import { createOutputWriter, type OutputWriter } from './output.js'
import { createTalk, type Talk } from './talk.js'
import { version } from './version.js'

/** `words` are what follows the program's name. Never rejects. */
export async function runCommandLine(
  words: readonly string[],
  groups: readonly CommandGroup[],
  world: World,
): Promise<ExitStatus> {
  return await new Runner(groups, world).run(words)
}

class Runner {
  private readonly output: OutputWriter
  private readonly talk: Talk
  private readonly groups: readonly CommandGroup[]
  private readonly world: World
  /** A broken stream throws the same error at every call: it is said once. */
  private readonly said = new Set<unknown>()
  /** Before every message: 'logq', and from the command on 'logq produce'. */
  private who = 'logq'

  constructor(groups: readonly CommandGroup[], world: World) {
    const { streams, system, signal } = world
    this.groups = groups
    this.world = world
    this.output = createOutputWriter(streams.stdout, { clock: system.clock, signal, name: 'standard output' })
    this.talk = createTalk(createOutputWriter(streams.stderr, { clock: system.clock, signal, name: 'standard error' }))
  }

  async run(words: readonly string[]): Promise<ExitStatus> {
    let status = await this.attempt(() => this.dispatch(words))
    // What was printed before a failure is still delivered.
    status = strongerStatus(status, await this.attempt(() => this.output.flush().then(() => 'done' as const)))
    return status
  }

  private async dispatch(words: readonly string[]): Promise<ExitStatus> {
    const [first] = words
    if (first === undefined) {
      await this.talkText(await programHelp(this.groups))
      return 'usage'
    }
    if (first === '--version' || first === '-V') return await this.print(`logq ${version}\n`)
    if (first === '--help' || first === '-h') return await this.print(await programHelp(this.groups))
    if (first === 'help') return await this.help(words.slice(1))
    if (first.startsWith('-'))
      throw usageError(`unknown option '${first}'`, 'options come after the command: logq COMMAND [OPTION…]')
    const found = findCommand(this.groups, words)
    if (found !== undefined) return await this.runCommand(await found.entry.load(), found.rest)
    const group = findGroup(this.groups, words)
    if (words.length === 1 || group.rest[0] === '--help' || group.rest[0] === '-h') {
      const text = await groupHelp(this.groups, group.name)
      if (words.length > 1) return await this.print(text)
      await this.talkText(text)
      return 'usage'
    }
    throw group.unknown()
  }

  /** `logq help`, `logq help topic`, `logq help topic create`. */
  private async help(words: readonly string[]): Promise<ExitStatus> {
    if (words.length === 0) return await this.print(await programHelp(this.groups))
    const found = findCommand(this.groups, words)
    if (found !== undefined && found.rest.length === 0) return await this.print(commandHelp(await found.entry.load()))
    const group = findGroup(this.groups, words)
    if (group.rest.length > 0) throw group.unknown()
    return await this.print(await groupHelp(this.groups, group.name))
  }

  private async runCommand(command: Command, words: readonly string[]): Promise<ExitStatus> {
    this.who = `logq ${command.name}`
    const statusOf = isMonitor(command, words) ? (): ExitStatus => 'noMatch' : statusOfError
    return await this.attempt(async () => {
      const args = parseArguments(command, words)
      if (args === 'help') return await this.print(commandHelp(command))
      const io = createIo(this.world, {
        who: this.who,
        quiet: args.options['quiet'] === true,
        verbose: args.options['verbose'] === true,
        output: this.output,
        talk: this.talk,
      })
      const ended = await this.attempt(async () => (await command.run(args, io)) ?? 'done', statusOf)
      return strongerStatus(ended, io.status)
    }, statusOf)
  }

  /** Runs a part and makes a status, and lines on standard error, of what it throws. */
  private async attempt(
    part: () => Promise<ExitStatus>,
    statusOf: (error: unknown) => ExitStatus = statusOfError,
  ): Promise<ExitStatus> {
    try {
      return await part()
    } catch (error) {
      // After a signal there is nothing to explain: the user sent it, and the exit status says it.
      if (isLogqError(error, 'LOGQ_ABORTED') && this.world.signal.aborted) return 'done'
      if (this.said.has(error)) return statusOf(error)
      this.said.add(error)
      // What was printed before comes before what is said of it; a flush that fails is spoken of by `run`.
      await this.output.flush().catch(() => undefined)
      const { message, hint } = describeError(error)
      await this.talk.line(`${this.who}: ${message}`)
      const shownHint = hint ?? (isLogqError(error, 'LOGQ_USAGE') ? `see '${this.who} --help'` : undefined)
      if (shownHint !== undefined) await this.talk.line(`  hint: ${shownHint}`)
      if (this.world.env['LOGQ_DEBUG'] !== undefined && error instanceof Error) await this.talkText(`${stackOf(error)}\n`)
      return statusOf(error)
    }
  }

  private async print(text: string): Promise<ExitStatus> {
    await this.output.writeText(text)
    await this.output.flush()
    return 'done'
  }

  private async talkText(text: string): Promise<void> {
    for (const line of text.trimEnd().split('\n')) await this.talk.line(line)
  }
}

/** Whether it was called as a plug-in for monitoring systems, which know what to make of status 3 only. */
function isMonitor({ monitoringOptions = [] }: Command, words: readonly string[]): boolean {
  if (monitoringOptions === 'always') return true
  return monitoringOptions.some((name) => words.some((word) => word.split('=')[0] === `--${name}`))
}

/** Where it was thrown, and where each of its causes was. */
export function stackOf(error: Error): string {
  const own = error.stack ?? error.message
  return error.cause instanceof Error ? `${own}\ncaused by: ${stackOf(error.cause)}` : own
}
