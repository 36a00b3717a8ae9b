/** Records as copies, each with the partition that it is in. */
import type { ViewContext } from '../log/log-view.js'
import { readPartitionBackwards } from '../log/read-backwards.js'
import { readPartition, type BatchSlice } from '../log/read-partition.js'
import { SliceWalk, type Direction } from '../log/slice-walk.js'
import { copyRecord } from '../record/lent-record.js'
import type { RecordPredicate } from '../record/record-predicate.js'
import type { LogRecord } from '../record/record.js'

/** A record with where it is. */
export interface PlacedRecord extends LogRecord {
  readonly partition: number
}

export interface WantedRecords {
  /** Default 'forwards'. */
  readonly direction?: Direction | undefined
  /** Only these. */
  readonly matches?: RecordPredicate | undefined
  readonly signal?: AbortSignal | undefined
}

/** The records of [fromOffset, toOffset) of one partition, as copies. Throws what reading throws, and what `matches` throws. */
export async function* readRecordsOf(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  wanted: WantedRecords = {},
): AsyncGenerator<PlacedRecord, void, undefined> {
  const readRange = wanted.direction === 'backwards' ? readPartitionBackwards : readPartition
  for await (const slice of readRange(context, fromOffset, toOffset, wanted.signal))
    yield* recordsOf(context.topic, slice, wanted)
}

/** The records of a slice, as copies. Throws CorruptionError, and what `matches` throws. */
export function* recordsOf(
  topic: string,
  slice: BatchSlice,
  { direction, matches }: WantedRecords = {},
): IterableIterator<PlacedRecord> {
  const { partition } = slice
  try {
    const walk = new SliceWalk(slice, direction)
    while (walk.next()) {
      if (matches === undefined || matches(topic, partition, walk.record)) yield { ...copyRecord(walk.record), partition }
    }
  } catch (error) {
    slice.failed(error)
  }
}
