/** What prints records: the interface of value.ts, json-print.ts and output-template.ts, and what it reads. */
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { LogRecord } from '../../lib/record/record.js'

/** What a printer reads of a record; a reader may lend the same object again and again. */
export type PrintedRecord = Pick<LogRecord, 'offset' | 'timestampMs' | 'timestampType' | 'key' | 'value' | 'headers'>

export interface RecordPrinter {
  /** Appends the record to `out`, which is `OutputWriter.buffer`; the caller settles the writer. */
  print(topic: string, partition: number, record: PrintedRecord, out: GrowableBytes): void
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
}
