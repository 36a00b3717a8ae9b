/**
 * Bytes that have to be fetched before they can be read. A file system is synchronous, and what is on another machine takes long: it throws
 * AwaitedBytes, and who reads fetches them, while signals, timers and other readers go on, and looks again. What was fetched stays
 * for a while, so that a look which needs several pieces gets one further each time.
 *
 * Whoever reads a log that may be archived elsewhere is prepared for it: LogReader says 'suspect' and fetches in `settle`, and all other
 * looks go through `whenFetched`.
 */
export class AwaitedBytes extends Error {
  constructor(
    place: string,
    /** Throws LOGQ_ABORTED, CorruptionError, LOGQ_IO, or a system error. */
    readonly fetch: (signal?: AbortSignal) => Promise<void>,
  ) {
    super(`${place} is not fetched yet`)
    this.name = 'AwaitedBytes'
  }
}

/** What `look` gives. It is called again after each fetch, and must be able to begin anew. Throws what it throws, and what `fetch` does. */
export async function whenFetched<Result>(look: () => Result, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    try {
      return look()
    } catch (error) {
      if (!(error instanceof AwaitedBytes)) throw error
      await error.fetch(signal)
    }
  }
}
