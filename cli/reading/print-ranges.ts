/** Prints bounded ranges of partitions: one after the other or merged by timestamp, the oldest record first or the newest. */
import { mergeRecords, type MergedRecord } from '../../lib/consume/merge.js'
import type { PartitionRange } from '../../lib/consume/partition-source.js'
import { readPartitionBackwards } from '../../lib/log/read-backwards.js'
import { readPartition, type BatchSlice } from '../../lib/log/read-partition.js'
import type { Direction } from '../../lib/log/slice-walk.js'
import type { RecordPredicate } from '../../lib/record/record-predicate.js'
import type { BatchPrinter } from '../print/batch-printer.js'
import type { Replay } from './replay.js'

export interface Printing {
  readonly printer: BatchPrinter
  readonly isMerged: boolean
  readonly direction: Direction
  /** -w. The printer has it too. */
  readonly matches: RecordPredicate | undefined
  /** --speed. */
  readonly replay: Replay | undefined
  readonly signal: AbortSignal
  /** Looks at each slice before it is printed, and throws. */
  readonly inspect?: (slice: BatchSlice) => void
}

/** The ranges in the order in which they are printed forwards. */
export async function printRanges(ranges: readonly PartitionRange[], printing: Printing): Promise<void> {
  const { printer, isMerged, direction, matches, signal, inspect } = printing
  // -n 0.
  if (isDone(printer)) return
  if (isMerged) {
    await printRecords(mergeRecords(ranges, { direction, matches, signal }), printing)
    return
  }
  const isBackwards = direction === 'backwards'
  const readRange = isBackwards ? readPartitionBackwards : readPartition
  for (const { context, fromOffset, toOffset } of isBackwards ? [...ranges].reverse() : ranges) {
    for await (const slice of readRange(context, fromOffset, toOffset, signal)) {
      inspect?.(slice)
      await printer.print(context.topic, slice, direction)
      // Before more is read: an error behind the last record that was wanted is none of this command's.
      if (printer.isDone) return
    }
  }
}

/** Records that are wanted, one by one. */
export async function printRecords(
  records: AsyncIterable<MergedRecord>,
  { printer, replay, signal }: Pick<Printing, 'printer' | 'replay' | 'signal'>,
): Promise<void> {
  if (isDone(printer)) return
  for await (const { topic, partition, record } of records) {
    await replay?.waitFor(record.timestampMs)
    if (signal.aborted) return
    await printer.printRecord(topic, partition, record)
    if (printer.isDone) return
  }
}

/** A function, so that the type checker does not take one answer for all later ones. */
function isDone(printer: BatchPrinter): boolean {
  return printer.isDone
}
