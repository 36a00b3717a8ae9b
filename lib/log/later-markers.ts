/** How transactions ended, for a reader that goes backwards: it meets the end marker of each before its records. */
import type { RecordBatch } from '../record/batch.js'
import { endMarkerOf, type ProducerId } from '../record/control-record.js'
import { judgeOne } from './isolation.js'
import type { ViewContext } from './log-view.js'

/** Of so many producers the last marker is remembered; those of others are looked for again. */
const MAX_PRODUCERS = 50_000

export class LaterMarkers {
  /** By producer: whether its transactions that lie before what was read were committed. */
  readonly #isCommit = new Map<ProducerId, boolean>()

  constructor(private readonly context: ViewContext) {}

  /** Whether a batch that is not plain may be shown. To be asked about every such batch, from the last to the first. */
  isShown(batch: RecordBatch): boolean {
    if (this.context.isolation === 'read_uncommitted') return !batch.isControl
    const { producerId } = batch
    if (batch.isControl) {
      const marker = endMarkerOf(batch)
      if (marker !== undefined) this.#remember(producerId, marker.isCommit)
      return false
    }
    return this.#isCommit.get(producerId) ?? this.#lookFor(batch)
  }

  /** The marker lies behind the place where reading began. */
  #lookFor(batch: RecordBatch): boolean {
    const isCommit = judgeOne(this.context, batch) === 'shown'
    this.#remember(batch.producerId, isCommit)
    return isCommit
  }

  #remember(producerId: ProducerId, isCommit: boolean): void {
    this.#isCommit.set(producerId, isCommit)
    if (this.#isCommit.size <= MAX_PRODUCERS) return
    for (const oldest of this.#isCommit.keys()) {
      this.#isCommit.delete(oldest)
      return
    }
  }
}
