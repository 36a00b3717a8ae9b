/**
 * Appending on a condition: what is appended depends on what the log holds, and the log is everybody's. No lock is held while that is
 * looked at; the append is made only if the log still ends where the look ended, and else the look is taken again from there.
 */
import { LogqError } from '../errors.js'
import { LogEndConflictError, type AppendedRange, type BatchToAppend, type Log } from '../log/log.js'
import type { LockWait } from '../log/partition-lock.js'
import type { SealedBatch } from '../record/batch-builder.js'

/** A batch that is ready, with what an append has to know of it. */
export interface CollectedBatch extends SealedBatch {
  readonly lastOffsetDelta: number
}

/**
 * Decides what to append to a log that ends at `logEndOffset`: the batch as it is, another one, or nothing (undefined). Called again,
 * with where the log ends by then, when another producer was quicker. That is usually further on; a recovery that cut a damaged end
 * makes it lower. What it throws ends the append.
 */
export type AppendDecision = (logEndOffset: number) => Promise<CollectedBatch | undefined>

export interface DecidedAppend {
  readonly batch: CollectedBatch
  readonly range: AppendedRange
}

/**
 * Appends what `decide` gives, at the very end that it was asked about; `knownEndOffset` is where the log is believed to end.
 * Undefined when there was nothing to append. Some producer succeeds in every round, so each that goes on trying gets its turn; the
 * signal ends that with LOGQ_ABORTED. Throws what `decide` and `Log.append` throw, but no LogEndConflictError.
 */
export async function appendAtEnd(
  log: Log,
  knownEndOffset: number,
  decide: AppendDecision,
  toBytes: (batch: CollectedBatch) => BatchToAppend,
  wait: LockWait,
): Promise<DecidedAppend | undefined> {
  for (let logEndOffset = knownEndOffset; ;) {
    const batch = await decide(logEndOffset)
    if (batch === undefined) return undefined
    try {
      return { batch, range: await log.append(toBytes(batch), wait, logEndOffset) }
    } catch (error) {
      if (!(error instanceof LogEndConflictError)) throw error
      logEndOffset = error.logEndOffset
    }
    if (wait.signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped while others appended in between')
  }
}
