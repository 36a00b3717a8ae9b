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
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { Header } from '../../lib/record/record.js'
import { utf8Length } from './escape.js'
import { textPiecesOf } from './pieces.js'
import type { PrinterOptions, RecordPrinter } from './printer.js'
import { timestampText } from './timestamp.js'

type TsvOptions = Pick<PrinterOptions, 'gate' | 'time' | 'nowMs' | 'withoutValue'>

export function tsvPrinter({ gate, time, nowMs, withoutValue }: TsvOptions): RecordPrinter {
  const appendText = (out: GrowableBytes, text: string): void => {
    out.append(Buffer.from(text, 'utf8'))
  }
  const appendField = (out: GrowableBytes, bytes: Uint8Array | null, escapes: Escapes): void => {
    if (bytes === null) appendText(out, NULL)
    else for (const piece of textPiecesOf(bytes)) out.append(gate(escaped(piece, escapes)))
  }
  const appendHeaders = (out: GrowableBytes, headers: Iterable<Header>): void => {
    let isFirst = true
    for (const { key, value } of headers) {
      if (!isFirst) appendText(out, ',')
      isFirst = false
      appendField(out, Buffer.from(key, 'utf8'), nameEscapes)
      appendText(out, '=')
      appendField(out, value, headerValueEscapes)
    }
  }
  return {
    print(topic, partition, record, out) {
      appendText(out, `${topic}\t${partition}\t${record.offset}\t${timestampText(record.timestampMs, time, nowMs)}\t`)
      appendField(out, record.key, fieldEscapes)
      appendText(out, '\t')
      if (withoutValue) appendText(out, String(record.value?.length ?? NULL))
      else appendField(out, record.value, fieldEscapes)
      appendText(out, '\t')
      appendHeaders(out, record.headers)
      appendText(out, '\n')
    },
  }
}

const NULL = '\\N'

/** What is written for a byte, by the byte; undefined for one that stays as it is. */
type Escapes = readonly (string | undefined)[]

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`

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

/** Gives `bytes` themselves when there is nothing to escape. */
function escaped(bytes: Uint8Array, escapes: Escapes): Uint8Array {
  const isText = isUtf8(bytes)
  const parts: Uint8Array[] = []
  let start = 0
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0
    const length = isText || byte < 0x80 ? 1 : utf8Length(bytes, at)
    const escape = length === 0 ? hex(byte) : escapes[byte]
    at += length === 0 ? 1 : length
    if (escape === undefined) continue
    const next = bytes[at] ?? 0
    const isUnclear = byte === 0x00 && next >= 0x30 && next <= 0x39
    parts.push(bytes.subarray(start, at - 1), Buffer.from(isUnclear ? hex(byte) : escape, 'latin1'))
    start = at
  }
  return start === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(start)])
}
