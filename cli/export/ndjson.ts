/**
 * NDJSON: the value of each record, and nothing else, as one line of JSON. A value that is JSON stays as it was written, but for line
 * ends between its parts; any other text becomes a JSON string, and a tombstone is null.
 */
import { isUtf8 } from 'node:buffer'
import { LogqError } from '../../lib/errors.js'
import { appendUtf8, type ExportFormat } from './export-format.js'

export const ndjsonFormat: ExportFormat = {
  extension: 'ndjson',
  begin: () => undefined,
  print(_topic, _partition, { value }, out) {
    if (value === null) {
      appendUtf8(out, 'null\n')
      return undefined
    }
    if (!isUtf8(value)) {
      throw new LogqError('LOGQ_INVALID_RECORD', 'the value is not valid UTF-8, and cannot be JSON', {
        hint: '--to csv and --to kcat keep such bytes; logq cat -J writes them as base64',
      })
    }
    const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8')
    appendUtf8(out, `${lineOf(text)}\n`)
    return undefined
  },
}

function lineOf(text: string): string {
  try {
    JSON.parse(text)
  } catch {
    return JSON.stringify(text)
  }
  return /[\r\n]/.test(text) ? compact(text) : text
}

/** JSON without the white space between its parts; everything else, digits too, as it was written. */
function compact(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, (_match, string: string | undefined) => string ?? '')
}
