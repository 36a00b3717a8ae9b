/** The records of a slice, lent one by one, in the order of their offsets or against it. */
import { BackwardsCursor } from '../record/backwards-cursor.js'
import { lendRecord, type LentRecord } from '../record/lent-record.js'
import type { RecordCursor } from '../record/record-cursor.js'
import type { BatchSlice } from './read-partition.js'

export type Direction = 'forwards' | 'backwards'

export class SliceWalk {
  /** The current record: lent, until the next call of `next`. */
  readonly record: LentRecord
  readonly #steps: { next(): boolean }
  readonly #cursor: RecordCursor
  readonly #fromOffset: number
  readonly #toOffset: number

  /** Throws InvalidBatchError, as `next` does; `slice.located` makes of it what says where. */
  constructor({ batch, fromOffset, toOffset }: BatchSlice, direction: Direction = 'forwards') {
    if (direction === 'backwards') {
      const backwards = new BackwardsCursor(batch)
      this.#steps = backwards
      this.#cursor = backwards.cursor
    } else {
      this.#cursor = batch.cursor()
      this.#steps = this.#cursor
    }
    this.record = lendRecord(batch, this.#cursor)
    this.#fromOffset = fromOffset
    this.#toOffset = toOffset
  }

  next(): boolean {
    while (this.#steps.next()) {
      const { offset } = this.#cursor
      if (offset >= this.#fromOffset && offset < this.#toOffset) return true
    }
    return false
  }
}
