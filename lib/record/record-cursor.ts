/**
 * Walks the records of one batch without copying: what printers, the digest and RecordBatch.records() use.
 *
 * Every length is checked against what is left before it is followed, so that a hostile batch costs no more than its own bytes.
 * See format-spec/record-batch.md, "Record".
 */

import { readVarint, readVarlong, type ReadPlace } from '../bytes/varint.js'
import { MIN_HEADER_BYTES, MIN_RECORD_BYTES, RECORDS_POSITION } from './batch-layout.js'
import { InvalidBatchError } from './invalid-batch-error.js'
import type { Header } from './record.js'

/** What a cursor needs to know of the batch around the records. */
export interface RecordsArea {
  /** The array that holds the decompressed records. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly decompressed: boolean
  readonly baseOffset: number
  readonly lastOffsetDelta: number
  readonly recordCount: number
  readonly baseTimestampMs: number | bigint
  /** The timestamp of every record, for LogAppendTime. */
  readonly logAppendTimeMs: number | bigint | undefined
}

/** A place between two records of a batch. */
export interface RecordPlace {
  /** Where the next record begins in the area's bytes. */
  readonly position: number
  readonly recordsRead: number
  /** Offset delta of the record before, -1 for none. */
  readonly previousDelta: number
}

/** Start or end of an absent key or value. */
export const NULL_PLACE = -1

export class RecordCursor implements ReadPlace {
  /** Where the current record's key and value lie. The cursor's owner must not change these bytes while it walks. */
  readonly bytes: Uint8Array

  offset = -1
  timestampMs: number | bigint = -1
  /** `bytes[keyStart, keyEnd)`; NULL_PLACE both when there is no key. */
  keyStart = NULL_PLACE
  keyEnd = NULL_PLACE
  /** `bytes[valueStart, valueEnd)`; NULL_PLACE both for a null value. */
  valueStart = NULL_PLACE
  valueEnd = NULL_PLACE
  headerCount = 0

  /** For readVarint: the place that is read next and the end of the current record. Not for callers. */
  position: number
  end: number

  private headersStart = 0
  private recordsRead = 0
  private previousDelta = -1
  private readonly area: RecordsArea

  /** Throws InvalidBatchError when the record count is impossible. */
  constructor(area: RecordsArea) {
    this.area = area
    this.bytes = area.bytes
    this.position = area.start
    this.end = area.end
    const count = area.recordCount
    if (count < 0 || count > area.lastOffsetDelta + 1 || count * MIN_RECORD_BYTES > area.end - area.start) {
      this.fail(`a record count of ${count} cannot be`, area.start)
    }
  }

  /**
   * Moves to the next record; false after the last one. Throws InvalidBatchError for lengths that leave the record or the batch, for
   * offsets that do not rise, and for bytes left over.
   */
  next(): boolean {
    const area = this.area
    this.end = area.end
    const start = this.position
    if (this.recordsRead === area.recordCount) {
      if (start !== area.end) this.fail(`${area.end - start} bytes are left over after the last record`, start)
      return false
    }
    const length = readVarint(this)
    if (!(length >= MIN_RECORD_BYTES - 1 && length <= area.end - this.position)) this.failNumber('record length', length, start)
    this.end = this.position + length
    // The record's attributes byte has no meaning yet.
    this.position++

    this.readTimestamp()
    this.readOffset()
    const keyLength = this.readLength('key')
    this.keyStart = keyLength < 0 ? NULL_PLACE : this.position
    this.keyEnd = keyLength < 0 ? NULL_PLACE : (this.position += keyLength)
    const valueLength = this.readLength('value')
    this.valueStart = valueLength < 0 ? NULL_PLACE : this.position
    this.valueEnd = valueLength < 0 ? NULL_PLACE : (this.position += valueLength)
    this.skipHeaders()
    if (this.position !== this.end) this.fail(`a record is ${this.end - this.position} bytes longer than its fields`, start)
    this.recordsRead++
    return true
  }

  /** Where the next record begins: what continueAt() takes. */
  place(): RecordPlace {
    return { position: this.position, recordsRead: this.recordsRead, previousDelta: this.previousDelta }
  }

