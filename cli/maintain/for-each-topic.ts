/** One topic after the other: what fails of one is named, and is no reason to leave out the others. */
import { isLogqError } from '../../lib/errors.js'
import type { Store } from '../../lib/store/store.js'
import type { TopicFile } from '../../lib/store/topic-file.js'
import { getTopic, listTopics } from '../../lib/store/topics.js'
import type { Io } from '../io.js'

/** Those that are named, or all that are meant; of these one that is removed meanwhile is none. */
export async function forEachTopic(
  store: Store,
  named: readonly string[],
  isMeant: (file: TopicFile) => boolean,
  io: Io,
  work: (file: TopicFile) => Promise<void>,
): Promise<void> {
  for (const topic of named.length > 0 ? named : listTopics(store)) {
    if (io.signal.aborted) return
    try {
      const file = getTopic(store, topic)
      if (named.length > 0 || isMeant(file)) await work(file)
    } catch (error) {
      if (isLogqError(error, 'LOGQ_ABORTED')) return
      const isGone = isLogqError(error, 'LOGQ_UNKNOWN_TOPIC') || isLogqError(error, 'LOGQ_TOPIC_REMOVED')
      if (named.length === 0 && isGone) continue
      if (named.length === 1) throw error
      await io.failWith(error)
    }
  }
}
