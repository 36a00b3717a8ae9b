/**
 * The tsv format: topic, partition, offset, timestamp, key, value and headers with a tab between, one record one line always. Nothing
 * is lost: splitting a line at its tabs and replacing the escapes gives back the bytes.
 *
 * - Bytes below 0x20 and 0x7f are `\t`, `\n`, `\r`, `\0` or `\xNN`, a backslash is `\\`, and every byte that is not part of valid UTF-8
 *   is `\xNN`: so a line is text. A NUL before a digit is `\x00`, since some readers of escapes take `\01` for another byte.
 * - Null is `\N`; a value that is these two characters is `\\N`. Empty is empty.
 * - Headers are `name=value` with a comma between, in order, duplicates kept; a null value is `name=\N`. An equals sign or a comma in a
 *   name, and a comma in a value, is `\xNN`: split at commas, then at the first equals sign, then replace the escapes.
 * - With --no-value the value is its length in bytes.
 */
import { isUtf8 } from 'node:buffer'
import { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import { utf8Length } from './escape.js'
import { textPiecesOf } from './pieces.js'
import type { PrintedRecord, PrinterOptions, RecordPrinter } from './printer.js'
import { timestampText } from './timestamp.js'

type TsvOptions = Pick<PrinterOptions, 'gate' | 'time' | 'nowMs' | 'withoutValue'>

export function tsvPrinter({ gate, time, nowMs, withoutValue }: TsvOptions): RecordPrinter {
  return {
    print(topic, partition, record, out) {
      appendStart(out, topic, partition, record)
      if (withoutValue) appendText(out, String(record.value?.length ?? NULL))
      else appendField(out, record.value, fieldEscapes)
      appendEnd(out, record)
    },
    *printInParts(topic, partition, record) {
      const out = new GrowableBytes()
      appendStart(out, topic, partition, record)
      yield out.view()
      for (const part of escapedPieces(record.value ?? new Uint8Array(0), fieldEscapes)) yield gate(part)
      out.clear()
      appendEnd(out, record)
      yield out.view()
    },
  }

  function appendStart(out: GrowableBytes, topic: string, partition: number, record: PrintedRecord): void {
    appendField(out, Buffer.from(topic, 'utf8'), fieldEscapes)
    appendText(out, `\t${partition}\t${record.offset}\t${timestampText(record.timestampMs, time, nowMs)}\t`)
    appendField(out, record.key, fieldEscapes)
    appendText(out, '\t')
  }

  function appendEnd(out: GrowableBytes, { headers }: PrintedRecord): void {
    let before = '\t'
    for (const { key, value } of headers) {
      appendText(out, before)
      before = ','
      appendField(out, Buffer.from(key, 'utf8'), nameEscapes)
      appendText(out, '=')
      appendField(out, value, headerValueEscapes)
    }
    appendText(out, before === '\t' ? '\t\n' : '\n')
  }

  function appendField(out: GrowableBytes, bytes: Uint8Array | null, escapes: Escapes): void {
    if (bytes === null) appendText(out, NULL)
    else for (const part of escapedPieces(bytes, escapes)) out.append(gate(part))
  }
}

function appendText(out: GrowableBytes, text: string): void {
  out.append(Buffer.from(text, 'utf8'))
}

const NULL = '\\N'

/** What is written for a byte, by the byte; undefined for one that stays as it is. */
type Escapes = readonly (string | undefined)[]

const hexTexts = Array.from({ length: 256 }, (_, byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
const hex = (byte: number): string => hexTexts[byte] ?? ''

const fieldEscapes: Escapes = Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x5c) return '\\\\'
  if (byte === 0x09) return '\\t'
  if (byte === 0x0a) return '\\n'
  if (byte === 0x0d) return '\\r'
  if (byte === 0x00) return '\\0'
  return byte < 0x20 || byte === 0x7f ? hex(byte) : undefined
})
const headerValueEscapes: Escapes = fieldEscapes.with(0x2c, hex(0x2c))
const nameEscapes: Escapes = headerValueEscapes.with(0x3d, hex(0x3d))

/** The bytes of a key or value as they stand in a field. */
export function escapedField(bytes: Uint8Array): Uint8Array {
  return escaped(bytes, fieldEscapes)
}

function* escapedPieces(bytes: Uint8Array, escapes: Escapes): Generator<Uint8Array, void, undefined> {
  let start = 0
  for (const piece of textPiecesOf(bytes)) {
    start += piece.length
    yield escaped(piece, escapes, bytes[start])
  }
}

/** Gives `bytes` themselves when there is nothing to escape. `after` is the byte that follows them. */
function escaped(bytes: Uint8Array, escapes: Escapes, after?: number): Uint8Array {
  const isText = isUtf8(bytes)
  const first = isText ? bytes.findIndex((byte) => escapes[byte] !== undefined) : 0
  if (first === -1) return bytes
  const text = Buffer.allocUnsafe(LONGEST_ESCAPE * bytes.length)
  text.set(bytes.subarray(0, first))
  let length = first
  for (let at = first; at < bytes.length;) {
    const byte = bytes[at] ?? 0
    const characters = isText || byte < 0x80 ? 1 : utf8Length(bytes, at)
    let escape = characters === 0 ? hex(byte) : escapes[byte]
    if (escape === undefined) {
      for (const end = at + characters; at < end; at += 1) text[length++] = bytes[at] ?? 0
      continue
    }
    at += 1
    if (byte === 0x00 && isDigit(at < bytes.length ? bytes[at] : after)) escape = hex(byte)
    for (let n = 0; n < escape.length; n += 1) text[length++] = escape.charCodeAt(n)
  }
  return text.subarray(0, length)
}

/** `\xNN`. */
const LONGEST_ESCAPE = 4

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}
