/** What prints records for `export`: the interface of the formats beside this file. */
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { PrintedRecord } from '../print/printer.js'

export interface ExportFormat {
  /** Of files that are written, without the dot. */
  readonly extension: string
  /** Looks at a record before it is printed, and before the output that it goes to is begun. Throws what `print` throws. */
  readonly prepare?: (topic: string, partition: number, record: PrintedRecord) => void
  /** Appends what stands at the beginning of each output, before its records. */
  readonly begin: (out: GrowableBytes) => void
  /**
   * Appends the record. Throws LOGQ_INVALID_RECORD when the format cannot hold it at all, LOGQ_RECORD_TOO_LARGE when it is too
   * large for it; what was appended until then is the caller's to take back. Returns what of the record did not go in as it is, in
   * words.
   */
  readonly print: (topic: string, partition: number, record: PrintedRecord, out: GrowableBytes) => string | undefined
}

/** Appends text that has one character for each byte. */
export function appendLatin1(out: GrowableBytes, text: string): void {
  out.append(Buffer.from(text, 'latin1'))
}

export function appendUtf8(out: GrowableBytes, text: string): void {
  out.append(Buffer.from(text, 'utf8'))
}
