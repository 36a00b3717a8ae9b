/**
 * The objects that `rpk topic consume` prints, each on one line as with `--pretty-print=false`; import/rpk.ts has them field by
 * field. What they cannot say is said of the record: an empty key is left out like one that is null, a null header's value is empty,
 * and bytes that are not UTF-8 are U+FFFD.
 */
import { isUtf8 } from 'node:buffer'
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import { textPiecesOf } from '../print/pieces.js'
import { appendUtf8, type ExportFormat } from './export-format.js'

export const rpkFormat: ExportFormat = {
  extension: 'json',
  begin: () => undefined,
  print(topic, partition, record, out) {
    const changes = new Set<string>()
    const { key, value } = record
    appendUtf8(out, `{"topic":${goString(topic)}`)
    if (key?.length === 0) changes.add('the key is empty, and left out like one that is null')
    if (key !== null && key.length > 0) appendMember(out, 'key', key, changes)
    if (value !== null) appendMember(out, 'value', value, changes)
    let before = ',"headers":['
    for (const header of record.headers) {
      appendUtf8(out, `${before}{"key":${goString(header.key)}`)
      if (header.value === null) changes.add('a header that is null becomes empty')
      appendMember(out, 'value', header.value ?? new Uint8Array(0), changes)
      appendUtf8(out, '}')
      before = ','
    }
    if (before === ',') appendUtf8(out, ']')
    appendUtf8(out, `,"timestamp":${record.timestampMs},"partition":${partition},"offset":${record.offset}}\n`)
    return changes.size === 0 ? undefined : [...changes].join('; ')
  },
}

function appendMember(out: GrowableBytes, name: 'key' | 'value', bytes: Uint8Array, changes: Set<string>): void {
  if (!isUtf8(bytes)) changes.add('bytes that are not UTF-8 become U+FFFD')
  appendUtf8(out, `,"${name}":"`)
  for (const piece of textPiecesOf(bytes)) {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('utf8')
    appendUtf8(out, goString(text).slice(1, -1))
  }
  appendUtf8(out, '"')
}

/** JSON as Go writes it: what HTML and JavaScript would take amiss is escaped. */
function goString(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
