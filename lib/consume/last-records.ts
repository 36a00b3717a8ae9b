/** The last records of a partition, counted from its end: where they begin. */
import { readEndOffset, tellHeldBack } from '../log/last-stable-offset.js'
import { listSegments, logEndOffset, logStartOffset, type ViewContext } from '../log/log-view.js'
import { readPartitionBackwards } from '../log/read-backwards.js'
import type { BatchSlice } from '../log/read-partition.js'
import { SliceWalk } from '../log/slice-walk.js'
import type { RecordPredicate } from '../record/record-predicate.js'
import { mergeRecords, type MergedRecord, type MergeOptions } from './merge.js'

/** Where the last records of one partition are. */
export interface LastRange {
  readonly context: ViewContext
  /** Offset of the first of them; `toOffset` when there is none. */
  readonly fromOffset: number
  /** Where what can be read ended when it was looked up: the place to go on following from. */
  readonly toOffset: number
  /** How many they are: fewer than were asked for when the log has no more. */
  readonly recordCount: number
}

/**
 * The range of the last `count` records, or of the last `count` for which `matches` is true. Reads from the end of the log backwards,
 * no further than needed, one batch after the other: records are counted and not offsets, since some may be missing. Throws
 * CorruptionError, LOGQ_TOPIC_REMOVED, a system error, and what `matches` throws.
 */
export async function lastRange(
  context: ViewContext,
  count: number,
  matches?: RecordPredicate,
  signal?: AbortSignal,
): Promise<LastRange> {
  const segments = listSegments(context)
  const start = logStartOffset(context, segments)
  const logEnd = logEndOffset(context, segments)
  const toOffset = readEndOffset(context, segments, logEnd)
  tellHeldBack(context, toOffset, logEnd)
  let fromOffset = toOffset
  let recordCount = 0
  if (count === 0) return { context, fromOffset, toOffset, recordCount }
  for await (const slice of readPartitionBackwards(context, start, toOffset, signal)) {
    const found = lastOfSlice(context, slice, count - recordCount, matches)
    recordCount += found.recordCount
    fromOffset = found.fromOffset ?? fromOffset
    if (recordCount >= count) break
  }
  return { context, fromOffset, toOffset, recordCount }
}

interface Found {
  readonly fromOffset: number | undefined
  readonly recordCount: number
}

/** Of a slice, the last `wanted` records that match, or as many as there are. */
function lastOfSlice(context: ViewContext, slice: BatchSlice, wanted: number, matches: RecordPredicate | undefined): Found {
  const { batch } = slice
  const isWhole = batch.baseOffset >= slice.fromOffset && batch.nextOffset <= slice.toOffset
  // What its header says is enough: the records need not be looked at, nor decompressed.
  if (matches === undefined && isWhole && batch.recordCount >= 0 && batch.recordCount <= wanted)
    return { fromOffset: batch.recordCount === 0 ? undefined : batch.baseOffset, recordCount: batch.recordCount }
  let fromOffset: number | undefined
  let recordCount = 0
  try {
    const walk = new SliceWalk(slice, 'backwards')
    while (recordCount < wanted && walk.next()) {
      if (matches !== undefined && !matches(context.topic, context.partition, walk.record)) continue
      fromOffset = walk.record.offset
      recordCount += 1
    }
  } catch (error) {
    slice.failed(error)
  }
  return { fromOffset, recordCount }
}

/**
 * The newest `count` records of what `lastRange` found in several partitions, in the order of their timestamps: oldest first, or
 * backwards, newest first. `matches` is what the ranges were found with. Lends the records, as `mergeRecords` does, and throws the same.
 */
export async function* mergeLast(
  ranges: readonly LastRange[],
  count: number,
  options: Pick<MergeOptions, 'direction' | 'matches' | 'signal'> = {},
): AsyncGenerator<MergedRecord, void, undefined> {
  const recordCount = ranges.reduce((sum, range) => sum + range.recordCount, 0)
  const surplus = Math.max(0, recordCount - count)
  const [first, end] = options.direction === 'backwards' ? [0, recordCount - surplus] : [surplus, recordCount]
  if (first === end) return
  let at = 0
  for await (const record of mergeRecords(ranges, options)) {
    if (at >= first) yield record
    at += 1
    if (at >= end) return
  }
}
