/**
 * Kills the built program before each system call that touches given paths, one after the other (strace; Linux).
 *
 * strace counts calls by name and by thread, so the thread pool has one thread here and every crash point is exact. The kill
 * comes before the call is made. Temporary files have random names and are not among the paths; failpoints stand before their
 * renames.
 */
import { spawnSync } from 'node:child_process'
import type { Cli, Finished } from './run-cli.js'

export const changingCalls = [
  'openat',
  'mkdir',
  'write',
  'pwrite64',
  'fdatasync',
  'fsync',
  'ftruncate',
  'rename',
  'unlink',
  'rmdir',
] as const

/** Why crash points cannot be had here, or undefined. */
export function straceMissing(): string | undefined {
  if (process.platform !== 'linux') return 'strace exists on Linux only'
  const tried = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true'])
  if (tried.error !== undefined) return 'strace is not installed'
  return tried.status === 0 ? undefined : 'strace may not trace here'
}

export interface CrashPoint {
  readonly call: (typeof changingCalls)[number]
  readonly nth: number
}

/**
 * A script that runs a command so that it is killed at a crash point, and exits as it did. strace must not take the place of
 * the shell: it would wait for the shell's other children as well.
 */
export function killedAt({ call, nth }: CrashPoint, paths: readonly string[], command: string): string {
  const wanted = paths.map((path) => `-P ${path}`).join(' ')
  const inject = `-e trace=${call} -e inject=${call}:signal=KILL:when=${nth}`
  return `env UV_THREADPOOL_SIZE=1 strace -f -qq -o /dev/null ${wanted} ${inject} ${command}; exit $?`
}

/** Whether the program was killed: strace dies of the same signal: then there was such a call. */
export function wasKilled({ status, signal }: Finished): boolean {
  return signal === 'SIGKILL' || status === 137
}

/**
 * Runs `attempt` at every crash point: for each call with n = 1, 2, … until the program is no longer killed. `attempt` says
 * whether it was. Returns how many crash points there were.
 */
export async function everyCrashPoint(
  attempt: (point: CrashPoint, round: number) => Promise<boolean>,
  maxPerCall = 200,
): Promise<number> {
  let count = 0
  let round = 0
  for (const call of changingCalls) {
    for (let nth = 1; nth <= maxPerCall; nth += 1) {
      round += 1
      if (!(await attempt({ call, nth }, round))) break
      count += 1
    }
  }
  return count
}

/** All paths of a topic with one partition, for segments that begin at the given offsets. */
export function topicPaths(cli: Cli, topic: string, partitions: number, baseOffsets: readonly number[]): string[] {
  const store = cli.store
  const paths = [store, `${store}/topics`, `${store}/topics/${topic}.json`, `${store}/logq.json`, `${store}/lock`]
  for (let partition = 0; partition < partitions; partition += 1) {
    const directory = `${store}/${topic}-${partition}`
    const small = ['lock', 'recovery-point', 'leader-epoch-checkpoint', 'leader-epoch-ids', 'log-start-offset', 'quarantine']
    paths.push(directory, ...small.map((name) => `${directory}/${name}`))
    for (const base of baseOffsets) {
      for (const suffix of ['log', 'index', 'timeindex']) paths.push(`${directory}/${String(base).padStart(20, '0')}.${suffix}`)
    }
  }
  return paths
}
