/**
 * Escapes in -F, -D, -K and --null, and nowhere else: `\n \t \0 \\ \xNN`. Everything else after a backslash is a usage error, so
 * that a later escape cannot change what a script does today.
 */
import { usageError } from '../errors.js'

/** The bytes of an option's text: its UTF-8, escapes replaced. */
export function parseEscapes(text: string): Uint8Array {
  if (text.includes('\ufffd')) {
    // Node.js has already replaced what was not UTF-8: the bytes that were typed are lost.
    throw usageError(`'${text}' is not valid UTF-8`, 'write such bytes as \\xNN')
  }
  if (!text.includes('\\')) return Buffer.from(text, 'utf8')
  const parts: Uint8Array[] = []
  let start = 0
  for (let at = text.indexOf('\\'); at !== -1; at = text.indexOf('\\', start)) {
    parts.push(Buffer.from(text.slice(start, at), 'utf8'))
    const escape = readEscape(text, at)
    parts.push(Uint8Array.of(escape.byte))
    start = at + escape.length
  }
  parts.push(Buffer.from(text.slice(start), 'utf8'))
  return Buffer.concat(parts)
}

/** The escape that begins with the backslash at `at`: its byte, and how many characters it takes. */
export function readEscape(text: string, at: number): { readonly byte: number; readonly length: number } {
  switch (text[at + 1]) {
    case 'n':
      return { byte: 0x0a, length: 2 }
    case 't':
      return { byte: 0x09, length: 2 }
    case '0':
      return { byte: 0x00, length: 2 }
    case '\\':
      return { byte: 0x5c, length: 2 }
    case 'x': {
      const digits = text.slice(at + 2, at + 4)
      if (/^[0-9a-fA-F]{2}$/.test(digits)) return { byte: Number.parseInt(digits, 16), length: 4 }
      break
    }
    default:
  }
  const shown = text.slice(at, at + (text[at + 1] === 'x' ? 4 : 2))
  throw usageError(`invalid escape '${shown}'`, 'the escapes are \\n \\t \\0 \\\\ and \\xNN')
}

/** -D for input and -K: at least one byte. */
export function parseSeparator(text: string): Uint8Array {
  const bytes = parseEscapes(text)
  if (bytes.length === 0) throw usageError('the separator is empty')
  return bytes
}

/** What stands between the cells of CSV: one byte. */
export function parseCsvDelimiter(text: string): number {
  const bytes = parseEscapes(text)
  const [byte] = bytes
  if (byte === undefined || bytes.length > 1 || '"\r\n'.includes(String.fromCharCode(byte)))
    throw usageError(`'${text}' cannot stand between cells`, 'it is one byte, and no quote or line end')
  return byte
}
