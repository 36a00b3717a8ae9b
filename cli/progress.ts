/** A progress bar on long work, where somebody watches it: `logq archive: 'access-0' [============------------] 50 %, 12s left`. */
import type { Io } from './io.js'
import { formatDuration } from './values/units.js'

const REDRAW_MS = 200
const BAR_CHARACTERS = 24

export interface Progress {
  /** Draws at most five times a second. */
  readonly update: (partition: number, doneBytes: number, totalBytes: number) => void
  /** Takes the bar away: before something is printed on the same terminal, and at the end. */
  readonly clear: () => Promise<void>
}

/** Of the partitions of a topic, one after the other. Nothing is drawn with -q, or when standard error is no terminal. */
export function progressOf(topic: string, io: Io): Progress {
  const { clock } = io.system
  let current = -1
  let startedMs = 0
  let drawnMs = 0
  let drawing = Promise.resolve()
  return {
    update(partition, doneBytes, totalBytes) {
      const nowMs = clock.monotonicMs()
      // What is done at once needs no bar.
      if (partition !== current) [current, startedMs, drawnMs] = [partition, nowMs, nowMs]
      if (nowMs - drawnMs < REDRAW_MS) return
      drawnMs = nowMs
      drawing = io.showStatus(`'${topic}-${partition}' ${barOf(doneBytes, totalBytes, nowMs - startedMs)}`)
    },
    async clear() {
      await drawing
      await io.showStatus('')
    },
  }
}

/** `[======------------------] 25 %, 3s left`; without the time while nothing is done. */
export function barOf(doneBytes: number, totalBytes: number, elapsedMs: number): string {
  const part = totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : 1
  const full = Math.round(part * BAR_CHARACTERS)
  const bar = `[${'='.repeat(full)}${'-'.repeat(BAR_CHARACTERS - full)}] ${Math.floor(part * 100)} %`
  return part === 0 || part === 1
    ? bar
    : `${bar}, ${formatDuration(Math.round((elapsedMs * (1 - part)) / part / 1000) * 1000)} left`
}
