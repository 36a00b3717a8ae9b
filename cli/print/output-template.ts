/** A %-template as a printer of records. See template.ts for the language. */
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { Header } from '../../lib/record/record.js'
import { piecesOf } from './pieces.js'
import type { Gate, PrintedRecord, RecordPrinter } from './printer.js'
import type { Placeholder, Template } from './template.js'
import { timestampText, type TimeForm } from './timestamp.js'

export interface OutputTemplateOptions {
  /** Written for a null key or value, instead of nothing. */
  readonly nullText: Uint8Array
  /** For what comes from records; the template's own text was typed by the user and passes. */
  readonly gate: Gate
  /** --time: the form of a plain %T. */
  readonly time: TimeForm
  readonly nowMs: () => number
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

function placeholderWriter({ field, form }: Placeholder, { nullText, gate, time, nowMs }: OutputTemplateOptions): Writer {
  const appendBytes = (out: GrowableBytes, bytes: Uint8Array | null): void => {
    if (bytes === null) out.append(nullText)
    else if (form === 'plain' || form === 'iso') out.append(gate(bytes))
    else for (const piece of piecesOf(bytes)) appendText(out, inForm(piece, form))
  }
  const timeForm = form === 'iso' ? 'iso' : time
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
        appendBytes(out, record.key)
      }
    case 'value':
      return (_topic, _partition, record, out) => {
        appendBytes(out, record.value)
      }
    case 'headers':
      return (_topic, _partition, record, out) => {
        appendHeaders(out, record.headers, gate)
      }
    case 'timestamp':
      return (_topic, _partition, record, out) => {
        appendText(out, timestampText(record.timestampMs, timeForm, nowMs))
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

function inForm(bytes: Uint8Array, form: 'base64' | 'hex'): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(form)
}

/** `name=value,name=value` in their order; a null value is the name alone. Names and values are as they are: for bytes use -J. */
function appendHeaders(out: GrowableBytes, headers: Iterable<Header>, gate: Gate): void {
  let before = ''
  for (const { key, value } of headers) {
    out.append(gate(Buffer.from(`${before}${key}${value === null ? '' : '='}`, 'utf8')))
    if (value !== null) out.append(gate(value))
    before = ','
  }
}

function appendText(out: GrowableBytes, text: string): void {
  out.append(Buffer.from(text, 'latin1'))
}
