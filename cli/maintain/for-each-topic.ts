/** One topic after the other: what fails of one is named, and is no reason to leave out the others. */
import { isLogqError } from '../../lib/errors.js'
import type { Io } from '../io.js'

/** `all`: when none is named; a topic that is gone by then is none. */
export async function forEachTopic(
  named: readonly string[],
  all: () => readonly string[],
  io: Io,
  work: (topic: string) => Promise<void>,
): Promise<void> {
  for (const topic of named.length > 0 ? named : all()) {
    if (io.signal.aborted) return
    try {
      await work(topic)
    } catch (error) {
      if (isLogqError(error, 'LOGQ_ABORTED')) return
      if (named.length === 0 && isLogqError(error, 'LOGQ_UNKNOWN_TOPIC')) continue
      if (named.length === 1) throw error
      await io.failWith(error)
    }
  }
}
