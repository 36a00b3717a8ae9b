/** One topic as `followTopic` gives it, with at most one step asked for ahead. */
import type { Isolation } from '../../log/log-view.js'
import type { Store } from '../../store/store.js'
import { followTopic, type FollowStep } from '../follow-topic.js'
import type { Position } from './positions.js'

export class TopicReader {
  #steps: AsyncGenerator<FollowStep, void, undefined> | undefined
  readonly #stop = new AbortController()
  #pending: Promise<FollowStep | undefined> | undefined

  constructor(
    private readonly store: Store,
    readonly topic: string,
    private readonly positions: ReadonlyMap<number, Position>,
    private readonly isolation: Isolation | undefined,
  ) {}

  /** Asks for the next step, unless that was done; `onReady` is called once, when `take` can take it. */
  ask(onReady: () => void): void {
    if (this.#pending !== undefined) return
    this.#steps ??= this.#begin()
    this.#pending = this.#steps.next().then(({ value }) => value ?? undefined)
    this.#pending.then(onReady, onReady)
  }

  /** The step that was asked for; undefined at the end. Rejects with what reading failed with. */
  async take(): Promise<FollowStep | undefined> {
    const step = this.#pending
    this.#pending = undefined
    return await step
  }

  #begin(): AsyncGenerator<FollowStep, void, undefined> {
    const topicId = [...this.positions.values()][0]?.topicId
    return followTopic(this.store, this.topic, {
      partitions: [...this.positions.keys()],
      fromOffsets: new Map(
        [...this.positions].map(([partition, { offset, givenOffset = 0 }]) => [partition, Math.max(offset, givenOffset)]),
      ),
      ...(topicId === undefined ? {} : { topicId }),
      awaitTopic: true,
      isolation: this.isolation,
      signal: this.#stop.signal,
    })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    // What it was about to throw does not matter any more.
    await this.#pending?.catch(() => undefined)
    await this.#steps?.return()
  }
}
