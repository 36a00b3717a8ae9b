/**
 * One run of the program as a process of its own, with real pipes: Node.js gives children sockets where a shell gives pipes, so a
 * `cat` stands between, as in helpers/run-cli.ts. The process that is started becomes the program, so that signals meet it alone.
 */
import { spawn } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'

export interface ProcessEnd {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

export interface LogqProcess {
  /** Unique in a run. */
  readonly name: string
  readonly pid: number
  readonly args: readonly string[]
  /** False from the moment that it ended. */
  readonly isRunning: boolean
  write(text: string): void
  /** Ends its standard input. */
  end(): void
  signal(name: NodeJS.Signals): void
  /** After its output was taken to the end. */
  readonly ended: Promise<ProcessEnd>
}

export interface StartOptions {
  readonly env: Readonly<Record<string, string>>
  readonly directory: string
  /** Runs in the shell before the program takes its place. */
  readonly prelude?: string
  readonly program: string
  /** Default: standard input is at its end. */
  readonly stdin?: 'open'
  /** Whole lines of standard output, as many as came at once. */
  readonly onLines?: ((lines: readonly string[]) => void) | undefined
}

const STDERR_CHARS = 4000

export function startProcess(name: string, args: readonly string[], options: StartOptions): LogqProcess {
  const { env, directory, prelude = '', program, onLines } = options
  const { LD_PRELOAD: preload, ...own } = env
  // Only the program: a shell and its children that are preloaded share libfaketime's locks, and hang or die of them.
  const preloaded = preload === undefined ? '' : 'export LD_PRELOAD="$TORTURE_PRELOAD"'
  const input = options.stdin === 'open' ? 'exec < <(exec cat 2>/dev/null)' : 'exec < <(:)'
  const script = `${input}; exec > >(exec cat) 2> >(exec cat >&2); ${prelude}\n${preloaded}\nexec "$TORTURE_NODE" "$TORTURE_PROGRAM" "$@"`
  const child = spawn('bash', ['--norc', '-c', script, name, ...args], {
    cwd: directory,
    env: { ...own, TORTURE_NODE: process.execPath, TORTURE_PROGRAM: program, TORTURE_PRELOAD: preload },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let isRunning = true
  let stderr = ''
  let rest = ''
  const decoder = new StringDecoder('utf8')
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    if (lines.length > 0) onLines?.(lines)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < STDERR_CHARS) stderr += chunk.toString()
  })
  // It may end without reading its input.
  child.stdin.on('error', () => undefined)
  if (options.stdin !== 'open') child.stdin.end()
  const ended = new Promise<ProcessEnd>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', () => {
      isRunning = false
      // The `cat` in front of the input would wait for more, and hold the output open.
      child.stdin.destroy()
    })
    child.on('close', (status, signal) => {
      resolve({ status, signal, stderr: stderr.slice(0, STDERR_CHARS) })
    })
  })
  return {
    name,
    pid: child.pid ?? 0,
    args,
    get isRunning() {
      return isRunning
    },
    write: (text) => void child.stdin.write(text),
    end: () => void child.stdin.end(),
    signal(signalName) {
      if (isRunning) child.kill(signalName)
    },
    ended,
  }
}
