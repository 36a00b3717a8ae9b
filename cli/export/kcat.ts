/**
 * The objects that `kcat -J` prints, one a line; import/kcat.ts has them field by field. As kcat does it, strings hold the bytes of
 * keys, values and headers as they are, so that nothing is lost, and what is not UTF-8 makes JSON that most programs refuse. Nobody
 * knows a broker: it is -1.
 */
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { Header } from '../../lib/record/record.js'
import { piecesOf } from '../print/pieces.js'
import { appendLatin1, appendUtf8, type ExportFormat } from './export-format.js'

export const kcatFormat: ExportFormat = {
  extension: 'json',
  begin: () => undefined,
  print(topic, partition, record, out) {
    const { timestampMs, offset } = record
    const type = record.timestampType === 'CreateTime' ? 'create' : 'logappend'
    const time = Number(timestampMs) === -1 ? '' : `,"tstype":"${type}","ts":${timestampMs}`
    appendUtf8(out, `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset}${time},"broker":-1`)
    appendHeaders(out, record.headers)
    appendUtf8(out, ',"key":')
    appendString(out, record.key)
    appendUtf8(out, ',"payload":')
    appendString(out, record.value)
    appendUtf8(out, '}\n')
    return undefined
  },
}

/** Names and values in turn; nothing when there are none. */
function appendHeaders(out: GrowableBytes, headers: Iterable<Header>): void {
  let before = ',"headers":['
  for (const { key, value } of headers) {
    appendUtf8(out, before)
    appendString(out, Buffer.from(key, 'utf8'))
    appendUtf8(out, ',')
    appendString(out, value)
    before = ','
  }
  if (before === ',') appendUtf8(out, ']')
}

function appendString(out: GrowableBytes, bytes: Uint8Array | null): void {
  if (bytes === null) {
    appendUtf8(out, 'null')
    return
  }
  appendUtf8(out, '"')
  for (const piece of piecesOf(bytes)) {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1')
    if (mustBeEscaped.test(text)) appendLatin1(out, text.replace(everyEscaped, escapeOf))
    else out.append(piece)
  }
  appendUtf8(out, '"')
}

const escapedCharacters = '["\\\\\\u0000-\\u001f]'
const mustBeEscaped = new RegExp(escapedCharacters)
const everyEscaped = new RegExp(escapedCharacters, 'g')

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

function escapeOf(character: string): string {
  return shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}
