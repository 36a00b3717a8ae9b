/**
 * Reading a partition backwards: the newest batches first, so that the last records of a long log are found without reading what is
 * before them. A stretch of the log is read forwards, as every reader does, and its batches are given in reverse; the stretches go
 * from the end to the start. They begin where the offset index says that a batch begins.
 */
import { RecordBatch } from '../record/batch.js'
import { batchStartBefore, listSegments, type ViewContext } from './log-view.js'
import { readPartition, type BatchSlice } from './read-partition.js'

/** Bytes of a stretch: enough that opening files costs little, and held in memory at once, beside the largest batch. */
const STRETCH_BYTES = 256 << 10

/**
 * The batches that hold records in [fromOffset, toOffset), newest first, control batches left out; within a batch the records are in
 * their own order. The batches are copies, and hold as long as the caller likes. Ends early when the signal aborts. Throws
 * CorruptionError at damage, before anything of its stretch is given; LOGQ_TOPIC_REMOVED; or a system error.
 */
export async function* readPartitionBackwards(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal?: AbortSignal,
): AsyncGenerator<BatchSlice, void, undefined> {
  const isAborted = () => signal?.aborted === true
  for (let end = toOffset; end > fromOffset && !isAborted();) {
    const start = Math.max(fromOffset, batchStartBefore(context, listSegments(context), end, STRETCH_BYTES))
    const stretch: BatchSlice[] = []
    for await (const slice of readPartition(context, start, end, signal)) {
      // Nothing is read after the last batch: a large one may stay where it is.
      const isKept = slice.batch.nextOffset >= end && slice.batch.sizeBytes >= STRETCH_BYTES
      stretch.push(isKept ? slice : { ...slice, batch: new RecordBatch(slice.batch.bytes.slice()) })
    }
    if (isAborted()) return
    yield* stretch.reverse()
    end = start
  }
}
