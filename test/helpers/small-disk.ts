/** A real disk that is soon full. */
import type { ExecutionContext } from 'ava'
import { shellQuote, type makeCli } from './run-cli.js'

/** Runs a script in a mount namespace of its own, where `disk` is a tmpfs of the given size. Fails where none can be mounted. */
export function onSmallDisk(size: string, script: string): string {
  const unshare = process.getuid?.() === 0 ? 'unshare -m' : 'unshare -Urm'
  return `mkdir -p disk && ${unshare} bash -c ${shellQuote(`mount -t tmpfs -o size=${size} none disk && { ${script}\n}`)}`
}

/** Whether one can be mounted. Where not, the test says so, and has nothing more to do. */
export async function hasSmallDisk(t: ExecutionContext, cli: ReturnType<typeof makeCli>): Promise<boolean> {
  if ((await cli.shell(onSmallDisk('64k', 'true'))).status === 0) return true
  t.log('left out: no tmpfs can be mounted here')
  t.pass()
  return false
}
