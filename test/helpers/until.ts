/** Waiting for what is to become so, generously: how long it takes says nothing on a machine that does something else as well. */
import { readFileSync } from 'node:fs'

/** Rejects when it is not so within `timeoutMs`. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const beginMs = performance.now()
  while (!(await isSo())) {
    if (performance.now() - beginMs > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await pause(50)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** One letter, as /proc has it: T for a process that is stopped. Undefined when there is no such process. */
export function processState(pid: number): string | undefined {
  try {
    return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
