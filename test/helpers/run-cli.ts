/**
 * Runs the built program the way people do: real processes, a real shell, real pipes.
 *
 *     const cli = makeCli(t)
 *     const done = await cli.shell('printf "a\\nb\\n" | logq produce t && logq cat t')
 *     t.is(done.status, 0)
 *
 * Each test has a temporary home and store of its own, `logq` and the Node.js that runs the tests first on PATH, and nothing else
 * of the developer's environment that could change a result. Everything is removed, and every process killed, when the test ends.
 *
 * Node.js gives children sockets where a shell gives pipes, and logq treats the two differently, so a `cat` stands between: the
 * script's standard input, output and error are always real pipes unless it redirects them itself.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { stubPath } from './project.js'

export interface RunOptions {
  /** Added to the environment of the test; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: `cli.directory`. */
  readonly cwd?: string
  /** Bytes for the script's standard input; without it the input is at its end at once. */
  readonly stdin?: Uint8Array | string
  /** After this time the process group is killed and the call rejects. Default 30 s. */
  readonly timeoutMs?: number
}

export interface Finished {
  /** Exit status, or null when a signal ended the shell. */
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface Running {
  /** The shell's process, which is also its group; after `exec logq …` in the script it is logq itself. */
  readonly pid: number
  stdout(): Buffer
  stderr(): string
  /** Writes to the script's standard input (needs `stdin: 'open'`). */
  write(bytes: Uint8Array | string): void
  /** Ends the script's standard input. */
  end(): void
  /** Signals the shell's process alone, or with `group` all processes of the script. */
  signal(name: NodeJS.Signals, options?: { group?: boolean }): void
  /**
   * Resolves when standard output (or error) contains the text, matches the expression, or makes the function true.
   * Rejects when the script ends first, or after `timeoutMs` (default 10 s).
   */
  waitForOutput(
    wanted: string | RegExp | ((text: string) => boolean),
    options?: { stream?: 'stdout' | 'stderr'; timeoutMs?: number },
  ): Promise<void>
  /** Resolves when the script and everything that holds its output have ended. */
  readonly finished: Promise<Finished>
}

export interface Cli {
  /** A temporary directory, the working directory of scripts. */
  readonly directory: string
  /** The store that commands use when none is named (LOGQ_STORE); it does not exist yet. */
  readonly store: string
  readonly env: Readonly<Record<string, string>>
  /** Runs a bash script to its end. Never rejects because of an exit status. */
  shell(script: string, options?: RunOptions): Promise<Finished>
  /** Runs `logq` with exactly these arguments. */
  logq(args: readonly string[], options?: RunOptions): Promise<Finished>
  /** Starts a bash script and hands it over while it runs. */
  start(script: string, options?: Omit<RunOptions, 'stdin'> & { readonly stdin?: 'open' | 'empty' }): Running
}

/** What is needed of ava's `t`. */
export interface TestLike {
  teardown(fn: () => void | PromiseLike<void>): void
}

const defaultTimeoutMs = 90_000
const waitTimeoutMs = 60_000

export function makeCli(t: TestLike): Cli {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'logq-cli-')))
  const running = new Set<ChildProcess>()
  t.teardown(() => {
    for (const child of running) killGroup(child, 'SIGKILL')
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  })
  const env = environment(directory)
  const cli: Cli = {
    directory,
    store: join(directory, 'store'),
    env,
    async shell(script, options = {}) {
      const { stdin, ...rest } = options
      const started = startScript(running, env, directory, script, { ...rest, stdin: stdin === undefined ? 'empty' : 'open' })
      if (stdin !== undefined) {
        started.write(stdin)
        started.end()
      }
      return await started.finished
    },
    async logq(args, options = {}) {
      return await cli.shell(['exec logq', ...args.map(shellQuote)].join(' '), options)
    },
    start: (script, options = {}) =>
      startScript(running, env, directory, script, { ...options, stdin: options.stdin ?? 'empty' }),
  }
  return cli
}

/** One word of a shell script, whatever it contains. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** What the shell reports for a process that a signal ended: 128 + its number. */
export function statusOfSignal(name: NodeJS.Signals): number {
  return 128 + constants.signals[name]
}

