/**
 * Runs the built program so that system calls on the store fail, or it is killed before one, with strace (Linux).
 *
 * A first run without a fault lists the calls. strace counts them by name and by thread, so the thread pool has one thread, and a call
 * is told by its number: files with random names (`.tmp-…`) fail as well as those that have a known path.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cli } from '../helpers/run-cli.js'

/** Calls that change the store, or its names. */
export const changingCalls = [
  'openat',
  'mkdir',
  'pwrite64',
  'fdatasync',
  'fsync',
  'ftruncate',
  'rename',
  'unlink',
  'rmdir',
] as const
/** Calls of those who look only. */
export const lookingCalls = ['openat', 'pread64', 'getdents64'] as const

export type FaultyCall = (typeof changingCalls)[number] | (typeof lookingCalls)[number]

/** One call of a command: the `nth` of that name in its thread. */
export interface CallPlace {
  readonly call: FaultyCall
  readonly nth: number
  /** What it touches, below the working directory. */
  readonly path: string
  /** Something is another after it: opening alone changes nothing. */
  readonly isChange: boolean
}

const TRACE = 'calls.trace'
const strace = (options: string, command: string): string =>
  `UV_THREADPOOL_SIZE=1 strace -f -y -qq -s 200 -o ${TRACE} ${options} ${command}; exit $?`

/** A script that writes down the calls of a command; `callsOf` reads them. */
export function listing(calls: readonly FaultyCall[], command: string): string {
  return strace(`-e trace=${calls.join()}`, command)
}

/** The calls on anything in the working directory of the last script by `listing`, in their order, without those that failed anyhow. */
export function callsOf(cli: Cli): CallPlace[] {
  const counts = new Map<string, number>()
  const places: CallPlace[] = []
  for (const line of traceOf(cli).split('\n')) {
    const match = /^(\d+) +(\w+)\((.*)$/.exec(line)
    if (match === null) continue
    const [, thread = '', call = '', rest = ''] = match
    const nth = (counts.get(thread + call) ?? 0) + 1
    counts.set(thread + call, nth)
    const path = new RegExp(`${cli.directory}/([^.][^">]*)`).exec(rest)?.[1]
    if (path === undefined || rest.includes(') = -1 ')) continue
    places.push({ call: call as FaultyCall, nth, path, isChange: call !== 'openat' || /O_(CREAT|TRUNC)/.test(rest) })
  }
  return places
}

/** A script that runs a command with that call failing, and exits as it did. */
export function failing({ call, nth }: CallPlace, code: string, command: string): string {
  return strace(`-e trace=${call} -e inject=${call}:error=${code}:when=${nth}`, command)
}

/**
 * The same, with all calls of some names failing from a place in the list of calls on. strace counts by name: each begins to fail with
 * the number that it has reached there.
 */
export function failingFrom(
  calls: readonly CallPlace[],
  place: CallPlace,
  names: readonly FaultyCall[],
  code: string,
  command: string,
): string {
  const earlier = calls.slice(0, calls.indexOf(place))
  const injections = names.map((name) => {
    const done = earlier.filter(({ call }) => call === name).map(({ nth }) => nth)
    return `-e inject=${name}:error=${code}:when=${Math.max(0, ...done) + 1}+`
  })
  return strace(`-e trace=${names.join()} ${injections.join(' ')}`, command)
}

/** A script that runs a command that is killed before that call, and then exits with 137. */
export function killedBefore({ call, nth }: CallPlace, command: string): string {
  return strace(`-e trace=${call} -e inject=${call}:signal=KILL:when=${nth}`, command)
}

/**
 * A script that traces a process that runs already, from now on and to its end; with a place, it is killed there. strace must not take the
 * place of the shell, whose other children it would wait for.
 */
export function killing(pid: number, calls: readonly FaultyCall[], place?: CallPlace): string {
  if (place === undefined) return `strace -f -y -qq -s 200 -o ${TRACE} -e trace=${calls.join()} -p ${pid}; exit $?`
  const { call, nth } = place
  return `strace -f -y -q -s 200 -o ${TRACE} -e trace=${call} -e inject=${call}:signal=KILL:when=${nth} -p ${pid}; exit $?`
}

/** Why processes that run cannot be traced here, or undefined. */
export function attachMissing(): string | undefined {
  const script = 'sleep 30 & timeout 0.3 strace -qq -o /dev/null -p $!; tried=$?; kill $!; exit $tried'
  return spawnSync('bash', ['-c', script], { stdio: 'ignore' }).status === 1
    ? 'strace may not attach to processes here'
    : undefined
}

export function traceOf(cli: Cli): string {
  return readFileSync(join(cli.directory, TRACE), 'utf8')
}

/** An even choice. */
export function evenly<Item>(items: readonly Item[], most: number): Item[] {
  const step = Math.max(1, items.length / most)
  return items.filter((_, n) => n === 0 || Math.floor(n / step) > Math.floor((n - 1) / step))
}

/** The calls that failed in the last script by `failing`, as strace wrote them. */
export function injected(cli: Cli): string[] {
  return traceOf(cli)
    .split('\n')
    .filter((line) => line.includes('(INJECTED)'))
}
