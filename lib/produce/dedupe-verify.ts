/** What the log itself says of records that a dedupe index names. */
import type { ViewContext } from '../log/log-view.js'
import { readPartition, withRecords, type BatchSlice } from '../log/read-partition.js'
import { hashOfId, idAtCursor, safeTimestamp, type DedupeBy } from './dedupe-id.js'

export interface RecordInLog {
  /** Undefined for a record without id. */
  readonly hash: Buffer | undefined
  readonly timestampMs: number
}

/** Reading on over so many offsets costs less than beginning again. */
const NEAR_OFFSETS = 1000

/** The records at these offsets that are there, by their offsets. Throws CorruptionError, or a system error. */
export async function recordsAt(
  view: ViewContext,
  by: DedupeBy,
  offsets: Iterable<number>,
  signal?: AbortSignal,
): Promise<Map<number, RecordInLog>> {
  const found = new Map<number, RecordInLog>()
  const wanted = [...offsets].sort((a, b) => a - b)
  for (let from = 0; from < wanted.length;) {
    let to = from + 1
    while (to < wanted.length && (wanted[to] ?? 0) - (wanted[to - 1] ?? 0) <= NEAR_OFFSETS) to += 1
    let next = from
    for await (const slice of readPartition(view, wanted[from] ?? 0, (wanted[to - 1] ?? 0) + 1, signal)) {
      next = withRecords(slice, () => take(slice, by, wanted, next, found))
    }
    from = to
  }
  return found
}

/** Those of the wanted records, from the one at index `from` of the sorted list on, that are in a batch. Gives where to go on. */
function take(
  { batch }: BatchSlice,
  by: DedupeBy,
  offsets: readonly number[],
  from: number,
  found: Map<number, RecordInLog>,
): number {
  const { lastOffset } = batch
  let next = from
  const cursor = batch.cursor()
  while ((offsets[next] ?? Infinity) <= lastOffset && cursor.next()) {
    while ((offsets[next] ?? Infinity) < cursor.offset) next += 1
    if (offsets[next] !== cursor.offset) continue
    const id = idAtCursor(by, cursor)
    found.set(cursor.offset, {
      hash: id === null ? undefined : hashOfId(id),
      timestampMs: safeTimestamp(cursor.timestampMs),
    })
    next += 1
  }
  return next
}
