/** Which records are wanted, as what reads them asks: on lent records, without a copy. */
import type { RecordFilter, StoredExpressionRecord } from './expression.js'
import type { LentRecord } from './lent-record.js'
import type { Header } from './record.js'

/** May keep nothing of the record, which is lent. What it throws ends the reading. */
export type RecordPredicate = (topic: string, partition: number, record: LentRecord) => boolean

/** The predicate of an expression. Of a record it reads only what the expression asks for. */
export function predicateOf(filter: RecordFilter): RecordPredicate {
  const candidate = new Candidate()
  return (topic, partition, record) => filter.matches(candidate.set(topic, partition, record))
}

const NO_RECORD: LentRecord = { offset: -1, timestampMs: -1, timestampType: 'CreateTime', key: null, value: null, headers: [] }

/** One object for all records. */
class Candidate implements StoredExpressionRecord {
  topic = ''
  partition = 0
  #record = NO_RECORD

  set(topic: string, partition: number, record: LentRecord): this {
    this.topic = topic
    this.partition = partition
    this.#record = record
    return this
  }

  get offset(): number {
    return this.#record.offset
  }

  get timestampMs(): number | bigint {
    return this.#record.timestampMs
  }

  get key(): Uint8Array | null {
    return this.#record.key
  }

  get value(): Uint8Array | null {
    return this.#record.value
  }

  get headers(): readonly Header[] {
    return [...this.#record.headers]
  }
}
