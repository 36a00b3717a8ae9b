/**
 * Reads one line of JSON into a record: the inverse of json-print.ts, and what people write by hand.
 *
 * - "value" is required; null is a tombstone only when written. Unknown fields, and fields given twice, are refused.
 * - A key or value that is neither a string nor null is stored as its exact source text: 1e3 stays 1e3.
 * - "keyEncoding" and "valueEncoding": "base64" are decoded. Lone surrogates are refused, as no bytes can say them.
 * - headers is an array of {"key","value"[,"valueEncoding"]}, or an object, unless a name looks like an integer (most programs would
 *   have moved it to the front) or occurs twice (most programs would have dropped one).
 * - topic and offset are ignored; partition is handed on for --keep partition; timestamp is kept.
 */
import { isUtf8 } from 'node:buffer'
import { LogqError } from '../../lib/errors.js'
import { MAX_TEXT_BYTES } from '../../lib/record/expression.js'
import type { Header } from '../../lib/record/record.js'
import { nearest } from '../suggest.js'
import { decodeBase64 } from './base64.js'
import { mapArray, scanObject, type JsonMember, type JsonValue } from './json-scanner.js'
import type { ParsedRecord } from './parsed-record.js'

const recordFields = new Set([
  'topic',
  'partition',
  'offset',
  'timestamp',
  'timestampType',
  'key',
  'keyEncoding',
  'value',
  'valueEncoding',
  'headers',
] as const)
const headerFields = new Set(['key', 'value', 'valueEncoding'] as const)

/** `line` without its delimiter. Throws LOGQ_INVALID_RECORD; the caller says where the line is. */
export function parseJsonRecord(line: Uint8Array): ParsedRecord {
  if (line.length > MAX_TEXT_BYTES) throw new LogqError('LOGQ_RECORD_TOO_LARGE', 'a JSON record above 256 MiB cannot be read')
  const view = Buffer.from(line.buffer, line.byteOffset, line.length)
  if (!isUtf8(view)) throw invalid('not valid UTF-8')
  const fields = fieldsOf(membersOf(view.toString('utf8'), plainValuesHint), recordFields, plainValuesHint)
  const value = fields.get('value')
  if (value === undefined)
    throw invalid("the field 'value' is missing", `null is a tombstone only when written; ${plainValuesHint}`)
  const key = fields.get('key')
  const keyEncoding = fields.get('keyEncoding')
  if (key === undefined && keyEncoding !== undefined) throw invalid("'keyEncoding' without 'key'")
  const headers = parseHeaders(fields.get('headers'))
  const timestampMs = parseTimestamp(fields.get('timestamp'))
  checkTimestampType(fields.get('timestampType'))
  return {
    record: {
      value: bytesOf('value', value, fields.get('valueEncoding')),
      ...(key === undefined ? {} : { key: bytesOf('key', key, keyEncoding) }),
      ...(headers === undefined ? {} : { headers }),
      ...(timestampMs === undefined ? {} : { timestampMs }),
    },
    partition: parsePartition(fields.get('partition')),
  }
}

const plainValuesHint = "to store JSON lines as plain values, leave out '-J'"

function fieldsOf<Name extends string>(
  members: readonly JsonMember[],
  allowed: ReadonlySet<Name>,
  hint?: string,
): Map<Name, JsonValue> {
  const fields = new Map<Name, JsonValue>()
  for (const { name, value } of members) {
    if (!isOneOf(name, allowed)) {
      // Only the field of the record itself: the plain hint goes with it.
      if (name === 'valueBytes' && hint === plainValuesHint) {
        throw invalid(
          "'valueBytes' stands in place of the value: the record was printed with --no-value",
          "print it again without '--no-value'",
        )
      }
      const suggestion = nearest(name, [...allowed])
      throw invalid(`unknown field '${name}'`, suggestion === undefined ? hint : `did you mean '${suggestion}'?`)
    }
    if (fields.has(name)) throw invalid(`the field '${name}' is given twice`)
    fields.set(name, value)
  }
  return fields
}

function isOneOf<Name extends string>(name: string, names: ReadonlySet<Name>): name is Name {
  return (names as ReadonlySet<string>).has(name)
}

