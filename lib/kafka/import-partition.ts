/** One partition of Kafka's into a new directory of logq's, batch for batch (format-spec/kafka.md, "From Kafka to logq"). */
import { completePartition } from '../log/copied-partition.js'
import type { OffsetGap } from '../log/known-gaps.js'
import type { LeaderEpoch } from '../log/leader-epochs.js'
import { readBatchesWhole } from '../log/read-batches.js'
import { SegmentCopy, type CopyPlace } from '../log/segment-copy.js'
import { refuseOpen, type SourcePartition } from './import-source.js'
import { OpenTransactions } from './open-transactions.js'

/** With more missing offsets than this the topic is a compacted one, where nobody asks for them. */
const MAX_GAPS = 1000

export interface CopiedPartition {
  readonly batchCount: number
  readonly sizeBytes: number
  readonly isCompacted: boolean
}

export async function importPartition(
  { context, startOffset, endOffset }: SourcePartition,
  place: CopyPlace,
  signal?: AbortSignal,
): Promise<CopiedPartition> {
  const copy = new SegmentCopy(context.system, place, startOffset)
  const seen = new SeenBatches(startOffset)
  const transactions = new OpenTransactions()
  try {
    for await (const stored of readBatchesWhole(context, startOffset, endOffset, signal)) {
      const { batch } = stored
      seen.add(batch.baseOffset, batch.nextOffset, batch.partitionLeaderEpoch)
      transactions.add(batch)
      await copy.add(stored, batch.partitionLeaderEpoch)
    }
    refuseOpen(context, transactions)
    seen.end(endOffset)
    const tail = await copy.end(endOffset)
    const gaps = seen.isCompacted ? [] : seen.gaps
    completePartition(context.system, place.directory, place.ownership, {
      tail,
      logStartOffset: startOffset,
      epochs: seen.epochs,
      gaps,
    })
  } finally {
    copy.close()
  }
  return { batchCount: seen.batchCount, sizeBytes: copy.sizeBytes, isCompacted: seen.isCompacted }
}

/** Of batches in order: the epochs that they name, and the offsets that they leave out. */
class SeenBatches {
  readonly epochs: LeaderEpoch[] = []
  readonly gaps: OffsetGap[] = []
  isCompacted = false
  batchCount = 0
  #nextOffset: number

  constructor(startOffset: number) {
    this.#nextOffset = startOffset
  }

  add(baseOffset: number, nextOffset: number, epoch: number): void {
    this.end(baseOffset)
    if (epoch > (this.epochs.at(-1)?.epoch ?? -1)) this.epochs.push({ epoch, startOffset: baseOffset })
    this.batchCount += 1
    this.#nextOffset = nextOffset
  }

  end(offset: number): void {
    if (offset <= this.#nextOffset) return
    if (this.gaps.length < MAX_GAPS) this.gaps.push({ fromOffset: this.#nextOffset, toOffset: offset })
    else this.isCompacted = true
  }
}
