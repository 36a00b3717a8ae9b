/**
 * Records of one large size, in and out by every way that takes them, with the memory of each command measured. The table is shared by
 * a quick suite and a long one.
 */
import { readFileSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { freemem, tmpdir } from 'node:os'
import type { ExecutionContext } from 'ava'
import { makeCli, type Cli, type Finished } from '../helpers/run-cli.js'
import { projectRoot } from '../helpers/project.js'

const mebibyte = 1 << 20
/** What every command may take, whatever its input. */
export const baseMiB = 150
const timeoutMs = 600_000

export interface Measured extends Finished {
  /** The most memory that the command under `peak` had. */
  readonly peakMiB: number
}

/** Runs a script in which one command stands behind the word `peak`. */
export async function measure(cli: Cli, script: string): Promise<Measured> {
  const preload = join(projectRoot, 'test', 'bench', 'peak-memory.cjs')
  const peak = `peak() { BENCH_PEAK="$PWD/peak" NODE_OPTIONS="--require=${preload}" "$@"; }`
  const done = await cli.shell(`set -o pipefail; rm -f peak; ${peak}; ${script}`, { timeoutMs })
  return { ...done, peakMiB: Math.round(Number(readFileSync(join(cli.directory, 'peak'), 'utf8')) / 1024) }
}

/** Why this machine cannot hold so much, or undefined. */
export function lacking(memoryBytes: number, diskBytes: number): string | undefined {
  if (freemem() < memoryBytes) return `${Math.round(memoryBytes / mebibyte)} MiB of free memory are needed`
  const { bavail, bsize } = statfsSync(tmpdir())
  return bavail * bsize < diskBytes ? `${Math.round(diskBytes / mebibyte)} MiB of free disk are needed` : undefined
}

/** `in` is the value, `t` holds it twice. Each row: what, the script, its exit status. */
const ways: readonly (readonly [what: string, script: string, status: number])[] = [
  ['produce from a pipe', 'cat in | peak logq produce t', 0],
  ['produce from a file', 'peak logq produce t in', 0],
  ['cat', 'peak logq cat t | cmp - <(cat in; echo; cat in; echo)', 0],
  ['cat -K', 'peak logq cat -n 1 -K : t | cmp - <(printf :; cat in; echo)', 0],
  ['cat --reverse', 'peak logq cat --reverse t | cmp - <(cat in; echo; cat in; echo)', 0],
  ['tail -n 2', 'peak logq tail -n 2 t | cmp - <(cat in; echo; cat in; echo)', 0],
  ['tail -f', 'peak logq tail -f -o start --idle 1s t | cmp - <(cat in; echo; cat in; echo)', 4],
  ['cat --format batch', 'peak logq cat -o 0:1 --format batch t > batch', 0],
  ['produce --format batch', 'peak logq produce --format batch v < batch; status=$?; rm batch; exit $status', 0],
  ['what was produced so', 'peak logq cat v | cmp - <(cat in; echo)', 0],
  ['digest', 'peak logq digest t', 0],
  ['fsck', 'peak logq fsck t', 0],
]

/** One record of `sizeBytes`, which the topics take, and every way in and out. */
export async function passHugeRecords(t: ExecutionContext, sizeBytes: number, settings = ''): Promise<Cli> {
  const cli = makeCli(t)
  const made = await cli.shell(
    `head -c ${sizeBytes} /dev/zero | tr '\\0' a > in && logq topic create t ${settings} && logq topic create v ${settings}`,
    { timeoutMs },
  )
  t.is(made.status, 0, made.stderr)
  const limitMiB = baseMiB + (4 * sizeBytes) / mebibyte
  for (const [what, script, status] of ways) {
    const done = await measure(cli, script)
    t.log(`${what}: ${done.peakMiB} MiB`)
    t.is(done.status, status, `${what}: ${done.stderr}`)
    t.true(done.peakMiB > 0 && done.peakMiB <= limitMiB, `${what}: ${done.peakMiB} MiB, at most ${limitMiB} are allowed`)
  }
  return cli
}
