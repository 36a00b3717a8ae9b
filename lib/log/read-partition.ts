/** Bounded reading of one partition: from one offset to another, and no further however busy the topic is. */
import { CorruptionError } from '../errors.js'
import { partitionName } from './log-context.js'
import { IsolationJudge, type BatchJudge } from './isolation.js'
import { tellHeldBack } from './last-stable-offset.js'
import { segmentPath, type ViewContext } from './log-view.js'
import { AFTER_DAMAGE, LogReader } from './log-reader.js'
import { InvalidBatchError, type RecordBatch } from '../record/batch.js'
import { loadCodec } from '../record/compression.js'
import { whenFetched } from '../system/awaited-bytes.js'

/** A batch of which the records in [fromOffset, toOffset) are meant. The batch is a view that holds until the next one is asked for. */
export interface BatchSlice {
  readonly partition: number
  readonly batch: RecordBatch
  readonly fromOffset: number
  readonly toOffset: number
  /** Turns an InvalidBatchError of the batch's records into a CorruptionError that says where; other errors stay what they are. */
  readonly located: (error: unknown) => unknown
  /**
   * To be called with what was thrown while the records were read. Where damage is passed over (`ViewContext.onDamage`), tells of it
   * and returns: the rest of the slice is left out. Else, and for other errors, throws it, located.
   */
  readonly failed: (error: unknown) => void
}

/**
 * A slice of what `reader` gave last, its codec loaded. Throws CorruptionError for a codec that is not known; undefined where such
 * damage is passed over.
 */
export async function sliceOf(
  reader: LogReader,
  context: ViewContext,
  batch: RecordBatch,
  fromOffset: number,
  toOffset: number,
): Promise<BatchSlice | undefined> {
  const slice = {
    partition: context.partition,
    batch,
    fromOffset,
    toOffset,
    ...judgeOf(context, placeOf(reader, batch, fromOffset)),
  }
  try {
    await loadCodec(batch.codec)
  } catch (error) {
    slice.failed(error)
    return undefined
  }
  return slice
}

/** Where a batch is, without the batch: a part of it may be kept when its bytes are let go of. */
interface PlaceOfBatch {
  readonly segmentBaseOffset: number
  readonly position: number
  readonly baseOffset: number
  readonly fromOffset: number
  readonly nextOffset: number
}

function placeOf(reader: LogReader, batch: RecordBatch, fromOffset: number): PlaceOfBatch {
  const { baseOffset, nextOffset, sizeBytes } = batch
  const { segmentBaseOffset, endPosition } = reader.lastPlace
  return {
    segmentBaseOffset,
    position: endPosition - sizeBytes,
    baseOffset,
    nextOffset,
    fromOffset: Math.max(fromOffset, baseOffset),
  }
}

function judgeOf(context: ViewContext, place: PlaceOfBatch): Pick<BatchSlice, 'located' | 'failed'> {
  const located = (error: unknown) => (error instanceof InvalidBatchError ? badRecords(context, place, error) : error)
  const failed = (error: unknown) => {
    const cause = located(error)
    if (!(cause instanceof CorruptionError) || context.onDamage === undefined) throw cause
    context.onDamage({ error: cause, fromOffset: place.fromOffset, toOffset: place.nextOffset })
  }
  return { located, failed }
}

/** The error for records that cannot be read in a batch, though its CRC holds. */
function badRecords(context: ViewContext, place: PlaceOfBatch, error: InvalidBatchError): CorruptionError {
  const { topic, partition } = context
  const file = segmentPath(context, place.segmentBaseOffset)
  return new CorruptionError(
    `'${partitionName(context)}' is damaged: ${error.message},`,
    { topic, partition, offset: place.baseOffset, file, position: place.position + error.position },
    { hint: AFTER_DAMAGE, cause: error },
  )
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
 * The batches that hold records in [fromOffset, toOffset), without control batches and, unless the context says otherwise, without those
 * of aborted transactions. Codecs are loaded. Ends early when the signal aborts, and at a transaction that is open. Throws
 * CorruptionError, LOGQ_TOPIC_REMOVED, or a system error.
 */
export async function* readPartition(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal?: AbortSignal,
  /** Which batches are given: by default what the isolation of the context says. */
  judge: BatchJudge = new IsolationJudge(context),
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
        const goesOn = () => {
          const missing = reader.missingBelow(toOffset)
          return missing !== undefined && reader.passOver(missing)
        }
        if (!(await whenFetched(goesOn, signal))) return
        continue
      }
      if (batch === 'suspect') {
        await reader.settle(signal)
        continue
      }
      if (batch.baseOffset >= toOffset) return
      const verdict = batch.isPlain ? 'shown' : await whenFetched(() => judge.judge(batch), signal)
      if (verdict === 'open') {
        await whenFetched(() => tellHeldBack(context, Math.max(from, batch.baseOffset), toOffset), signal)
        return
      }
      if (verdict === 'shown') {
        const slice = await sliceOf(reader, context, batch, from, toOffset)
        if (slice !== undefined) yield slice
      }
      if (clock.monotonicMs() - turnMs > LONGEST_WITHOUT_TURN_MS) {
        await clock.sleep(0, signal)
        turnMs = clock.monotonicMs()
      }
    }
  } finally {
    judge.close()
    reader.close()
  }
}