function environment(directory: string): Record<string, string> {
  const bin = join(directory, '.bin')
  const home = join(directory, '.home')
  const temporary = join(directory, '.tmp')
  for (const path of [bin, home, temporary]) mkdirSync(path, { mode: 0o700 })
  symlinkSync(stubPath, join(bin, 'logq'))
  symlinkSync(process.execPath, join(bin, 'node'))
  return {
    PATH: [bin, ...(process.env['PATH'] ?? '/usr/bin:/bin').split(delimiter)].join(delimiter),
    HOME: home,
    XDG_DATA_HOME: join(home, 'share'),
    LOGQ_STORE: join(directory, 'store'),
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
  }
}

interface StartOptions extends Omit<RunOptions, 'stdin'> {
  readonly stdin: 'open' | 'empty'
}

function startScript(
  running: Set<ChildProcess>,
  base: Record<string, string>,
  directory: string,
  script: string,
  options: StartOptions,
): Running {
  const env: Record<string, string> = { ...base }
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (value === undefined) Reflect.deleteProperty(env, name)
    else env[name] = value
  }
  const input = options.stdin === 'open' ? 'exec < <(exec cat 2>/dev/null)' : 'exec < <(:)'
  const wrapped = `${input}; exec > >(exec cat) 2> >(exec cat >&2); eval "$1"`
  const child = spawn('bash', ['--norc', '-c', wrapped, 'test', script], {
    cwd: options.cwd ?? directory,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.add(child)
  const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] }
  const watchers = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      chunks[stream].push(chunk)
      for (const look of watchers) look()
    })
  }
  // A script may end without reading its input.
  child.stdin.on('error', () => undefined)
  if (options.stdin === 'empty') child.stdin.end()
  const collected = (stream: 'stdout' | 'stderr'): Buffer => Buffer.concat(chunks[stream])
  const report = (what: string): Error =>
    new Error(`${what}: ${script}\nstdout: ${excerpt(collected('stdout'))}\nstderr: ${excerpt(collected('stderr'))}`)

  let timedOut = false
  let ended = false
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  const timer = setTimeout(() => {
    timedOut = true
    killGroup(child, 'SIGKILL')
  }, timeoutMs)
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject)
    // The `cat` in front of the input would wait for more, and hold the output open.
    child.on('exit', () => child.stdin.destroy())
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      running.delete(child)
      ended = true
      for (const look of watchers) look()
      if (timedOut) reject(report(`killed after ${timeoutMs} ms`))
      else resolve({ status, signal, stdout: collected('stdout'), stderr: collected('stderr').toString() })
    })
  })
  // Whoever starts a script may be done with it before it ends.
  finished.catch(() => undefined)

  return {
    pid: child.pid ?? 0,
    stdout: () => collected('stdout'),
    stderr: () => collected('stderr').toString(),
    write: (bytes) => void child.stdin.write(bytes),
    end: () => void child.stdin.end(),
    signal(name, { group = false } = {}) {
      if (group) killGroup(child, name)
      else child.kill(name)
    },
    waitForOutput(wanted, { stream = 'stdout', timeoutMs: waitMs = waitTimeoutMs } = {}) {
      const matches = (text: string): boolean => {
        if (typeof wanted === 'string') return text.includes(wanted)
        return typeof wanted === 'function' ? wanted(text) : wanted.test(text)
      }
      return new Promise<void>((resolve, reject) => {
        const settle = (error?: Error): void => {
          clearTimeout(waitTimer)
          watchers.delete(look)
          if (error === undefined) resolve()
          else reject(error)
        }
        const look = (): void => {
          if (matches(collected(stream).toString())) settle()
          else if (ended) settle(report(`ended before ${describeWanted(wanted)} came`))
        }
        const waitTimer = setTimeout(() => {
          settle(report(`no ${describeWanted(wanted)} within ${waitMs} ms`))
        }, waitMs)
        watchers.add(look)
        look()
      })
    },
    finished,
  }
}

function killGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, name)
  } catch {
    // The group has ended already.
  }
}

function describeWanted(wanted: string | RegExp | ((text: string) => boolean)): string {
  return typeof wanted === 'function' ? 'the wanted output' : `'${String(wanted)}'`
}

function excerpt(bytes: Buffer): string {
  return bytes.length <= 2000 ? bytes.toString() : `… ${bytes.subarray(bytes.length - 2000).toString()}`
}
