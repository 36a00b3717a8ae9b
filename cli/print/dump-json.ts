/**
 * Items of a dump as JSON lines: the fields of the library's items under the same names, null for what is not known, and a decimal
 * string for what a JSON number does not hold. A record is the JSON record of json-print.ts, whole.
 */
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { DumpItem } from '../../lib/inspect/dump-item.js'
import type { Gate, RecordPrinter } from './printer.js'

/** Appends one line to `out`. Throws LOGQ_RECORD_TOO_LARGE, and then has appended nothing. */
export function appendDumpJson(item: DumpItem, records: RecordPrinter, gate: Gate, out: GrowableBytes): void {
  if (item.type !== 'record') {
    out.append(gate(Buffer.from(`${JSON.stringify(item, plain)}\n`)))
    return
  }
  const { topic = '', partition = -1, record, ...outer } = item
  const { length } = out
  try {
    out.append(gate(Buffer.from(`${JSON.stringify(outer).slice(0, -1)},"record":`)))
    records.print(topic, partition, record, out)
  } catch (error) {
    out.length = length
    throw error
  }
  // The record's own line end.
  out.length -= 1
  out.append(Buffer.from('}\n'))
}

/** JSON has neither of them. A missing field would look like one of an older logq. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value === undefined ? null : value
}
