/**
 * --rate: records are taken no faster than that, evenly. While the next one has to wait, the input counts as paused, so that what was
 * taken is appended and synced as it is when a pipe is slow.
 */
import type { Clock } from '../../lib/system/system.js'
import { usageError } from '../errors.js'
import { parseWholeNumber } from '../values/units.js'
import type { Pace } from './pace.js'

/** A timer is not worth setting for less: fast rates take a few records at a time. */
const SHORTEST_WAIT_MS = 5
/** After a pause, or a slow sync, no more is made up for than this: the rate holds for every second by itself. */
const CATCH_UP_MS = 100

const secondsPerUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

/** Records a second, from `100/s`, `30/m`, `1/h` or, a second, `100`. Throws a usage error. */
export function parseRate(text: string): number {
  const match = /^(\d+)(?:\/([smh]))?$/.exec(text)
  if (match === null) throw usageError(`invalid rate '${text}'`, 'a rate is written as 100/s, 30/m or 1/h')
  const count = parseWholeNumber(match[1] ?? '', { minimum: 1 })
  return count / (secondsPerUnit[match[2] ?? 's'] ?? 1)
}

export class RateLimit {
  readonly #intervalMs: number
  #nextMs: number | undefined

  constructor(
    recordsPerSecond: number,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {
    this.#intervalMs = 1000 / recordsPerSecond
  }

  /** Returns when so many records may be taken now, with those after them later. False when the signal came. */
  async admit(pace: Pace, recordCount = 1): Promise<boolean> {
    const nowMs = this.clock.monotonicMs()
    const dueMs = Math.max(this.#nextMs ?? nowMs, nowMs - CATCH_UP_MS)
    if (dueMs - nowMs > SHORTEST_WAIT_MS) await this.#waitUntil(dueMs, pace)
    this.#nextMs = dueMs + recordCount * this.#intervalMs
    return !this.signal.aborted
  }

  async #waitUntil(dueMs: number, pace: Pace): Promise<void> {
    pace.noteWaiting()
    while (!this.signal.aborted) {
      const leftMs = dueMs - this.clock.monotonicMs()
      if (leftMs <= 0) return
      const paceMs = pace.dueInMs()
      if (paceMs === undefined || paceMs > leftMs) await this.clock.sleep(leftMs, this.signal)
      else {
        if (paceMs > 0) await this.clock.sleep(paceMs, this.signal)
        else await pace.run()
      }
    }
  }
}
