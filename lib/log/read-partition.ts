/** Bounded reading of one partition: from one offset to another, and no further however busy the topic is. */
import type { ViewContext } from './log-view.js'
import { LogReader } from './log-reader.js'
import { InvalidBatchError, type RecordBatch } from '../record/batch.js'
import { loadCodec } from '../record/compression.js'

/** A batch of which the records in [fromOffset, toOffset) are meant. The batch is a view that holds until the next one is asked for. */
export interface BatchSlice {
  readonly partition: number
  readonly batch: RecordBatch
  readonly fromOffset: number
  readonly toOffset: number
  /** Turns an InvalidBatchError of the batch's records into a CorruptionError that says where; other errors stay what they are. */
  readonly located: (error: unknown) => unknown
}

/** A slice of what `reader` gave last, its codec loaded. Throws CorruptionError for a codec that is not known. */
export async function sliceOf(
  reader: LogReader,
  partition: number,
  batch: RecordBatch,
  fromOffset: number,
  toOffset: number,
): Promise<BatchSlice> {
  const located = (error: unknown) => (error instanceof InvalidBatchError ? reader.badRecords(batch, error) : error)
  try {
    await loadCodec(batch.codec)
  } catch (error) {
    throw located(error)
  }
  return { partition, batch, fromOffset, toOffset, located }
}

/** Runs `use` on the slice's records; an error in them names the place. */
export function withRecords<Result>(slice: BatchSlice, use: (slice: BatchSlice) => Result): Result {
  try {
    return use(slice)
  } catch (error) {
    throw slice.located(error)
  }
}

/** The event loop gets a turn after this long, so that signals and timers are served while reading flat out. */
const LONGEST_WITHOUT_TURN_MS = 10

/**
 * The batches that hold records in [fromOffset, toOffset), control batches left out. Codecs are loaded. Ends early when the signal
 * aborts. Throws CorruptionError, LOGQ_TOPIC_REMOVED, or a system error.
 */
export async function* readPartition(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal?: AbortSignal,
): AsyncGenerator<BatchSlice, void, undefined> {
  if (fromOffset >= toOffset) return
  const { clock } = context.system
  const reader = new LogReader(context, fromOffset)
  let turnMs = clock.monotonicMs()
  try {
    while (reader.nextOffset < toOffset && signal?.aborted !== true) {
      const from = reader.nextOffset
      const batch = reader.poll()
      if (batch === 'end') {
        const missing = reader.missingBelow(toOffset)
        if (missing !== undefined) throw missing
        return
      }
      if (batch === 'suspect') {
        await reader.settle(signal)
        continue
      }
      if (batch.baseOffset >= toOffset) return
      if (!batch.isControl) {
        yield await sliceOf(reader, context.partition, batch, from, toOffset)
      }
      if (clock.monotonicMs() - turnMs > LONGEST_WITHOUT_TURN_MS) {
        await clock.sleep(0, signal)
        turnMs = clock.monotonicMs()
      }
    }
  } finally {
    reader.close()
  }
}
