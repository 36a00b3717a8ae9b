/** What prints records: the interface of value.ts, json-print.ts and output-template.ts, and what it reads. */
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { Header, LogRecord } from '../../lib/record/record.js'
import type { TimeForm } from './timestamp.js'

/** What a printer reads of a record; a reader may lend the same object again and again. */
export interface PrintedRecord extends Pick<LogRecord, 'offset' | 'timestampMs' | 'timestampType' | 'key' | 'value'> {
  /** There may be millions: walked, not held. */
  readonly headers: Iterable<Header>
}

export interface RecordPrinter {
  /**
   * Appends the record to `out`, which is `OutputWriter.buffer`; the caller settles the writer. The printer that recordPrinter()
   * gives throws LOGQ_RECORD_TOO_LARGE for a record that the format cannot hold, and then has appended nothing.
   */
  print(topic: string, partition: number, record: PrintedRecord, out: GrowableBytes): void
  /**
   * The same for a record with a large value, part by part: each is a view that holds until the next one is asked for. A format whose
   * text is about as long as the bytes has none.
   */
  printInParts?(topic: string, partition: number, record: PrintedRecord): Iterable<Uint8Array>
}

/** Text from records passes it on its way out; see gateFor in escape.ts. */
export type Gate = (bytes: Uint8Array) => Uint8Array

export interface PrinterOptions {
  /** -D, -0: after each record in the value format. */
  readonly delimiter: Uint8Array
  /** -K: the key and this come before the value. */
  readonly keySeparator: Uint8Array | undefined
  /** --null. */
  readonly nullText: Uint8Array | undefined
  readonly gate: Gate
  /** --time, for tsv and %T. */
  readonly time: TimeForm
  /** The clock that relative times count from. */
  readonly nowMs: () => number
  /** --no-value: the value's length instead of the value. */
  readonly withoutValue: boolean
}
