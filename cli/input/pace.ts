/**
 * When a producer appends what it collected, and syncs what it appended, beside the batches that are full: it follows the input.
 * While input is there, batches fill; when a read has to wait, what is collected goes out after --linger, and a little later it
 * is synced. An input that never quite pauses is no reason to put either off for ever, so both have a limit.
 */
import type { Producer } from '../../lib/produce/producer.js'
import type { Clock } from '../../lib/system/system.js'
import type { Acknowledgements } from './acknowledgements.js'

/** An input that pauses is worth a sync, but not between two lines of a program that just thinks. */
const SYNC_AFTER_PAUSE_MS = 20
/** With lines that come one by one, never 20 ms apart. */
const LONGEST_UNSYNCED_MS = 1_000
/** While input never pauses: how long a record may wait for its batch to fill, and for its printed offset. */
const LONGEST_COLLECTED_MS = 1_000
const LONGEST_UNPRINTED_MS = 100

export class Pace {
  #collectedSinceMs: number | undefined
  #unsyncedSinceMs: number | undefined
  #waitingSinceMs = 0

  constructor(
    private readonly producer: Pick<Producer, 'flush' | 'sync'>,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly lingerMs: number,
    private readonly acknowledgements: Acknowledgements | undefined,
  ) {}

  /** A record was taken. Cheap: the clock is asked only for the first one after a flush or a sync. */
  noteTaken(): void {
    if (this.#collectedSinceMs !== undefined && this.#unsyncedSinceMs !== undefined) return
    const nowMs = this.clock.monotonicMs()
    this.#collectedSinceMs ??= nowMs
    this.#unsyncedSinceMs ??= nowMs
  }

  /** A read begins to wait. */
  noteWaiting(): void {
    this.#waitingSinceMs = this.clock.monotonicMs()
  }

  /** While a read waits: in how many ms `run` should be called (0 for now), undefined when there is nothing to do. */
  dueInMs(): number | undefined {
    const dueMs = this.#dueMs()
    return dueMs === undefined ? undefined : Math.max(0, dueMs - this.clock.monotonicMs())
  }

  /** While input is there: whether something has been put off for too long. */
  get isOverdue(): boolean {
    if (this.acknowledgements !== undefined)
      return this.#isOlder(this.#unsyncedSinceMs, Math.max(this.lingerMs, LONGEST_UNPRINTED_MS))
    return this.#isOlder(this.#collectedSinceMs, this.lingerMs > 0 ? this.lingerMs : LONGEST_COLLECTED_MS)
  }

  /** Appends, or syncs, whichever is due next. With printed offsets both at once: an offset is printed after its sync. */
  async run(): Promise<void> {
    if (this.acknowledgements === undefined && this.#collectedSinceMs !== undefined) {
      await this.producer.flush()
      this.#collectedSinceMs = undefined
      return
    }
    await this.producer.sync()
    this.#collectedSinceMs = undefined
    this.#unsyncedSinceMs = undefined
    await this.acknowledgements?.print()
  }

  #dueMs(): number | undefined {
    if (this.#unsyncedSinceMs === undefined) return undefined
    if (this.acknowledgements !== undefined) return this.#unsyncedSinceMs + this.lingerMs
    if (this.#collectedSinceMs !== undefined) return this.#collectedSinceMs + this.lingerMs
    return Math.min(this.#waitingSinceMs + SYNC_AFTER_PAUSE_MS, this.#unsyncedSinceMs + LONGEST_UNSYNCED_MS)
  }

  #isOlder(sinceMs: number | undefined, limitMs: number): boolean {
    return sinceMs !== undefined && this.clock.monotonicMs() - sinceMs > limitMs
  }
}
