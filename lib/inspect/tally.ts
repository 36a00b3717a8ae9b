/** What is known of a group of records without keeping any of them: how many, how large, when, and where the first and last are. */
import type { LentRecord } from '../record/lent-record.js'

export interface RecordPlace {
  readonly partition: number
  readonly offset: number
}

export interface GroupTally {
  readonly recordCount: number
  /** Bytes of keys and values. */
  readonly sizeBytes: number
  /** Smallest and largest timestamp, -1 when no record has one. */
  readonly firstTimestampMs: number
  readonly lastTimestampMs: number
  /** The record with the smallest timestamp; of several, and where none has one, the one that was read first. */
  readonly first: RecordPlace | undefined
  /** The record with the largest timestamp; of several, and where none has one, the one that was read last. */
  readonly last: RecordPlace | undefined
}

/** Numbers of one tally. Many tallies stand in one array, which takes a fraction of what objects would. */
export const TALLY_NUMBERS = 8

const RECORD_COUNT = 0
const SIZE_BYTES = 1
const FIRST_TIMESTAMP_MS = 2
const LAST_TIMESTAMP_MS = 3
const FIRST_PARTITION = 4
const FIRST_OFFSET = 5
const LAST_PARTITION = 6
const LAST_OFFSET = 7

export class Tally implements GroupTally {
  /** The tally is `numbers[start, start + TALLY_NUMBERS)`. A new one has to be cleared where these are not its own. */
  constructor(
    public numbers: Float64Array = new Float64Array(TALLY_NUMBERS).fill(-1).fill(0, 0, FIRST_TIMESTAMP_MS),
    public start = 0,
  ) {}

  get recordCount(): number {
    return this.#get(RECORD_COUNT)
  }

  get sizeBytes(): number {
    return this.#get(SIZE_BYTES)
  }

  get firstTimestampMs(): number {
    return this.#get(FIRST_TIMESTAMP_MS)
  }

  get lastTimestampMs(): number {
    return this.#get(LAST_TIMESTAMP_MS)
  }

  get first(): RecordPlace | undefined {
    return this.#place(FIRST_PARTITION, FIRST_OFFSET)
  }

  get last(): RecordPlace | undefined {
    return this.#place(LAST_PARTITION, LAST_OFFSET)
  }

  /** Of no records. */
  clear(): void {
    this.numbers.fill(-1, this.start, this.start + TALLY_NUMBERS)
    this.#set(RECORD_COUNT, 0)
    this.#set(SIZE_BYTES, 0)
  }

  /** As it is now. */
  snapshot(): GroupTally {
    const { recordCount, sizeBytes, firstTimestampMs, lastTimestampMs, first, last } = this
    return { recordCount, sizeBytes, firstTimestampMs, lastTimestampMs, first, last }
  }

  /** Reads lengths and no bytes. */
  add(partition: number, { key, value, timestampMs, offset }: LentRecord): void {
    this.#set(RECORD_COUNT, this.recordCount + 1)
    this.#set(SIZE_BYTES, this.sizeBytes + (key?.length ?? 0) + (value?.length ?? 0))
    const ms = Number(timestampMs)
    const isTimed = ms !== -1
    const hasTimes = this.firstTimestampMs !== -1
    // Where records have timestamps, those without do not come first or last.
    if (!isTimed && hasTimes) return
    if (this.first === undefined || (isTimed && (!hasTimes || ms < this.firstTimestampMs))) {
      this.#set(FIRST_TIMESTAMP_MS, ms)
      this.#set(FIRST_PARTITION, partition)
      this.#set(FIRST_OFFSET, offset)
    }
    if (!isTimed || !hasTimes || ms >= this.lastTimestampMs) {
      this.#set(LAST_TIMESTAMP_MS, ms)
      this.#set(LAST_PARTITION, partition)
      this.#set(LAST_OFFSET, offset)
    }
  }

  #get(number: number): number {
    return this.numbers[this.start + number] ?? 0
  }

  #set(number: number, value: number): void {
    this.numbers[this.start + number] = value
  }

  #place(partitionNumber: number, offsetNumber: number): RecordPlace | undefined {
    const partition = this.#get(partitionNumber)
    return partition < 0 ? undefined : { partition, offset: this.#get(offsetNumber) }
  }
}
