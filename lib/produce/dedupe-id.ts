/**
 * The id of a record, by which duplicates are found: the bytes of its key, of its value, or of the last header of a name
 * (format-spec/dedupe-index.md). Ids are compared by the first 16 bytes of their SHA-256: two that are not equal and have the same
 * hash are not known, and nobody can make them.
 */
import { hash } from 'node:crypto'
import { LogqError } from '../errors.js'
import type { RecordCursor } from '../record/record-cursor.js'
import type { Header, RecordInput } from '../record/record.js'

export type DedupeBy =
  { readonly field: 'key' } | { readonly field: 'value' } | { readonly field: 'header'; readonly name: string }

export const ID_HASH_BYTES = 16

/** Throws LOGQ_INVALID_RECORD for a record that has no id: a null key, value or header value, or no such header. */
export function idOfRecord(by: DedupeBy, record: RecordInput): Uint8Array {
  const id = idOrNull(by, record)
  if (id !== null) return id
  throw new LogqError('LOGQ_INVALID_RECORD', `it has no ${describeId(by)}, which duplicates are found by`)
}

/** Of the record that a cursor stands at; null when it has none. A view that holds while the cursor's bytes do. */
export function idAtCursor(by: DedupeBy, cursor: RecordCursor): Uint8Array | null {
  const { bytes, keyStart, keyEnd, valueStart, valueEnd } = cursor
  switch (by.field) {
    case 'key':
      return keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd)
    case 'value':
      return valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd)
    case 'header':
      return lastHeader(cursor.copyHeaders(), by.name)
  }
}

export function hashOfId(id: Uint8Array): Buffer {
  return hash('sha256', id, 'buffer').subarray(0, ID_HASH_BYTES)
}

/** `key`, `value` or `header:NAME`: as it is typed, and as an index says what it is of. */
export function nameOf(by: DedupeBy): string {
  return by.field === 'header' ? `header:${by.name}` : by.field
}

/** A foreign producer may have written one beyond 2^53 - 1. */
export function safeTimestamp(timestampMs: number | bigint): number {
  if (typeof timestampMs === 'number') return timestampMs
  return timestampMs > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
}

function idOrNull(by: DedupeBy, { key, value, headers }: RecordInput): Uint8Array | null {
  switch (by.field) {
    case 'key':
      return key ?? null
    case 'value':
      return value
    case 'header':
      return lastHeader(headers ?? [], by.name)
  }
}

function lastHeader(headers: readonly Header[], name: string): Uint8Array | null {
  return headers.findLast(({ key }) => key === name)?.value ?? null
}

function describeId(by: DedupeBy): string {
  return by.field === 'header' ? `header '${by.name}'` : by.field
}
