/** A %-template as a printer of records. See template.ts for the language. */
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { Header } from '../../lib/record/record.js'
import type { Gate, PrintedRecord, RecordPrinter } from './printer.js'
import type { FieldForm, Placeholder, Template } from './template.js'

export interface OutputTemplateOptions {
  /** Written for a null key or value, instead of nothing. */
  readonly nullText: Uint8Array
  /** For what comes from records; the template's own text was typed by the user and passes. */
  readonly gate: Gate
}

type Writer = (topic: string, partition: number, record: PrintedRecord, out: GrowableBytes) => void

/** Compiles once; printing a record is a walk over functions. */
export function templatePrinter(template: Template, options: OutputTemplateOptions): RecordPrinter {
  const writers = template.map((part): Writer => {
    if (part.kind === 'placeholder') return placeholderWriter(part, options)
    const { bytes } = part
    return (_topic, _partition, _record, out) => {
      out.append(bytes)
    }
  })
  return {
    print(topic, partition, record, out) {
      for (const write of writers) write(topic, partition, record, out)
    },
  }
}

function placeholderWriter({ field, form }: Placeholder, { nullText, gate }: OutputTemplateOptions): Writer {
  const bytesIn = (bytes: Uint8Array | null): Uint8Array => (bytes === null ? nullText : gate(inForm(bytes, form)))
  switch (field) {
    case 'topic':
      return (topic, _partition, _record, out) => {
        out.append(gate(Buffer.from(topic, 'utf8')))
      }
    case 'partition':
      return (_topic, partition, _record, out) => {
        appendText(out, String(partition))
      }
    case 'offset':
      return (_topic, _partition, record, out) => {
        appendText(out, String(record.offset))
      }
    case 'key':
      return (_topic, _partition, record, out) => {
        out.append(bytesIn(record.key))
      }
    case 'value':
      return (_topic, _partition, record, out) => {
        out.append(bytesIn(record.value))
      }
    case 'headers':
      return (_topic, _partition, record, out) => {
        out.append(gate(headersText(record.headers)))
      }
    case 'timestamp':
      return (_topic, _partition, record, out) => {
        appendText(out, form === 'iso' ? isoTimestamp(record.timestampMs) : String(record.timestampMs))
      }
    case 'keyLength':
      return (_topic, _partition, record, out) => {
        appendText(out, String(record.key?.length ?? -1))
      }
    case 'valueLength':
      return (_topic, _partition, record, out) => {
        appendText(out, String(record.value?.length ?? -1))
      }
  }
}

function inForm(bytes: Uint8Array, form: FieldForm): Uint8Array {
  if (form !== 'base64' && form !== 'hex') return bytes
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return Buffer.from(view.toString(form), 'latin1')
}

/** `name=value,name=value` in their order; a null value is the name alone. Names and values are as they are: for bytes use -J. */
function headersText(headers: readonly Header[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { key, value } of headers) {
    if (parts.length > 0) parts.push(Buffer.from(','))
    parts.push(Buffer.from(value === null ? key : `${key}=`, 'utf8'))
    if (value !== null) parts.push(value)
  }
  return Buffer.concat(parts)
}

/** RFC 3339 in UTC with ms; outside the years 0 to 9999, and for -1 (none), the number. */
function isoTimestamp(timestampMs: number | bigint): string {
  const ms = Number(timestampMs)
  if (timestampMs === -1 || ms < -62_167_219_200_000 || ms > 253_402_300_799_999) return String(timestampMs)
  return new Date(ms).toISOString()
}

function appendText(out: GrowableBytes, text: string): void {
  out.append(Buffer.from(text, 'latin1'))
}
