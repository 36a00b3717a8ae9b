/** A real disk that is soon full. */
import { shellQuote } from './run-cli.js'

/** Runs a script in a mount namespace of its own, where `disk` is a tmpfs of the given size. Fails where none can be mounted. */
export function onSmallDisk(size: string, script: string): string {
  const unshare = process.getuid?.() === 0 ? 'unshare -m' : 'unshare -Urm'
  return `mkdir -p disk && ${unshare} bash -c ${shellQuote(`mount -t tmpfs -o size=${size} none disk && { ${script}\n}`)}`
}
