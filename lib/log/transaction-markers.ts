/**
 * How transactions ended: the next end marker of a producer behind a place in the log. One walk over the headers serves all producers,
 * and runs ahead of the reader just as far as the marker that it needs is away; what is found on the way is kept until the reader has
 * passed it.
 *
 * What is kept is bounded. Where more markers than that lie between the reader and the end of one long transaction, that one is looked
 * for by a second walk, from where the first one stands.
 */
import type { CorruptionError } from '../errors.js'
import type { ProducerId } from '../record/control-record.js'
import type { ViewContext } from './log-view.js'
import { TransactionWalk } from './transaction-walk.js'

export interface Marker {
  readonly offset: number
  readonly isCommit: boolean
}

const MAX_NEAR_MARKERS = 50_000
const MAX_FAR_MARKERS = 10_000
/** From so many offsets on, finding a place in the log costs less than walking to it. */
const WALKED_OFFSETS = 1_000

/** Markers of one producer, ascending. Those before `first` were passed. */
interface Queue {
  readonly markers: Marker[]
  first: number
}

export class TransactionMarkers {
  /** By producer: what lies behind the reader, and below where the walk stands. */
  readonly #near = new Map<ProducerId, Queue>()
  #nearCount = 0
  /** The first of each producer behind the place where the walk stood when it was looked for. */
  readonly #far = new Map<ProducerId, Marker>()
  #walk: TransactionWalk | undefined

  constructor(
    private readonly context: ViewContext,
    /** For tests. */
    private readonly maxNearMarkers = MAX_NEAR_MARKERS,
  ) {}

  /** What could not be walked on the way to the markers that were found. */
  damage: CorruptionError | undefined

  /**
   * The first marker of the producer at or above an offset; undefined when there is none up to the present end of the log. Offsets must
   * not fall from one call to the next. Throws LOGQ_TOPIC_REMOVED, or a system error.
   */
  next(producerId: ProducerId, offset: number): Marker | undefined {
    this.forget(producerId, offset)
    const known = this.#near.get(producerId)
    return known === undefined ? this.#walkTo(producerId, offset) : known.markers[known.first]
  }

  /** No marker of the producer below the offset will be asked for. */
  forget(producerId: ProducerId, offset: number): void {
    const queue = this.#near.get(producerId)
    if (queue === undefined) return
    const { markers } = queue
    for (; (markers[queue.first]?.offset ?? offset) < offset; queue.first += 1) this.#nearCount -= 1
    if (queue.first === markers.length) {
      this.#near.delete(producerId)
    } else if (2 * queue.first > markers.length) {
      markers.splice(0, queue.first)
      queue.first = 0
    }
  }

  close(): void {
    this.#walk?.close()
    this.#walk = undefined
    this.#near.clear()
    this.#nearCount = 0
    this.#far.clear()
  }

  #walkTo(producerId: ProducerId, offset: number): Marker | undefined {
    if (this.#walk !== undefined && this.#walk.nextOffset + WALKED_OFFSETS < offset) this.close()
    const walk = (this.#walk ??= new TransactionWalk(this.context, offset))
    // Where the reader left something out, markers were left behind.
    if (this.#nearCount >= this.maxNearMarkers) for (const each of [...this.#near.keys()]) this.forget(each, offset)
    while (this.#nearCount < this.maxNearMarkers) {
      const step = walk.next()
      if (step === undefined) {
        this.damage ??= walk.damage
        // Markers that were cut off again are none; others may stand in their place.
        if (walk.isCut) this.close()
        return undefined
      }
      if (step.kind !== 'marker' || step.offset < offset) continue
      this.#keep(step.producerId, step)
      if (step.producerId === producerId) {
        this.damage ??= walk.damage
        return step
      }
    }
    return this.#findFar(producerId, walk.nextOffset)
  }

  #keep(producerId: ProducerId, { offset, isCommit }: Marker): void {
    const queue = this.#near.get(producerId)
    if (queue === undefined) this.#near.set(producerId, { markers: [{ offset, isCommit }], first: 0 })
    else queue.markers.push({ offset, isCommit })
    this.#nearCount += 1
  }

  #findFar(producerId: ProducerId, fromOffset: number): Marker | undefined {
    const known = this.#far.get(producerId)
    if (known !== undefined && known.offset >= fromOffset) return known
    const walk = new TransactionWalk(this.context, fromOffset)
    try {
      for (let step = walk.next(); step !== undefined; step = walk.next()) {
        if (step.kind !== 'marker') continue
        const { offset, isCommit } = step
        const isKnown = (this.#far.get(step.producerId)?.offset ?? -1) >= fromOffset
        const isWanted = step.producerId === producerId
        if (isWanted || (!isKnown && this.#far.size < MAX_FAR_MARKERS)) this.#far.set(step.producerId, { offset, isCommit })
        if (isWanted) return this.#far.get(producerId)
      }
      return undefined
    } finally {
      this.damage ??= walk.damage
      walk.close()
      if (this.#far.size > MAX_FAR_MARKERS) this.#far.clear()
    }
  }
}
