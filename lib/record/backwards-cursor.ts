/**
 * Walks the records of a batch from its last to its first. Records can be read forwards only, since a record's length stands at its
 * beginning: one walk notes a place now and then, and a second one, from each noted place, the few records up to the next. So memory
 * is a small part of the batch, however many records it claims to have.
 */
import type { RecordBatch } from './batch.js'
import type { RecordCursor, RecordPlace } from './record-cursor.js'

const RECORDS_BETWEEN_PLACES = 256

export class BackwardsCursor {
  /** Stands at the current record. */
  readonly cursor: RecordCursor
  /** Where the runs of records begin, of those that are not given yet. */
  readonly #runs: RecordPlace[] = []
  /** Where the records of the present run begin, of those that are not given yet. */
  #run: RecordPlace[] = []
  /** Where the run that was entered last begins: the run before it ends there. */
  #end: RecordPlace

  /** Walks the whole batch once. Throws InvalidBatchError for anything that is wrong in it, before a record is given. */
  constructor(batch: RecordBatch) {
    this.cursor = batch.cursor()
    let place = this.cursor.place()
    while (this.cursor.next()) {
      if (place.recordsRead % RECORDS_BETWEEN_PLACES === 0) this.#runs.push(place)
      place = this.cursor.place()
    }
    this.#end = place
  }

  /** Moves to the record before; false when there is none. */
  next(): boolean {
    if (this.#run.length === 0 && !this.#enterRun()) return false
    const place = this.#run.pop()
    if (place === undefined) return false
    this.cursor.continueAt(place)
    return this.cursor.next()
  }

  #enterRun(): boolean {
    const start = this.#runs.pop()
    if (start === undefined) return false
    this.cursor.continueAt(start)
    const places: RecordPlace[] = []
    for (let place = start; place.recordsRead < this.#end.recordsRead; place = this.cursor.place()) {
      places.push(place)
      this.cursor.next()
    }
    this.#end = start
    this.#run = places
    return true
  }
}
