/**
 * The world of a command: streams, signal, environment, and where it says things. stdout is data, stderr is talk: a command
 * writes data through `output()` and everything else through `warn`, `say` and `explain`.
 */
import type { InputStream, StandardStreams } from '../lib/system/streams.js'
import type { System } from '../lib/system/system.js'
import type { ExitStatus } from './exit-status.js'
import type { OutputWriter } from './output.js'

export interface Io {
  readonly system: System
  readonly streams: StandardStreams
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Aborted by the first INT, TERM or HUP. Stop reading, finish and sync what was read, return; main.ts dies of the signal. */
  readonly signal: AbortSignal
  /** -q was given. */
  readonly quiet: boolean
  /** -v was given. */
  readonly verbose: boolean

  /**
   * One line on stderr, `logq produce: <message>`, and the hint on a second; control characters are escaped on a terminal. Not
   * silenced by -q: what is warned of, the user must know. Await it: it waits when stderr takes nothing.
   */
  warn(message: string, hint?: string): Promise<void>
  /** An item failed: warns, and the command will end with `status` ('failed') or a stronger one. */
  failItem(message: string, hint?: string, status?: ExitStatus): Promise<void>
  /** The same for an error that was caught: its message, its hint, its status. */
  failWith(error: unknown): Promise<void>
  /** A line that -q silences. */
  say(message: string): Promise<void>
  /** A line that only -v shows. */
  explain(message: string): Promise<void>

  /** What is under way, on a terminal and not with -q, in a line that the next one replaces; '' takes it away. */
  showStatus(text: string): Promise<void>

  /** The command will end with this status or a stronger one. */
  merge(status: ExitStatus): void
  /** What was merged so far. */
  readonly status: ExitStatus

  /** The buffered writer on stdout, always the same one. main.ts finishes it when the command returned. */
  output(): OutputWriter
  /**
   * Asks on the terminal and returns true for y or yes. Without a terminal on stdin and stderr: throws a usage error that names -y.
   */
  confirm(question: string): Promise<boolean>
  /** Opens an operand for reading: '-' is stdin, everything else a path. Errors name it. */
  openInput(operand: string): Promise<InputStream>
}