  /** Goes on at a place that something else has walked to, by the same rules. */
  continueAt(place: RecordPlace): void {
    this.position = place.position
    this.recordsRead = place.recordsRead
    this.previousDelta = place.previousDelta
  }

  /** A copy of the current record's key. */
  copyKey(): Uint8Array | null {
    return this.keyStart < 0 ? null : this.bytes.slice(this.keyStart, this.keyEnd)
  }

  /** A copy of the current record's value. */
  copyValue(): Uint8Array | null {
    return this.valueStart < 0 ? null : this.bytes.slice(this.valueStart, this.valueEnd)
  }

  /** The current record's headers, in order, one at a time: there may be millions. The values are views, not copies. */
  *headers(): Generator<Header, void, undefined> {
    const { bytes, headerCount: count } = this
    // Another place than the cursor's own; next() has checked every length from here to the record's end.
    const place = { bytes, position: this.headersStart, end: this.end }
    for (let index = 0; index < count; index++) {
      const keyLength = readVarint(place)
      const key = utf8.decode(bytes.subarray(place.position, (place.position += keyLength)))
      const valueLength = readVarint(place)
      yield { key, value: valueLength < 0 ? null : bytes.subarray(place.position, (place.position += valueLength)) }
    }
  }

  /** Copies of the current record's headers, in order. */
  copyHeaders(): Header[] {
    if (this.headerCount === 0) return []
    return Array.from(this.headers(), ({ key, value }) => ({ key, value: value === null ? null : value.slice() }))
  }

  private readTimestamp(): void {
    const { logAppendTimeMs, baseTimestampMs } = this.area
    const start = this.position
    const delta = readVarlong(this)
    if (Number.isNaN(delta)) this.failNumber('timestamp delta', delta, start)
    this.timestampMs = logAppendTimeMs ?? addTimestamps(baseTimestampMs, delta)
  }

  private readOffset(): void {
    const start = this.position
    const delta = readVarint(this)
    if (!(delta > this.previousDelta && delta <= this.area.lastOffsetDelta)) {
      this.failNumber('offset delta', delta, start)
    }
    this.previousDelta = delta
    this.offset = this.area.baseOffset + delta
  }

  /** A length of −1 (null) or more that lies inside the record. */
  private readLength(what: string): number {
    const start = this.position
    const length = readVarint(this)
    if (!(length >= -1 && length <= this.end - this.position)) this.failNumber(`${what} length`, length, start)
    return length
  }

  private skipHeaders(): void {
    const start = this.position
    const count = readVarint(this)
    if (!(count >= 0 && count * MIN_HEADER_BYTES <= this.end - this.position)) this.failNumber('header count', count, start)
    this.headerCount = count
    this.headersStart = this.position
    for (let index = 0; index < count; index++) {
      const keyStart = this.position
      const keyLength = this.readLength('header key')
      if (keyLength < 0) this.fail('a header key is null', keyStart)
      this.position += keyLength
      // Not `position += readLength()`: that would take the position from before the length was read.
      const valueLength = this.readLength('header value')
      if (valueLength > 0) this.position += valueLength
    }
  }

  private failNumber(what: string, value: number | bigint, position: number): never {
    this.fail(Number.isNaN(value) ? `a ${what} is not a valid varint` : `a ${what} of ${value} cannot be`, position)
  }

  private fail(what: string, position: number): never {
    if (!this.area.decompressed) throw new InvalidBatchError(what, position)
    throw new InvalidBatchError(`${what} (byte ${position} of the decompressed records)`, RECORDS_POSITION)
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The sum wraps at 64 bits, as Java's does. A number where it is a safe integer. */
export function addTimestamps(base: number | bigint, delta: number | bigint): number | bigint {
  if (typeof base === 'number' && typeof delta === 'number') {
    const sum = base + delta
    if (Number.isSafeInteger(sum)) return sum
  }
  const exact = BigInt.asIntN(64, BigInt(base) + BigInt(delta))
  const number = Number(exact)
  return Number.isSafeInteger(number) ? number : exact
}
