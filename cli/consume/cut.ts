/** Where a slice is to be cut so that no more records than wanted are printed of it, or committed. */
import type { BatchSlice } from '../../lib/log/read-partition.js'
import { SliceWalk } from '../../lib/log/slice-walk.js'
import type { RecordPredicate } from '../../lib/record/record-predicate.js'

/** The slice up to behind the `limit`-th record that matches; whole when it has no more. */
export function cutSlice(topic: string, slice: BatchSlice, limit: number, matches: RecordPredicate | undefined): BatchSlice {
  if (slice.batch.recordCount <= limit) return slice
  let left = limit
  try {
    for (const walk = new SliceWalk(slice); walk.next();) {
      if (matches !== undefined && !matches(topic, slice.partition, walk.record)) continue
      left -= 1
      if (left === 0) return { ...slice, toOffset: walk.record.offset + 1 }
    }
  } catch {
    // What is wrong with it is said when it is printed.
  }
  return slice
}
