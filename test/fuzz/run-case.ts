/** Runs one input, and judges what every target is held to: time in proportion to the input. Memory is the business of who calls. */
import type { FuzzTarget } from './target.js'

/** Of processor time: others may be using the machine. What is loaded or compiled at the first call is within it. */
const LIMIT_MS = 2_000
const LIMIT_MS_PER_BYTE = 0.02

/** What is wrong, or undefined. */
export async function problemOf(target: FuzzTarget, input: Uint8Array): Promise<string | undefined> {
  const started = process.cpuUsage()
  try {
    // A view at an odd place of a larger array: who forgets byteOffset is seen.
    const within = new Uint8Array(input.length + 3)
    within.set(input, 1)
    await target.check(within.subarray(1, input.length + 1))
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : `thrown: ${String(error)}`
  }
  const { user, system } = process.cpuUsage(started)
  const ms = (user + system) / 1000
  return ms > LIMIT_MS + LIMIT_MS_PER_BYTE * input.length ? `${ms} ms for ${input.length} bytes` : undefined
}

/** A smaller input that is wrong in the same way: parts are taken out for as long as it stays so. */
export async function minimised(target: FuzzTarget, input: Uint8Array, problem: string): Promise<Uint8Array> {
  const kind = firstLine(problem)
  let least = Buffer.from(input)
  let triesLeft = 2_000
  for (let size = least.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < least.length && triesLeft > 0; triesLeft -= 1) {
      const without = Buffer.concat([least.subarray(0, at), least.subarray(at + size)])
      const found = await problemOf(target, without)
      if (found !== undefined && firstLine(found).slice(0, 40) === kind.slice(0, 40)) least = without
      else at += size
    }
  }
  return least
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