function membersOf(text: string, hint: string): JsonMember[] {
  try {
    return scanObject(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw invalid(`not a JSON object: ${error.message}`, hint)
  }
}

/** The bytes of a key or value: null, a string (base64 when `encoding` says so), or the source text of anything else. */
function bytesOf(name: string, { source, string }: JsonValue, encoding: JsonValue | undefined): Uint8Array | null {
  if (encoding !== undefined) {
    if (encoding.string !== 'base64')
      throw invalid(`the encoding of '${name}' is ${encoding.source}`, 'the only encoding is "base64"')
    const bytes = string === undefined ? undefined : decodeBase64(string)
    if (bytes === undefined) throw invalid(`'${name}' is not base64`)
    return bytes
  }
  if (source === 'null') return null
  if (string === undefined) return Buffer.from(source, 'utf8')
  refuseLoneSurrogates(name, string)
  return Buffer.from(string, 'utf8')
}

function refuseLoneSurrogates(name: string, text: string): void {
  // With the u flag a surrogate that is half of a pair does not match.
  if (/[\ud800-\udfff]/u.test(text))
    throw invalid(`'${name}' has a lone surrogate`, 'bytes that are not text are written as base64')
}

function parseHeaders(value: JsonValue | undefined): Header[] | undefined {
  if (value === undefined) return undefined
  if (value.source.startsWith('[')) return mapArray(value.source, parseHeader, 'part')
  if (value.source.startsWith('{')) return parseHeadersObject(value.source)
  throw invalid("'headers' is neither an array nor an object")
}

function parseHeader({ source }: JsonValue): Header {
  if (!source.startsWith('{'))
    throw invalid("an element of 'headers' is not an object", 'a header is {"key":"name","value":"text"}')
  const fields = fieldsOf(scanObject(source, 'part'), headerFields)
  const key = fields.get('key')
  const value = fields.get('value')
  if (key?.string === undefined) throw invalid("a header has no 'key' that is a string")
  refuseLoneSurrogates('headers', key.string)
  if (value === undefined) throw invalid(`the header '${key.string}' has no 'value'`)
  return { key: key.string, value: bytesOf(`headers.${key.string}`, value, fields.get('valueEncoding')) }
}

function parseHeadersObject(source: string): Header[] {
  const seen = new Set<string>()
  return scanObject(source, 'part').map(({ name, value }) => {
    const hint = 'write headers as an array: [{"key":"name","value":"text"}]'
    if (/^-?\d+$/.test(name))
      throw invalid(`the header name '${name}' looks like an integer, whose place in an object is not kept`, hint)
    if (seen.has(name)) throw invalid(`the header '${name}' is given twice in an object`, hint)
    seen.add(name)
    refuseLoneSurrogates('headers', name)
    return { key: name, value: bytesOf(`headers.${name}`, value, undefined) }
  })
}

/** A number, or the decimal string that stands for one beyond 2^53-1. null is like absent: the producer's clock. */
function parseTimestamp(value: JsonValue | undefined): number | undefined {
  if (value === undefined || value.source === 'null') return undefined
  const text = value.string ?? value.source
  if (!/^(-1|0|[1-9]\d*)$/.test(text))
    throw invalid(`invalid timestamp ${value.source}`, 'a timestamp is in ms since 1970, or -1 for none')
  const timestampMs = Number(text)
  if (!Number.isSafeInteger(timestampMs)) throw invalid(`the timestamp ${text} is beyond 2^53-1`)
  return timestampMs
}

function checkTimestampType(value: JsonValue | undefined): void {
  if (value === undefined || value.string === 'CreateTime' || value.string === 'LogAppendTime') return
  throw invalid(`invalid timestampType ${value.source}`, 'it is "CreateTime" or "LogAppendTime"')
}

function parsePartition(value: JsonValue | undefined): number | undefined {
  if (value === undefined || value.source === 'null') return undefined
  const partition = /^(0|[1-9]\d*)$/.test(value.source) ? Number(value.source) : -1
  if (partition < 0 || partition > 0x7fff_ffff) throw invalid(`invalid partition ${value.source}`)
  return partition
}

function invalid(message: string, hint?: string): LogqError {
  return new LogqError('LOGQ_INVALID_RECORD', message, hint === undefined ? {} : { hint })
}
