/** Batches as a Kafka broker appends them, for log directories that tests make: any offset, epoch, producer, and ends of transactions. */
import { appendFileSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  ATTRIBUTES_POSITION,
  CONTROL_FLAG,
  PRODUCER_EPOCH_POSITION,
  PRODUCER_ID_POSITION,
  TRANSACTIONAL_FLAG,
} from '../../lib/record/batch-layout.js'
import { BatchBuilder } from '../../lib/record/batch-builder.js'
import { stampBatch, writeCrc } from '../../lib/record/batch.js'

export interface KafkaBatch {
  readonly baseOffset: number
  readonly values?: readonly string[]
  readonly leaderEpoch?: number
  /** Makes it transactional. */
  readonly producerId?: number
  /** A control batch that ends the producer's transaction. */
  readonly ends?: 'commit' | 'abort'
}

export function kafkaBatch({ baseOffset, values = [], leaderEpoch = 2, producerId, ends }: KafkaBatch): Buffer {
  const builder = new BatchBuilder({ codec: 'none' })
  const timestampMs = 1_700_000_000_000 + baseOffset
  for (const value of values) builder.append({ value: Buffer.from(value), timestampMs })
  if (ends !== undefined) {
    const key = Buffer.from([0, 0, 0, ends === 'commit' ? 1 : 0])
    builder.append({ key, value: Buffer.alloc(6), timestampMs })
  }
  const bytes = Buffer.from(builder.seal().bytes)
  if (producerId !== undefined) {
    bytes.writeInt16BE(TRANSACTIONAL_FLAG | (ends === undefined ? 0 : CONTROL_FLAG), ATTRIBUTES_POSITION)
    bytes.writeBigInt64BE(BigInt(producerId), PRODUCER_ID_POSITION)
    bytes.writeInt16BE(0, PRODUCER_EPOCH_POSITION)
    writeCrc(bytes)
  }
  stampBatch(bytes, baseOffset, leaderEpoch)
  return bytes
}

/** Appends to the last segment of a partition directory, without index entries, which a broker writes now and then only. */
export function appendToKafka(directory: string, batches: readonly KafkaBatch[]): void {
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.log')) : []
  const last = names.sort().at(-1)
  if (last === undefined) throw new Error(`no segment in ${directory}`)
  appendFileSync(join(directory, last), Buffer.concat(batches.map(kafkaBatch)))
}
