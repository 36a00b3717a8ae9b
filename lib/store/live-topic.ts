/**
 * A topic in use by a long-running process: notices, within half a second, that its configuration changed, that partitions were
 * added, or that it was removed (and perhaps created anew).
 */
import { LogqError } from '../errors.js'
import { TopicConfig } from './topic-config.js'
import type { Store } from './store.js'
import type { TopicFile } from './topic-file.js'
import { findTopic, getTopic } from './topics.js'

const REFRESH_MS = 500

export class LiveTopic {
  #file: TopicFile
  #config: TopicConfig
  #checkedAtMs: number

  constructor(
    readonly store: Store,
    readonly topic: string,
  ) {
    this.#file = getTopic(store, topic)
    this.#config = new TopicConfig(this.#file.config)
    this.#checkedAtMs = store.system.clock.monotonicMs()
  }

  /** As of the last `refresh`. */
  get file(): TopicFile {
    return this.#file
  }

  get config(): TopicConfig {
    return this.#config
  }

  /** Looks at the topic file if the last look is half a second old. Throws LOGQ_TOPIC_REMOVED. Cheap enough to call per batch. */
  refresh(atOnce = false): void {
    const nowMs = this.store.system.clock.monotonicMs()
    if (this.store.kind === 'kafka' || (!atOnce && nowMs - this.#checkedAtMs < REFRESH_MS)) return
    this.#checkedAtMs = nowMs
    // Read each time: a topic that was removed and created anew can have the inode, size and time of its predecessor's file.
    const file = findTopic(this.store, this.topic)
    if (file?.topicId !== this.#file.topicId) throw removedTopic(this.topic)
    this.#file = file
    this.#config = new TopicConfig(file.config)
  }
}

export function removedTopic(topic: string): LogqError {
  return new LogqError('LOGQ_TOPIC_REMOVED', `topic '${topic}' was removed while it was in use`, {
    hint: 'a topic of that name that exists now is another one',
  })
}
