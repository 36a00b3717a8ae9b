/** The topics that a consumer reads, each by a reader of its own; those that have something take turns. */
import type { Isolation } from '../../log/log-view.js'
import type { Store } from '../../store/store.js'
import type { Positions } from './positions.js'
import { TopicReader } from './topic-reader.js'

export class TopicReaders {
  readonly #readers = new Map<string, TopicReader>()
  /** Those that have a step to be taken, in turn. */
  readonly #ready: TopicReader[] = []
  #wake: () => void = () => undefined

  constructor(
    private readonly store: Store,
    private readonly positions: Positions,
    private readonly isolation: Isolation | undefined,
  ) {}

  /**
   * The one that has had something for longest. Undefined when `mustStop`, which is asked at the start and after each `wake`, says so: then
   * nothing is taken.
   */
  async next(mustStop: () => boolean): Promise<TopicReader | undefined> {
    for (const reader of this.#readers.values()) {
      reader.ask(() => {
        this.#ready.push(reader)
        this.#wake()
      })
    }
    // A promise of its own each time: a race would leave something behind for each step in a reader that is idle meanwhile.
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (this.#ready.length === 0 && !mustStop()) await woken
    while (!mustStop()) {
      const first = this.#ready.shift()
      // Some were stopped since.
      if (first === undefined || this.#readers.get(first.topic) === first) return first
    }
    return undefined
  }

  /** `mustStop` may say something else by now. */
  wake(): void {
    this.#wake()
  }

  /** Reads these topics from what was dealt with, or given, on: of what was read ahead, nothing was. */
  async restart(topics: Iterable<string>): Promise<void> {
    for (const topic of new Set(topics)) {
      await this.#readers.get(topic)?.stop()
      this.#readers.delete(topic)
      const positions = this.positions.ofTopic(topic)
      if (positions !== undefined) this.#readers.set(topic, new TopicReader(this.store, topic, positions, this.isolation))
    }
  }

  /** The reader came to its end. */
  forget(topic: string): void {
    this.#readers.delete(topic)
  }

  /** `restart` begins anew. */
  async stop(): Promise<void> {
    for (const reader of this.#readers.values()) await reader.stop()
    this.#readers.clear()
  }
}
