/** Reads a partition batch by batch, control batches with them, for what copies a log as it is (read-partition.ts is for records). */
import { LogqError } from '../errors.js'
import type { RecordBatch } from '../record/batch.js'
import { whenFetched } from '../system/awaited-bytes.js'
import { isKnownGap, readKnownGaps } from './known-gaps.js'
import { partitionName } from './log-context.js'
import { LogReader } from './log-reader.js'
import { listSegments, logEndOffset, readStateBlock, type ViewContext } from './log-view.js'
import { LOG_SUFFIX, segmentFileName } from './file-names.js'

export interface StoredBatch {
  /** A view that holds until the next one is asked for. Its CRC was checked. */
  readonly batch: RecordBatch
  /** The segment that it stands in. */
  readonly segmentBaseOffset: number
}

/** The event loop gets a turn after this long, so that signals and timers are served while reading flat out. */
const LONGEST_WITHOUT_TURN_MS = 10

/**
 * The log end offset, with everything below it on the device: nothing leaves a partition that a power cut could take back. Throws
 * LOGQ_SYNC_FAILED, LOGQ_TOPIC_REMOVED, or a system error.
 */
export async function syncedLogEnd(context: ViewContext): Promise<number> {
  const { fs } = context.system
  const state = readStateBlock(context)
  if (state?.status === 'sync-failed') throw notSynced(context)
  const segments = listSegments(context)
  const end = logEndOffset(context, segments)
  const active = segments.at(-1)
  if (active === undefined) return end
  const fd = fs.open(`${context.directory}/${segmentFileName(active, LOG_SUFFIX)}`, 'read')
  try {
    await fs.fdatasync(fd)
  } catch (error) {
    throw notSynced(context, error)
  } finally {
    fs.close(fd)
  }
  return end
}

function notSynced(context: ViewContext, cause?: unknown): LogqError {
  return new LogqError('LOGQ_SYNC_FAILED', `an fsync of '${partitionName(context)}' failed: its last records may be lost`, {
    cause,
    hint: 'see logq fsck, then logq fsck --repair',
  })
}

/**
 * All batches that hold an offset in [fromOffset, toOffset), to the very end. Throws CorruptionError, LOGQ_TOPIC_REMOVED, LOGQ_ABORTED,
 * LOGQ_IO when the log was cut meanwhile, or a system error.
 */
export async function* readBatchesWhole(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal?: AbortSignal,
): AsyncGenerator<StoredBatch, void, undefined> {
  const { clock } = context.system
  const reader = new LogReader(context, fromOffset)
  let turnMs = clock.monotonicMs()
  try {
    while (reader.nextOffset < toOffset) {
      if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped while reading a log')
      const batch = reader.poll()
      if (batch === 'suspect') {
        await reader.settle(signal)
        continue
      }
      if (batch === 'end') {
        const missing = await whenFetched(() => reader.missingBelow(toOffset), signal)
        if (missing !== undefined) throw missing
        if (isKnownGap(readKnownGaps(context), reader.nextOffset, toOffset)) return
        throw new LogqError('LOGQ_IO', `'${partitionName(context)}' was cut at offset ${reader.nextOffset} while it was read`, {
          hint: 'run the command again',
        })
      }
      if (batch.baseOffset >= toOffset) return
      yield { batch, segmentBaseOffset: reader.lastPlace.segmentBaseOffset }
      if (clock.monotonicMs() - turnMs > LONGEST_WITHOUT_TURN_MS) {
        await clock.sleep(0, signal)
        turnMs = clock.monotonicMs()
      }
    }
  } finally {
    reader.close()
  }
}
