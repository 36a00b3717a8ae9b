/**
 * A record that is lent, not copied: its fields are read from the cursor at the moment they are asked for, so that who looks at the
 * key pays for the key only. One object serves all records of a batch; it is the record at which the cursor stands.
 */
import type { RecordBatch } from './batch.js'
import type { RecordCursor } from './record-cursor.js'
import type { Header, LogRecord } from './record.js'

export interface LentRecord extends Omit<LogRecord, 'headers'> {
  /** To be walked once each time it is asked for: there may be millions. */
  readonly headers: Iterable<Header>
}

/** Key and value alias the batch's bytes, or its decompressed records; so do the values of headers. */
export function lendRecord(batch: RecordBatch, cursor: RecordCursor): LentRecord {
  const { timestampType } = batch
  return {
    timestampType,
    get offset() {
      return cursor.offset
    },
    get timestampMs() {
      return cursor.timestampMs
    },
    get key() {
      return viewOf(cursor.bytes, cursor.keyStart, cursor.keyEnd)
    },
    get value() {
      return viewOf(cursor.bytes, cursor.valueStart, cursor.valueEnd)
    },
    get headers() {
      return cursor.headers()
    },
  }
}

/** The record as it is now, as copies that hold when the cursor moves on. */
export function copyRecord(record: LentRecord): LogRecord {
  const { offset, timestampMs, timestampType } = record
  const headers = Array.from(record.headers, ({ key, value }) => ({ key, value: copyOf(value) }))
  return { offset, timestampMs, timestampType, key: copyOf(record.key), value: copyOf(record.value), headers }
}

function copyOf(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : bytes.slice()
}

/** No copy: a reader may ask several times, and the batch stays where it is until the next one is read. Null starts below 0. */
function viewOf(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  return start < 0 ? null : bytes.subarray(start, end)
}
