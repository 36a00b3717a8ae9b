/**
 * Where reading of committed records ends: at the first offset of the earliest transaction that has no end yet. See
 * format-spec/transactions.md.
 */
import type { ProducerId } from '../record/control-record.js'
import { BatchPlaces } from './batch-places.js'
import { isWholeBatch } from './find-whole-batch.js'
import { newestSnapshot, openTransactions } from './kafka-transactions.js'
import { listSegments, logEndOffset, logStartOffset, openAtOffset, type ViewContext } from './log-view.js'
import { TransactionWalk } from './transaction-walk.js'

/** So many open transactions are held at once, the earliest. */
const MAX_OPEN = 50_000

/**
 * The last stable offset of a log that ends at `endOffset`, which it is when no transaction is open there. Walks the headers from
 * the newest producer snapshot on, which is the last roll; without one, from the log start. A log that logq wrote has no open
 * transactions, and nothing is walked.
 */
export function lastStableOffset(context: ViewContext, segments: readonly number[], endOffset: number): number {
  if (context.mayHaveOpenTransactions !== true) return endOffset
  const start = logStartOffset(context, segments)
  const snapshot = newestSnapshot(context, start, endOffset)
  const open = new OpenTransactions(snapshot === undefined ? [] : openTransactions(snapshot))
  for (let from: number | undefined = snapshot?.offset ?? start; from !== undefined; from = open.leftOutFrom()) {
    walk(context, from, endOffset, open)
    if (open.first !== undefined) break
  }
  const first = Math.max(open.first ?? endOffset, start)
  return first < endOffset && isReadable(context, segments, first) ? first : endOffset
}

/**
 * Whether the last stable offset cannot lie below an offset, as far as can be told without walking. Where it does, a reader that begins at
 * the offset must be told: it does not meet the transaction that is open before it.
 */
export function isSurelyStable(context: ViewContext, offset: number): boolean {
  if (context.mayHaveOpenTransactions !== true || context.isolation === 'read_uncommitted') return true
  const segments = listSegments(context)
  const start = logStartOffset(context, segments)
  if (offset <= start) return true
  const snapshot = newestSnapshot(context, start, logEndOffset(context, segments))
  return snapshot !== undefined && offset <= Math.min(snapshot.offset, openTransactions(snapshot)[0]?.[1] ?? Infinity)
}

/** Where a partition ends for who reads with the isolation of the context. */
export function readEndOffset(
  context: ViewContext,
  segments = listSegments(context),
  end = logEndOffset(context, segments),
): number {
  return context.isolation === 'read_uncommitted' ? end : lastStableOffset(context, segments, end)
}

/** Tells who wants to know that reading, which was to go up to `toOffset`, ends at a transaction that is open. */
export function tellHeldBack(context: ViewContext, stableOffset: number, toOffset: number): void {
  const { topic, partition, onHeldBack } = context
  if (onHeldBack === undefined || stableOffset >= toOffset) return
  const walk = new TransactionWalk(context, stableOffset)
  try {
    while (walk.next(toOffset) !== undefined);
    onHeldBack({ topic, partition, lastStableOffset: stableOffset, recordCount: walk.recordCount })
  } finally {
    walk.close()
  }
}

function walk(context: ViewContext, fromOffset: number, endOffset: number, open: OpenTransactions): void {
  const steps = new TransactionWalk(context, fromOffset)
  try {
    for (let step = steps.next(endOffset); step !== undefined; step = steps.next(endOffset)) {
      if (step.kind === 'data') open.begin(step.producerId, step.baseOffset)
      else open.end(step.producerId)
    }
  } finally {
    steps.close()
  }
}

/** The earliest of the transactions that are open, in the order in which they began. */
class OpenTransactions {
  readonly #first: Map<ProducerId, number>
  #leftOutFrom: number | undefined

  constructor(open: readonly [ProducerId, number][]) {
    this.#first = new Map(open)
  }

  get first(): number | undefined {
    for (const offset of this.#first.values()) return offset
    return undefined
  }

  begin(producerId: ProducerId, offset: number): void {
    if (this.#first.has(producerId)) return
    if (this.#first.size < MAX_OPEN) this.#first.set(producerId, offset)
    else this.#leftOutFrom ??= offset
  }

  end(producerId: ProducerId): void {
    this.#first.delete(producerId)
  }

  /** When all that were held have ended: where the first began that was not; the walk has to begin there again. */
  leftOutFrom(): number | undefined {
    const offset = this.#leftOutFrom
    this.#leftOutFrom = undefined
    return offset
  }
}

/** A header that was made up by damage opens no transaction: the batch has to be whole. What is damaged is named by who reads it. */
function isReadable(context: ViewContext, segments: readonly number[], offset: number): boolean {
  const { fs } = context.system
  const opened = openAtOffset(context, segments, offset)
  if (opened === undefined) return false
  try {
    const place = new BatchPlaces(fs, opened.fd).at(opened.position)
    return place !== undefined && isWholeBatch(fs, opened.fd, place.position, place.sizeBytes)
  } finally {
    fs.close(opened.fd)
  }
}
