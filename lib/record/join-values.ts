/** The values of a batch as text with a delimiter after each: the fast path of `cat` and `tail`. */

import type { GrowableBytes } from '../bytes/growable-bytes.js'
import type { RecordBatch } from './batch.js'
import { selectLineKernel } from './kernel.js'
import type { LineKernel } from './line-kernel.js'

/**
 * Appends the values of the records with an offset in [fromOffset, toOffset) to `out`, each followed by `delimiter`; a null value is
 * written as `nullText`. Gives the number of records written. Throws InvalidBatchError, with the records before the bad one written.
 */
export function joinValues(
  batch: RecordBatch,
  fromOffset: number,
  toOffset: number,
  delimiter: Uint8Array,
  nullText: Uint8Array,
  out: GrowableBytes,
  kernel: LineKernel = selectLineKernel(),
): number {
  return kernel.joinValues({ area: batch.recordsArea(), fromOffset, toOffset, delimiter, nullText, out })
}
