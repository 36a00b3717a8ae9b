/**
 * Reading a partition backwards: the newest batches first, so that the last records of a long log are found without reading what is
 * before them. A stretch of the log is read forwards, as every reader does, and its batches are given in reverse; the stretches go
 * from the end to the start. They begin where the offset index says that a batch begins.
 */
import type { CorruptionError } from '../errors.js'
import { RecordBatch } from '../record/batch.js'
import { whenFetched } from '../system/awaited-bytes.js'
import type { PassedOver } from './damage.js'
import { NO_JUDGE } from './isolation.js'
import { LaterMarkers } from './later-markers.js'
import { batchStartBefore, listSegments, type ViewContext } from './log-view.js'
import { readPartition, type BatchSlice } from './read-partition.js'

/** Bytes of a stretch: enough that opening files costs little, and held in memory at once, beside the largest batch. */
const STRETCH_BYTES = 256 << 10

/**
 * The batches that hold records in [fromOffset, toOffset), newest first, without those that `readPartition` leaves out; within a batch the
 * records are in their own order. `toOffset` is to be no higher than the last stable offset (`readEndOffset`). The batches are copies, and
 * hold as long as the caller likes. Ends early when the signal aborts. Throws CorruptionError at damage, after everything that lies
 * behind it was given; LOGQ_TOPIC_REMOVED; or a system error.
 */
export async function* readPartitionBackwards(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal?: AbortSignal,
): AsyncGenerator<BatchSlice, void, undefined> {
  const isAborted = () => signal?.aborted === true
  const markers = new LaterMarkers(context)
  for (let end = toOffset; end > fromOffset && !isAborted();) {
    const lookFrom = end
    const before = () => batchStartBefore(context, listSegments(context), lookFrom, STRETCH_BYTES)
    const start = Math.max(fromOffset, await whenFetched(before, signal))
    const { stretch, damage } = await readStretch(context, start, end, signal)
    if (isAborted()) return
    for (const slice of stretch.reverse()) {
      const { batch } = slice
      if (batch.isPlain || (await whenFetched(() => markers.isShown(batch), signal))) yield slice
    }
    if (damage !== undefined) throw damage
    end = start
  }
}

interface Stretch {
  readonly stretch: BatchSlice[]
  /** What is to stop the reader before the first of them. */
  readonly damage: CorruptionError | undefined
}

/** The batches in [fromOffset, toOffset), or those behind the last damage, where that is not passed over by the caller. */
async function readStretch(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal: AbortSignal | undefined,
): Promise<Stretch> {
  const stretch: BatchSlice[] = []
  let damage: CorruptionError | undefined
  const stopsHere = ({ error }: PassedOver) => {
    damage = error
    stretch.length = 0
  }
  const isStopping = context.onDamage === undefined
  for await (const given of readPartition(
    isStopping ? { ...context, onDamage: stopsHere } : context,
    fromOffset,
    toOffset,
    signal,
    NO_JUDGE,
  )) {
    const slice = isStopping ? { ...given, failed: (error: unknown) => throwLocated(given, error) } : given
    // Nothing is read after the last batch: a large one may stay where it is.
    const isKept = slice.batch.nextOffset >= toOffset && slice.batch.sizeBytes >= STRETCH_BYTES
    stretch.push(isKept ? slice : { ...slice, batch: new RecordBatch(slice.batch.bytes.slice()) })
  }
  return { stretch, damage }
}

function throwLocated(slice: BatchSlice, error: unknown): never {
  throw slice.located(error)
}
