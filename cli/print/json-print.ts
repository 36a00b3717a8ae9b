/**
 * The JSON record, one line, always these fields, in this order:
 *
 *     {"topic","partition","offset","timestamp","timestampType","key","value","headers"}
 *
 * timestamp in ms, -1 for none; null is null and differs from ""; bytes that are not valid UTF-8 are base64 and a sibling
 * "keyEncoding" or "valueEncoding" says so; headers is an array of {"key","value"[,"valueEncoding"]} in order, duplicates kept.
 * json-parse.ts reads the same.
 */
import { isUtf8 } from 'node:buffer'
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import { LogqError } from '../../lib/errors.js'
import type { Header } from '../../lib/record/record.js'
import type { Gate, PrintedRecord, RecordPrinter } from './printer.js'

export interface JsonPrinterOptions {
  /** The JSON text passes it as a whole: what it escapes is still the same JSON. */
  readonly gate: Gate
  /** --no-value: leave the value out and give its length as "valueBytes". */
  readonly withoutValue?: boolean
}

/** JavaScript strings end at 512 MiB; with escapes, that is where a record stops fitting in one line of JSON. */
const MAX_BYTES = 256 * 1024 * 1024

export function jsonPrinter({ gate, withoutValue = false }: JsonPrinterOptions): RecordPrinter {
  let knownTopic: string | undefined
  let topicText = ''
  return {
    print(topic, partition, record, out) {
      if (topic !== knownTopic) {
        knownTopic = topic
        topicText = JSON.stringify(topic)
      }
      checkSize(topic, partition, record, withoutValue)
      const { timestampMs } = record
      // A bigint is beyond what a JSON number keeps in most programs: those are decimal strings.
      const timestamp = typeof timestampMs === 'bigint' ? `"${timestampMs}"` : String(timestampMs)
      const value = withoutValue ? `"valueBytes":${record.value?.length ?? 'null'}` : bytesField('value', record.value)
      appendText(
        `{"topic":${topicText},"partition":${partition},"offset":${record.offset},"timestamp":${timestamp},` +
          `"timestampType":"${record.timestampType}",${bytesField('key', record.key)},${value},"headers":${headersText(record.headers)}}\n`,
        out,
        gate,
      )
    },
  }
}

function checkSize(topic: string, partition: number, record: PrintedRecord, withoutValue: boolean): void {
  const bytes = (record.key?.length ?? 0) + (withoutValue ? 0 : (record.value?.length ?? 0))
  if (bytes > MAX_BYTES) {
    throw new LogqError(
      'LOGQ_RECORD_TOO_LARGE',
      `the record at offset ${record.offset} of '${topic}-${partition}' is too large for JSON`,
      {
        hint: 'records above 256 MiB are printed by the value and batch formats only',
      },
    )
  }
}

function bytesField(name: 'key' | 'value', bytes: Uint8Array | null): string {
  if (bytes === null) return `"${name}":null`
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (isUtf8(view)) return `"${name}":${JSON.stringify(view.toString('utf8'))}`
  return `"${name}":"${view.toString('base64')}","${name}Encoding":"base64"`
}

function headersText(headers: readonly Header[]): string {
  if (headers.length === 0) return '[]'
  return `[${headers.map(({ key, value }) => `{"key":${JSON.stringify(key)},${bytesField('value', value)}}`).join(',')}]`
}

function appendText(text: string, out: GrowableBytes, gate: Gate): void {
  const bytes = gate(Buffer.from(text, 'utf8'))
  out.append(bytes)
}
