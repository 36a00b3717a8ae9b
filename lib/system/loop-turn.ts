/**
 * Calls that never wait, such as reads of a pipe that is always full, can follow each other without the event loop ever getting a
 * turn: then no timer fires, no signal is seen and no fdatasync is reported. Whoever makes such calls in a row gives way in time.
 */

const LONGEST_WITHOUT_TURN_MS = 5

export class LoopTurn {
  #lastMs = performance.now()

  /** Undefined while there is time, else a promise that resolves after a turn of the event loop. */
  giveWay(): Promise<void> | undefined {
    const nowMs = performance.now()
    if (nowMs - this.#lastMs < LONGEST_WITHOUT_TURN_MS) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#lastMs = performance.now()
        resolve()
      })
    })
  }
}
