/**
 * Which batches a reader is given: control batches never; with `read_committed` no record of a transaction that was aborted, and nothing
 * from the first offset of a transaction on that has no end yet. See format-spec/transactions.md.
 */
import { CorruptionError } from '../errors.js'
import type { RecordBatch } from '../record/batch.js'
import { isIndexedAsAborted, newestSnapshot, openTransactions } from './kafka-transactions.js'
import { AFTER_DAMAGE } from './log-reader.js'
import type { ViewContext } from './log-view.js'
import { TransactionMarkers } from './transaction-markers.js'

/** 'open': neither this batch nor what follows it may be shown yet. */
export type Verdict = 'shown' | 'hidden' | 'open'

/** Says what becomes of a batch that is not plain. */
export interface BatchJudge {
  judge(batch: RecordBatch): Verdict
  close(): void
}

/**
 * Judges the batches of a reader, in the order of their offsets, by what the log has when it is asked: a batch that is 'open' may be asked
 * about again.
 */
export class IsolationJudge implements BatchJudge {
  readonly #markers: TransactionMarkers

  constructor(private readonly context: ViewContext) {
    this.#markers = new TransactionMarkers(context)
  }

  /** Throws CorruptionError where damage hides how a transaction ended; LOGQ_TOPIC_REMOVED; or a system error. */
  judge(batch: RecordBatch): Verdict {
    if (this.context.isolation === 'read_uncommitted') return batch.isControl ? 'hidden' : 'shown'
    if (!batch.isControl) return outcomeOf(this.context, batch, this.#markers)
    this.#markers.forget(batch.producerId, batch.nextOffset)
    return 'hidden'
  }

  close(): void {
    this.#markers.close()
  }
}

/** Lets every batch pass. */
export const NO_JUDGE: BatchJudge = { judge: () => 'shown', close: () => undefined }

/** Judges one batch by itself. */
export function judgeOne(context: ViewContext, batch: RecordBatch): Verdict {
  const judge = new IsolationJudge(context)
  try {
    return judge.judge(batch)
  } finally {
    judge.close()
  }
}

/** What became of the transaction that a batch belongs to. `markers` has been asked about earlier batches only. */
function outcomeOf(context: ViewContext, batch: RecordBatch, markers: TransactionMarkers): Verdict {
  const marker = markers.next(batch.producerId, batch.nextOffset)
  if (markers.damage !== undefined && context.onDamage === undefined) {
    const { place } = markers.damage
    const what = `'${context.topic}-${context.partition}' is damaged: whether offset ${batch.baseOffset} was committed cannot be told,`
    throw new CorruptionError(what, place, { hint: AFTER_DAMAGE, cause: markers.damage })
  }
  return marker === undefined ? outcomeWithoutMarker(context, batch) : marker.isCommit ? 'shown' : 'hidden'
}

/**
 * No marker follows. Where Kafka noted later that the producer had no transaction open there, the marker was there and is gone: compaction
 * removes it a day after the last record of its transaction. That such a batch is there all the same is rare.
 */
function outcomeWithoutMarker(context: ViewContext, { producerId, baseOffset, nextOffset }: RecordBatch): Verdict {
  if (context.mayHaveOpenTransactions !== true) return 'open'
  const later = newestSnapshot(context, nextOffset, Infinity)
  if (later === undefined) return 'open'
  const isOpen = openTransactions(later).some(([producer, first]) => producer === producerId && first <= baseOffset)
  if (isOpen) return 'open'
  return isIndexedAsAborted(context, producerId, baseOffset) ? 'hidden' : 'shown'
}
