/** Someone who follows the topic `t` of a store in memory, and somebody who appends to it. */
import { followTopic, type FollowNotice, type FollowOptions, type FollowStep } from '../../lib/consume/follow-topic.js'
import { openStore, type Store } from '../../lib/store/store.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { beside } from '../log/tiny-log.js'
import { STORE, produce } from '../store/tiny-store.js'

/** Someone who follows, step by step, in a process of its own. */
export class Follower {
  readonly seen: string[] = []
  readonly #stop = new AbortController()
  readonly #steps: AsyncGenerator<FollowStep, void, undefined>
  readonly system: FakeSystem

  constructor(system: FakeSystem, options: Partial<FollowOptions> = {}) {
    this.system = beside(system, { pid: 9000 })
    const store = openStore(this.system, STORE)
    this.#steps = followTopic(store, 't', { fromOffsets: new Map(), signal: this.#stop.signal, ...options })
  }

  /** Goes on to the next pause, or to what `until` says; notes records as `partition:value`, and what else happens. */
  async advance(until: FollowStep['kind'] = 'pause'): Promise<void> {
    for (;;) {
      const { value: step, done } = await this.#steps.next()
      if (done === true) {
        this.seen.push('done')
        return
      }
      if (step.kind === 'batch') {
        for (const { offset, value } of step.batch.records()) {
          if (offset >= step.fromOffset) this.seen.push(`${step.partition}:${Buffer.from(value ?? []).toString()}`)
        }
      } else if (step.kind !== 'pause') this.seen.push(textOf(step))
      if (step.kind === until) return
    }
  }

  /** Everything until `count` things were seen. */
  async see(count: number): Promise<string[]> {
    while (this.seen.length < count) await this.advance()
    return this.seen
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#steps.return()
  }

  abort(): void {
    this.#stop.abort()
  }
}

/** A notice with its numbers: `skipped 0 5 9`. */
function textOf(step: FollowNotice): string {
  return Object.values(step).join(' ')
}

/** Appends values to a partition, as one batch. */
export async function send(store: Store, partition: number, ...values: readonly string[]): Promise<void> {
  const records = values.map((value) => ({ key: Buffer.from('a key'), value: Buffer.from(value) }))
  await produce(store, 't', records, { partition })
}
