/**
 * JSON that is read as bytes. kcat writes the bytes of keys, values and headers into its strings as they are, UTF-8 or not; what
 * decodes the text first turns those that are not into U+FFFD. Here the text has one character for each byte, and a string's
 * bytes are what stood between the quotes, with its escapes replaced by their UTF-8.
 */
import { LogqError } from '../../lib/errors.js'
import type { Header, RecordInput } from '../../lib/record/record.js'
import { scanArray, scanObject, type JsonValue } from '../print/json-scanner.js'

/** JavaScript strings end at 512 MiB. */
const MAX_BYTES = 256 * 1024 * 1024

/** A member's value; `source` has one character for each byte, and so has `string` but where escapes stand. */
export type ByteValue = JsonValue

/** The members of an object. Throws LOGQ_INVALID_RECORD when it is no JSON, or names a member twice. */
export function membersOf(bytes: Buffer): Map<string, ByteValue> {
  if (bytes.length > MAX_BYTES) throw new LogqError('LOGQ_RECORD_TOO_LARGE', 'a JSON object above 256 MiB cannot be read')
  const members = new Map<string, ByteValue>()
  for (const { name, value } of scanned(() => scanObject(bytes.toString('latin1')))) {
    if (members.has(name)) throw invalid(`the field '${name}' is given twice`)
    members.set(name, value)
  }
  return members
}

/** The elements of an array; undefined for any other value. */
export function elementsOf({ source }: ByteValue): readonly ByteValue[] | undefined {
  return source.startsWith('[') ? scanned(() => scanArray(source)) : undefined
}

/** The same for an object within an object. */
export function memberObject({ source }: ByteValue): Map<string, ByteValue> | undefined {
  return source.startsWith('{') ? membersOf(Buffer.from(source, 'latin1')) : undefined
}

/** The bytes that a value stands for: null, those of a string, or the source text of anything else, as it was written. */
export function bytesOfValue(name: string, value: ByteValue): Uint8Array | null {
  if (value.source === 'null') return null
  return value.string === undefined ? Buffer.from(value.source, 'latin1') : bytesOfString(name, value.source, value.string)
}

/** The text of a value that has to be a string of UTF-8; undefined for any other value. */
export function textOfValue(name: string, { source, string }: ByteValue): string | undefined {
  if (string === undefined) return undefined
  try {
    return utf8.decode(bytesOfString(name, source, string))
  } catch (error) {
    if (error instanceof TypeError) throw invalid(`${name} is not valid UTF-8`)
    throw error
  }
}

/** A whole number within 2^53-1; undefined for any other value. */
export function numberOfValue({ source }: ByteValue): number | undefined {
  if (!/^-?(0|[1-9]\d*)$/.test(source)) return undefined
  const number = Number(source)
  return Number.isSafeInteger(number) ? number : undefined
}

export function partitionOf(members: ReadonlyMap<string, ByteValue>): number | undefined {
  const value = members.get('partition')
  if (value === undefined) return undefined
  const partition = numberOfValue(value)
  if (partition === undefined || partition < 0 || partition > 0x7fff_ffff) throw invalid(`invalid partition ${shown(value)}`)
  return partition
}

/** A record without what was not given. */
export function recordOf(
  key: Uint8Array | null | undefined,
  value: Uint8Array | null,
  headers: readonly Header[],
  timestampMs: number | undefined,
): RecordInput {
  return {
    value,
    ...(key === undefined ? {} : { key }),
    ...(headers.length === 0 ? {} : { headers }),
    ...(timestampMs === undefined ? {} : { timestampMs }),
  }
}

/** A value as a message shows it. */
export function shown({ source }: ByteValue): string {
  return Buffer.from(source.slice(0, 60), 'latin1').toString('utf8')
}

export function invalid(message: string, hint?: string): LogqError {
  return new LogqError('LOGQ_INVALID_RECORD', message, hint === undefined ? {} : { hint })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function bytesOfString(name: string, source: string, string: string): Buffer {
  if (!/\\u(?!00[0-7])/.test(source)) return Buffer.from(string, 'latin1')
  // Some escape may stand for a character that is not ASCII, and so for more bytes than one.
  const text = source.slice(1, -1)
  const parts: Buffer[] = []
  let start = 0
  for (const match of text.matchAll(escapes)) {
    parts.push(Buffer.from(text.slice(start, match.index), 'latin1'))
    // The scanner has found the string to be JSON: the escapes are good by themselves.
    const characters = JSON.parse(`"${match[0]}"`) as string
    if (/[\ud800-\udfff]/u.test(characters)) throw invalid(`${name} has a lone surrogate, which no bytes can say`)
    parts.push(Buffer.from(characters, 'utf8'))
    start = match.index + match[0].length
  }
  parts.push(Buffer.from(text.slice(start), 'latin1'))
  return Buffer.concat(parts)
}

/** Escapes that stand next to each other go together, since two of them may be one character. */
const escapes = /(?:\\(?:u[0-9a-fA-F]{4}|[^u]))+/g

function scanned<Parts>(scan: () => Parts): Parts {
  try {
    return scan()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw invalid(`not a JSON object: ${Buffer.from(error.message, 'latin1').toString('utf8')}`)
  }
}
