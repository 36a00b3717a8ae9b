/**
 * The value format in its general case: `[key SEPARATOR] value DELIMITER`. The plain case (no key, no terminal) is joinValues of the
 * record layer, which needs no record objects; this prints the same bytes.
 */
import type { PrinterOptions, RecordPrinter } from './printer.js'

/** A null key or value is `nullText`, or nothing. */
export function valuePrinter({ delimiter, keySeparator, nullText, gate }: PrinterOptions): RecordPrinter {
  const shownNull = nullText ?? new Uint8Array(0)
  return {
    print(_topic, _partition, record, out) {
      if (keySeparator !== undefined) {
        out.append(record.key === null ? shownNull : gate(record.key))
        out.append(keySeparator)
      }
      out.append(record.value === null ? shownNull : gate(record.value))
      out.append(delimiter)
    },
  }
}
