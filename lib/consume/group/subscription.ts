/** What a consumer wants to read: names of topics, which must exist, and patterns, which may match more later. */
import type { Store } from '../../store/store.js'
import { compileTopicPattern, isTopicPattern } from '../../store/topic-pattern.js'
import { getTopic, listTopics } from '../../store/topics.js'

export interface Subscription {
  readonly given: readonly string[]
  /** The topics that this comes to at present, sorted. */
  readonly topicsNow: () => string[]
}

/** Throws LOGQ_UNKNOWN_TOPIC, or LOGQ_USAGE for a pattern that cannot be one. */
export async function compileSubscription(store: Store, given: readonly string[]): Promise<Subscription> {
  const names = given.filter((topic) => !isTopicPattern(topic))
  for (const topic of names) getTopic(store, topic)
  const patterns = given.filter(isTopicPattern).map(compileTopicPattern)
  const topicsNow = (): string[] => {
    const matching =
      patterns.length === 0 ? [] : listTopics(store).filter((topic) => patterns.some((matches) => matches(topic)))
    return [...new Set([...names, ...matching])].sort()
  }
  return { given, topicsNow }
}
