/** --idle and --for: when reading ends by itself. */
import { setMaxListeners } from 'node:events'
import { LogqError } from '../../lib/errors.js'
import type { Io } from '../io.js'
import { formatDuration } from '../values/units.js'

export class TimeLimits {
  readonly #controller = new AbortController()
  /** Aborts when reading is over: after a signal, at a limit, or at `end`. */
  readonly signal = this.#controller.signal
  #lastPrintedMs = 0
  #isIdle = false

  constructor(
    private readonly given: { readonly idle: number | undefined; readonly for: number | undefined },
    private readonly io: Io,
  ) {
    // Every follower of a partition listens to it.
    setMaxListeners(0, this.signal)
    if (io.signal.aborted) this.#controller.abort()
    else io.signal.addEventListener('abort', this.end, { once: true })
    if (given.for !== undefined) void io.system.clock.sleep(given.for, this.signal).then(this.end)
  }

  /** Reading is over; nothing strikes any more. */
  readonly end = (): void => {
    this.#controller.abort()
    this.io.signal.removeEventListener('abort', this.end)
  }

  /** Following begins: from now on --idle counts. */
  beginIdle(): void {
    const { idle } = this.given
    if (idle === undefined) return
    this.#lastPrintedMs = this.io.system.clock.monotonicMs()
    void this.#watchIdle(idle)
  }

  /** Something was printed just now. */
  notePrinted(): void {
    if (this.given.idle !== undefined) this.#lastPrintedMs = this.io.system.clock.monotonicMs()
  }

  /** When reading is over: throws LOGQ_TIMEOUT if --idle was the reason. `topics` is what was followed, for the message. */
  refuseIdle(topics: string): void {
    const { idle } = this.given
    if (!this.#isIdle || idle === undefined) return
    throw new LogqError('LOGQ_TIMEOUT', `no record of ${topics} was printed for ${formatDuration(idle)}`)
  }

  async #watchIdle(idleMs: number): Promise<void> {
    const { clock } = this.io.system
    const output = this.io.output()
    for (;;) {
      const leftMs = this.#lastPrintedMs + idleMs - clock.monotonicMs()
      if (leftMs <= 0) break
      await clock.sleep(leftMs, this.signal)
      if (this.signal.aborted) return
      // Records that nobody takes are not missing.
      if (output.writtenBytes > output.acceptedBytes) this.notePrinted()
    }
    this.#isIdle = true
    this.end()
  }
}
