/** Topics by pattern: globs over topic names, such as `access.*` or `{orders,payments}-?` (glob.ts). */
import { LogqError } from '../errors.js'
import { compileGlob } from './glob.js'
import type { Store } from './store.js'
import { listTopics } from './topics.js'

const INTERNAL_PREFIX = '__'
const MAX_PATTERN_LENGTH = 4_096

/** Whether a text is a pattern: none of these characters can be in a topic's name. */
export function isTopicPattern(text: string): boolean {
  return /[*?[{]/.test(text)
}

/**
 * The test of a pattern over names: `*` any characters, `?` one, `[a-z]` one of these, `[!a-z]` none of them, `{a,b}` one of these
 * texts. Names that begin with `__`, which are Kafka's own, match only a pattern that begins so too. Throws LOGQ_USAGE for a pattern
 * that is too long.
 */
export function compileTopicPattern(pattern: string): (topic: string) => boolean {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    const message = `the pattern '${pattern.slice(0, 40)}…' is longer than ${MAX_PATTERN_LENGTH} characters`
    throw new LogqError('LOGQ_USAGE', message)
  }
  const matches = compileGlob(pattern)
  const withInternal = pattern.startsWith(INTERNAL_PREFIX)
  return (topic) => (withInternal || !topic.startsWith(INTERNAL_PREFIX)) && matches(topic)
}

/**
 * The topics that a list of names and patterns stands for: names as they are given (whether they exist is not asked), and in the
 * place of a pattern the topics that match it, in the order of their names, without those that the list names elsewhere or an
 * earlier pattern gave. A pattern that no topic matches is an error of code LOGQ_UNKNOWN_TOPIC: thrown, or given to `onUnmatched`.
 * Throws LOGQ_USAGE for a pattern that cannot be used.
 */
export async function expandTopics(
  store: Store,
  given: readonly string[],
  onUnmatched: (error: LogqError) => void | Promise<void> = refuse,
): Promise<string[]> {
  if (!given.some(isTopicPattern)) return [...given]
  const present = listTopics(store)
  const taken = new Set(given.filter((each) => !isTopicPattern(each)))
  const topics: string[] = []
  for (const each of given) {
    if (!isTopicPattern(each)) {
      topics.push(each)
      continue
    }
    const found = present.filter(compileTopicPattern(each))
    if (found.length === 0) {
      const message = `no topic in store '${store.path}' matches '${each}'`
      await onUnmatched(new LogqError('LOGQ_UNKNOWN_TOPIC', message, { hint: "see 'logq topic ls'" }))
    }
    for (const topic of found) {
      if (taken.has(topic)) continue
      taken.add(topic)
      topics.push(topic)
    }
  }
  return topics
}

function refuse(error: LogqError): never {
  throw error
}
