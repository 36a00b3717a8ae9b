/** Which topic a name stands for at present, asked often: a topic may be removed, and created anew, at any time. */
import { HeldFile } from '../system/held-file.js'
import type { Store } from './store.js'
import { findTopic, topicPath } from './topics.js'

/** Each keeps a file open. Of more topics the file is read each time. */
const MAX_HELD = 64

export class TopicIds {
  readonly #known = new Map<string, { readonly file: HeldFile; id: string | undefined }>()

  constructor(private readonly store: Store) {}

  /** Undefined when there is no such topic. Throws what `findTopic` throws. */
  idOf(topic: string): string | undefined {
    let known = this.#known.get(topic)
    if (known === undefined) {
      if (this.#known.size >= MAX_HELD) return findTopic(this.store, topic)?.topicId
      known = { file: new HeldFile(this.store.system.fs, topicPath(this.store, topic)), id: undefined }
      this.#known.set(topic, known)
    }
    // Held first: what is read may be newer than that, and is read again then.
    if (!known.file.isSame()) known.id = known.file.take() === undefined ? undefined : findTopic(this.store, topic)?.topicId
    return known.id
  }

  close(): void {
    for (const { file } of this.#known.values()) file.close()
    this.#known.clear()
  }
}
