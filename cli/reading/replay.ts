/**
 * --speed: records in the rhythm of their timestamps. The first one comes at once, and each of the others as long after it as its
 * timestamp is, divided by the speed. What comes late, since its reader was slow, is caught up with; a timestamp that is older than
 * one before it, or none, is no reason to wait.
 */
import type { Clock } from '../../lib/system/system.js'
import { usageError } from '../errors.js'
import type { OutputWriter } from '../output.js'

/** How many times as fast as it was; Infinity does not wait. */
export type Speed = number

/** `10x`, `0.5x`, `max`. */
export function parseSpeed(text: string): Speed {
  if (text === 'max') return Infinity
  const factor = /^((?:0|[1-9]\d*)(?:\.\d+)?)x$/.exec(text)?.[1]
  const speed = Number(factor)
  if (factor === undefined || !(speed > 0)) {
    throw usageError(`invalid speed '${text}'`, 'a speed is written as 1x, 10x or 0.5x; max does not wait')
  }
  return speed
}

export class Replay {
  #first: { readonly timestampMs: number; readonly atMs: number } | undefined

  constructor(
    private readonly speed: Speed,
    private readonly output: Pick<OutputWriter, 'flush'>,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {}

  /** Waits until a record of that time is due, or the signal aborts. What was printed before is flushed before a wait. */
  async waitFor(timestamp: number | bigint): Promise<void> {
    const timestampMs = Number(timestamp)
    if (timestampMs === -1 || this.speed === Infinity) return
    this.#first ??= { timestampMs, atMs: this.clock.monotonicMs() }
    const dueMs = this.#first.atMs + (timestampMs - this.#first.timestampMs) / this.speed
    if (dueMs <= this.clock.monotonicMs()) return
    await this.output.flush()
    await this.clock.sleep(dueMs - this.clock.monotonicMs(), this.signal)
  }
}
