/** The last records of a topic: where they begin in each partition, and all partitions merged by timestamp. */
import { listSegments, logEndOffset, logStartOffset, type ViewContext } from '../log/log-view.js'
import type { RecordBatch } from '../record/batch.js'
import type { LogRecord } from '../record/record.js'
import { readPartition, withRecords, type BatchSlice } from '../log/read-partition.js'

/** Where the last records of one partition are. */
export interface LastRange {
  readonly context: ViewContext
  readonly fromOffset: number
  /** Log end offset when it was looked up: the place to go on following from. */
  readonly toOffset: number
  /** Records in the range. */
  readonly recordCount: number
}

/** A record with where it is. */
export interface PlacedRecord extends LogRecord {
  readonly partition: number
}

/** The range of the last `count` records: offsets below may be missing after compaction, so records are counted and not offsets. */
export async function lastRange(context: ViewContext, count: number, signal?: AbortSignal): Promise<LastRange> {
  const segments = listSegments(context)
  const start = logStartOffset(context, segments)
  const toOffset = logEndOffset(context, segments)
  let span = count
  for (;;) {
    const fromOffset = Math.max(start, toOffset - span)
    const recordCount = await countRecords(context, fromOffset, toOffset, signal)
    if (recordCount >= count || fromOffset === start || signal?.aborted === true) {
      return { context, fromOffset, toOffset, recordCount }
    }
    span = Math.min(Number.MAX_SAFE_INTEGER / 2, 2 * span)
  }
}

/** The newest `count` records of all ranges, in order of their timestamps; those of one partition stay in order of their offsets. */
export async function* mergeLast(
  ranges: readonly LastRange[],
  count: number,
  signal?: AbortSignal,
): AsyncGenerator<PlacedRecord, void, undefined> {
  let skip = Math.max(0, ranges.reduce((sum, { recordCount }) => sum + recordCount, 0) - count)
  for await (const record of mergeByTimestamp(ranges, signal)) {
    if (skip > 0) skip -= 1
    else yield record
  }
}

async function* mergeByTimestamp(
  ranges: readonly LastRange[],
  signal?: AbortSignal,
): AsyncGenerator<PlacedRecord, void, undefined> {
  const heads: { readonly records: AsyncIterator<PlacedRecord>; record: PlacedRecord }[] = []
  for (const { context, fromOffset, toOffset } of ranges) {
    const records = readRecordsOf(context, fromOffset, toOffset, signal)
    const first = await records.next()
    if (first.done !== true) heads.push({ records, record: first.value })
  }
  while (heads.length > 0) {
    const oldest = heads.reduce((a, b) => (b.record.timestampMs < a.record.timestampMs ? b : a))
    yield oldest.record
    const next = await oldest.records.next()
    if (next.done === true) heads.splice(heads.indexOf(oldest), 1)
    else oldest.record = next.value
  }
}

/** The records of [fromOffset, toOffset) of one partition, as copies. */
export async function* readRecordsOf(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal?: AbortSignal,
): AsyncGenerator<PlacedRecord, void, undefined> {
  for await (const slice of readPartition(context, fromOffset, toOffset, signal)) yield* recordsOf(slice)
}

/** The records of a slice, as copies. Throws CorruptionError. */
export function* recordsOf(slice: BatchSlice): IterableIterator<PlacedRecord> {
  const { partition, batch, fromOffset, toOffset } = slice
  try {
    for (const record of batch.records()) {
      if (record.offset >= fromOffset && record.offset < toOffset) yield { ...record, partition }
    }
  } catch (error) {
    throw slice.located(error)
  }
}

async function countRecords(context: ViewContext, fromOffset: number, toOffset: number, signal?: AbortSignal): Promise<number> {
  let count = 0
  for await (const slice of readPartition(context, fromOffset, toOffset, signal)) {
    const { batch, fromOffset: from } = slice
    const isDense = batch.recordCount === batch.lastOffsetDelta + 1
    const isWhole = batch.baseOffset >= from && batch.nextOffset <= toOffset
    if (isWhole) {
      count += batch.recordCount
    } else if (isDense) {
      count += Math.min(batch.nextOffset, toOffset) - Math.max(batch.baseOffset, from)
    } else {
      count += withRecords(slice, () => countIn(batch, from, toOffset))
    }
  }
  return count
}

function countIn(batch: RecordBatch, fromOffset: number, toOffset: number): number {
  let count = 0
  const cursor = batch.cursor()
  while (cursor.next()) if (cursor.offset >= fromOffset && cursor.offset < toOffset) count += 1
  return count
}
