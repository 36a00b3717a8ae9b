/**
 * A %-template as a reader of records, the other direction of the same language. The rule, which the man page of produce repeats:
 *
 * - The text after the last placeholder ends each record; where there is none, the usual delimiter does (a newline, or -D).
 * - Within a record, the text before the first placeholder must stand at its beginning, and each placeholder takes the bytes up to
 *   the first place where the text that follows it occurs; the last placeholder takes the rest.
 * - So two placeholders need text between them, each may occur once, and %v must.
 *
 * Placeholders: %k %v (%s) with {base64} and {hex}, %h as `name=value,name=value`, %T in ms or {iso}, %p.
 */
import { isUtf8 } from 'node:buffer'
import { LogqError } from '../../lib/errors.js'
import type { Header } from '../../lib/record/record.js'
import { usageError } from '../errors.js'
import { parseRfc3339 } from '../values/offset-spec.js'
import { decodeBase64, decodeHex } from './base64.js'
import type { ParsedRecord } from './parsed-record.js'
import { parseTemplate, type Field, type Placeholder } from './template.js'

export interface InputTemplate {
  /** What ends each record, when the template says so; it is not part of what `parse` gets. */
  readonly delimiter: Uint8Array | undefined
  /**
   * One record from the bytes between delimiters. A key or value equal to `nullText` is null. Throws LOGQ_INVALID_RECORD.
   * The result may alias `item`.
   */
  parse(item: Uint8Array, nullText: Uint8Array | undefined): ParsedRecord
}

interface Step {
  readonly placeholder: Placeholder
  /** What follows it; undefined for the last one. */
  readonly until: Uint8Array | undefined
}

const readable: readonly Field[] = ['key', 'value', 'headers', 'timestamp', 'partition']

export function parseInputTemplate(text: string): InputTemplate {
  const parts = [...parseTemplate(text)]
  const last = parts[parts.length - 1]
  const delimiter = last?.kind === 'literal' ? last.bytes : undefined
  if (delimiter !== undefined) parts.pop()
  const first = parts[0]
  const prefix = first?.kind === 'literal' ? first.bytes : new Uint8Array(0)
  if (first?.kind === 'literal') parts.shift()

  const steps: Step[] = []
  const seen = new Set<Field>()
  parts.forEach((part, index) => {
    if (part.kind === 'literal') return
    const next = parts[index + 1]
    if (next?.kind === 'placeholder') {
      throw usageError(
        `the format '${text}' cannot be read back: nothing separates ${part.typed} from ${next.typed}`,
        `put text that cannot occur in ${part.typed} between them, such as \\t`,
      )
    }
    if (!readable.includes(part.field)) {
      throw usageError(`'${part.typed}' is for output only`, 'a record is made from %k %v %h %T and %p')
    }
    if (seen.has(part.field)) throw usageError(`the format '${text}' has ${part.typed} twice`)
    seen.add(part.field)
    steps.push({ placeholder: part, until: next?.bytes })
  })
  if (!seen.has('value')) throw usageError(`the format '${text}' has no %v`, 'every record has a value')
  return { delimiter, parse: (item, nullText) => readItem(prefix, steps, item, nullText) }
}

function readItem(
  prefix: Uint8Array,
  steps: readonly Step[],
  item: Uint8Array,
  nullText: Uint8Array | undefined,
): ParsedRecord {
  const bytes = Buffer.from(item.buffer, item.byteOffset, item.length)
  if (!startsWith(bytes, prefix)) throw invalid(`does not begin with ${quote(prefix)}`)
  let at = prefix.length
  let key: Uint8Array | null | undefined
  let value: Uint8Array | null = null
  let headers: Header[] | undefined
  let timestampMs: number | undefined
  let partition: number | undefined
  for (const { placeholder, until } of steps) {
    const end = until === undefined ? bytes.length : bytes.indexOf(until, at)
    if (end === -1) throw invalid(`no ${quote(until ?? new Uint8Array(0))} after ${placeholder.typed}`)
    const field = bytes.subarray(at, end)
    at = end + (until?.length ?? 0)
    switch (placeholder.field) {
      case 'key':
        key = readBytes(field, placeholder, nullText)
        break
      case 'value':
        value = readBytes(field, placeholder, nullText)
        break
      case 'headers':
        headers = readHeaders(field)
        break
      case 'timestamp':
        timestampMs = readTimestamp(field.toString('latin1'), placeholder)
        break
      case 'partition':
        partition = readInteger(field.toString('latin1'), placeholder)
        break
      default:
        // parseInputTemplate let only the fields above through.
        break
    }
  }
  return {
    record: {
      value,
      ...(key === undefined ? {} : { key }),
      ...(headers === undefined ? {} : { headers }),
      ...(timestampMs === undefined ? {} : { timestampMs }),
    },
    partition,
  }
}

function startsWith(bytes: Buffer, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && bytes.subarray(0, prefix.length).equals(prefix)
}

function readBytes(field: Buffer, { form, typed }: Placeholder, nullText: Uint8Array | undefined): Uint8Array | null {
  if (nullText !== undefined && field.equals(nullText)) return null
  if (form === 'plain') return field
  const text = field.toString('latin1')
  const bytes = form === 'base64' ? decodeBase64(text) : decodeHex(text)
  if (bytes === undefined) throw invalid(`what stands for ${typed} is not ${form === 'base64' ? 'base64' : 'hexadecimal'}`)
  return bytes
}

/** `name=value` with commas between; a name without `=` has a null value; empty text is no header. */
function readHeaders(field: Buffer): Header[] {
  if (field.length === 0) return []
  const headers: Header[] = []
  for (let at = 0; at <= field.length;) {
    const comma = field.indexOf(0x2c, at)
    const end = comma === -1 ? field.length : comma
    const part = field.subarray(at, end)
    const equals = part.indexOf(0x3d)
    const name = equals === -1 ? part : part.subarray(0, equals)
    if (!isUtf8(name)) throw invalid('a header name is not valid UTF-8')
    headers.push({ key: name.toString('utf8'), value: equals === -1 ? null : part.subarray(equals + 1) })
    at = end + 1
  }
  return headers
}

function readTimestamp(text: string, { form, typed }: Placeholder): number {
  const timestampMs = form === 'iso' ? parseRfc3339(text) : /^(-1|0|[1-9]\d*)$/.test(text) ? Number(text) : undefined
  // -1 is "no timestamp", and what output prints for it in either form.
  if (text === '-1') return -1
  if (timestampMs === undefined || timestampMs < 0 || !Number.isSafeInteger(timestampMs)) {
    throw invalid(`'${text}' for ${typed} is not a timestamp`)
  }
  return timestampMs
}

function readInteger(text: string, { typed }: Placeholder): number {
  const number = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : -1
  if (number < 0 || number > 0x7fff_ffff) throw invalid(`'${text}' for ${typed} is not a partition number`)
  return number
}

function quote(bytes: Uint8Array): string {
  return `'${Buffer.from(bytes).toString('utf8').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\0', '\\0')}'`
}

function invalid(message: string): LogqError {
  return new LogqError('LOGQ_INVALID_RECORD', message)
}
