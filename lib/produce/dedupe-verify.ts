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
    const stretch = wanted.slice(from, to)
    for await (const slice of readPartition(view, stretch[0] ?? 0, (stretch.at(-1) ?? 0) + 1, signal)) {
      withRecords(slice, () => {
        take(slice, by, stretch, found)
      })
    }
    from = to
  }
  return found
}

/** Those of the wanted records, of which `offsets` is a sorted list, that are in a batch. */
function take({ batch }: BatchSlice, by: DedupeBy, offsets: readonly number[], found: Map<number, RecordInLog>): void {
  let next = offsets.findIndex((offset) => offset >= batch.baseOffset)
  const cursor = batch.cursor()
  while (next >= 0 && next < offsets.length && cursor.next()) {
    while (next < offsets.length && (offsets[next] ?? 0) < cursor.offset) next += 1
    if (offsets[next] !== cursor.offset) continue
    const id = idAtCursor(by, cursor)
    found.set(cursor.offset, {
      hash: id === null ? undefined : hashOfId(id),
      timestampMs: safeTimestamp(cursor.timestampMs),
    })
    next += 1
  }
}
