/** Which transactions are open at the end of a log, from its batches in order (format-spec/kafka.md, "From Kafka to logq"). */
import { InvalidBatchError, type RecordBatch } from '../record/batch.js'

export interface OpenTransaction {
  readonly producerId: number | bigint
  readonly firstOffset: number
}

/** The type of a control record: an int16 behind the int16 version, in its key. Others do not end transactions. */
const TYPE_POSITION = 2
const ABORT = 0
const COMMIT = 1

export class OpenTransactions {
  /** By producer id, in the order in which they began. */
  readonly #open = new Map<number | bigint, number>()

  add(batch: RecordBatch): void {
    if (!batch.isTransactional) return
    const { producerId } = batch
    if (!batch.isControl) {
      if (!this.#open.has(producerId)) this.#open.set(producerId, batch.baseOffset)
    } else if (endsTransaction(batch)) this.#open.delete(producerId)
  }

  get first(): OpenTransaction | undefined {
    const [first] = this.#open
    return first === undefined ? undefined : { producerId: first[0], firstOffset: first[1] }
  }
}

function endsTransaction(batch: RecordBatch): boolean {
  const [record] = batch.records()
  // Compaction may leave a control batch without its record.
  if (record === undefined) return true
  if (record.key === null || record.key.length < TYPE_POSITION + 2)
    throw new InvalidBatchError('a control record has no type', 0)
  const type = Buffer.from(record.key).readInt16BE(TYPE_POSITION)
  return type === ABORT || type === COMMIT
}
