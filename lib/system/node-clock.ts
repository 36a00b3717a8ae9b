/** Wall clock, monotonic clock and sleeping of the running process. */
import type { Clock } from './system.js'

// setTimeout fires at once when asked for more than a signed 32-bit number of milliseconds.
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const nodeClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    const endMs = performance.now() + ms
    for (let leftMs = ms; ; leftMs = endMs - performance.now()) {
      if (signal?.aborted === true) return
      await sleepOnce(Math.min(Math.max(leftMs, 0), LONGEST_TIMER_MS), signal)
      if (leftMs <= LONGEST_TIMER_MS) return
    }
  },
}

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    signal?.addEventListener('abort', finish)
  })
}
