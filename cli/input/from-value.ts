/** --key-from and --timestamp-from: key and timestamp of a record from places in its value, which is JSON. */
import { isUtf8 } from 'node:buffer'
import { LogqError, isLogqError } from '../../lib/errors.js'
import { MAX_TEXT_BYTES } from '../../lib/record/expression.js'
import type { RecordInput } from '../../lib/record/record.js'
import { parseTime } from '../values/offset-spec.js'
import type { JsonPath } from '../print/json-path.js'
import { findValue, type JsonValue } from '../print/json-scanner.js'

export interface FromValue {
  readonly key: JsonPath | undefined
  readonly timestamp: JsonPath | undefined
}

/**
 * The record with what its value says, in place of what it had. Throws LOGQ_INVALID_RECORD when the value is not JSON, or nothing
 * that fits is there: such a record would go to the wrong partition, or to the wrong time, without anybody seeing it.
 */
export function withFieldsFromValue(record: RecordInput, { key, timestamp }: FromValue): RecordInput {
  const text = textOf(record.value)
  return {
    ...record,
    ...(key === undefined ? {} : { key: keyOf(find(text, key), key) }),
    ...(timestamp === undefined ? {} : { timestampMs: timestampOf(find(text, timestamp), timestamp) }),
  }
}

function textOf(value: Uint8Array | null): string {
  if (value === null) throw invalid('the value is null, and has no key or timestamp in it')
  if (value.length > MAX_TEXT_BYTES) throw invalid('the value is above 256 MiB, and is not read as JSON')
  if (!isUtf8(value)) throw invalid('the value is not JSON: not valid UTF-8')
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8')
}

function find(text: string, { text: path, steps }: JsonPath): JsonValue {
  let found: JsonValue | undefined
  try {
    found = findValue(text, steps)
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(`the value is not JSON: ${error.message}`)
    throw error
  }
  if (found === undefined) throw invalid(`the value has no '${path}'`)
  if (found.source === 'null') throw invalid(`'${path}' of the value is null`)
  return found
}

/** A string is its text; anything else, as with -J, its source text: a large integer keeps its digits. */
function keyOf({ source, string }: JsonValue, { text: path }: JsonPath): Uint8Array {
  if (string !== undefined && /[\ud800-\udfff]/u.test(string)) throw invalid(`'${path}' of the value has a lone surrogate`)
  return Buffer.from(string ?? source, 'utf8')
}

/** A number is ms or s since 1970 by its digits, as in TIME; a string is RFC 3339 or a date. */
function timestampOf({ source, string }: JsonValue, { text: path }: JsonPath): number {
  const wanted = string === undefined ? /^(\d{10}|\d{13})$/ : /^\d{4}-/
  const text = string ?? source
  const timestampMs = wanted.test(text) ? absoluteMs(text) : undefined
  if (timestampMs !== undefined && timestampMs >= 0) return timestampMs
  throw invalid(
    `'${path}' of the value is no timestamp: ${source}`,
    'a timestamp is a number of 13 digits (ms) or 10 digits (s), or a string such as "2026-11-20T14:30:00Z" or "2026-11-20"',
  )
}

function absoluteMs(text: string): number | undefined {
  try {
    const time = parseTime(text)
    return time.kind === 'absolute' ? time.timestampMs : undefined
  } catch (error) {
    if (isLogqError(error, 'LOGQ_USAGE')) return undefined
    throw error
  }
}

function invalid(message: string, hint?: string): LogqError {
  return new LogqError('LOGQ_INVALID_RECORD', message, hint === undefined ? {} : { hint })
}
