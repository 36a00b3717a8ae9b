/**
 * The two loops that decide how fast logq is, behind one interface: lines into records, and records into lines.
 *
 * plain-kernel.ts is the reference and works everywhere. A second kernel must give the same bytes for every input.
 */

import type { GrowableBytes } from '../bytes/growable-bytes.js'
import type { RecordsArea } from './record-cursor.js'

export interface EncodeLinesJob {
  readonly input: Uint8Array
  /** Lines are taken from `input[from, to)`. */
  readonly from: number
  readonly to: number
  /** One byte or more. */
  readonly delimiter: Uint8Array
  /** Every record's bytes between its length and its offset delta: attributes and timestamp delta. */
  readonly recordPrefix: Uint8Array
  readonly firstOffsetDelta: number
  /** Records are appended here. */
  readonly out: GrowableBytes
  /** `out.length` may reach this, not pass it, unless the record is the first of its batch (firstOffsetDelta 0). */
  readonly outLimit: number
  /** A longer value stops the run. */
  readonly maxValueBytes: number
}

export interface EncodeLinesResult {
  /** Where the next line begins in `input`. */
  readonly position: number
  readonly recordCount: number
  readonly stopped: 'input-exhausted' | 'batch-full' | 'record-too-large'
}

export interface JoinValuesJob {
  readonly area: RecordsArea
  /** Records whose offset is below `fromOffset`, or not below `toOffset`, are left out. */
  readonly fromOffset: number
  readonly toOffset: number
  /** Written after every value. May be empty. */
  readonly delimiter: Uint8Array
  /** Written in place of a null value. */
  readonly nullText: Uint8Array
  readonly out: GrowableBytes
}

export interface LineKernel {
  readonly name: 'plain' | 'wasm' | 'auto'
  encodeLines(job: EncodeLinesJob): EncodeLinesResult
  /** Appends to `out`; gives the number of records written. Throws InvalidBatchError, with the records before it written. */
  joinValues(job: JoinValuesJob): number
}
