/**
 * The columns of `export --to csv`: what is taken of a record, by name. `value.user.id` goes into a value that is JSON; `header.NAME` is
 * the first header of that name.
 */
import { isUtf8 } from 'node:buffer'
import type { Header } from '../../lib/record/record.js'
import { usageError } from '../errors.js'
import { scanObject, type JsonValue } from '../print/json-scanner.js'
import type { PrintedRecord } from '../print/printer.js'
import { timestampText, type TimeForm } from '../print/timestamp.js'
import { nearest } from '../suggest.js'

/** A cell: its bytes or its text; null is not the same as empty. */
export type Cell = Uint8Array | string | null

export interface Column {
  /** What stands in the header row. */
  readonly name: string
  readonly cellOf: (record: ColumnRecord) => Cell
}

export const defaultColumns = 'topic,partition,offset,timestamp,key,value,headers'

export function parseColumns(text: string): readonly Column[] {
  const columns = text.split(',').map(parseColumn)
  const twice = columns.find(({ name }, index) => columns.findIndex((other) => other.name === name) !== index)
  if (twice !== undefined) throw usageError(`two columns are named '${twice.name}'`, 'rename one: NAME=COLUMN')
  return columns
}

/** `COLUMN`, or `NAME=COLUMN`. */
function parseColumn(text: string): Column {
  const equals = text.indexOf('=')
  const what = text.slice(equals + 1)
  const name = equals === -1 ? text : text.slice(0, equals)
  const fixed = Object.hasOwn(fixedColumns, what) ? fixedColumns[what] : undefined
  if (fixed !== undefined) return { name, cellOf: fixed }
  const path = /^(value|key)\.(.+)$/.exec(what)
  const [, field, rest] = path ?? []
  if (rest !== undefined) {
    const names = rest.split('.')
    return { name, cellOf: (record) => record.json(field === 'key' ? 'key' : 'value', names) }
  }
  const header = /^header\.(.+)$/.exec(what)?.[1]
  if (header !== undefined) return { name, cellOf: (record) => record.header(header) }
  const known = Object.keys(fixedColumns)
  const suggestion = nearest(what, known)
  throw usageError(
    `there is no column '${what}'`,
    suggestion === undefined
      ? `the columns are ${known.join(', ')}, header.NAME, and value.NAME for values that are JSON objects`
      : `did you mean '${suggestion}'?`,
  )
}

const fixedColumns: Readonly<Record<string, (record: ColumnRecord) => Cell>> = {
  topic: ({ topic }) => topic,
  partition: ({ partition }) => String(partition),
  offset: ({ record }) => String(record.offset),
  timestamp: ({ record, time }) => timestampText(record.timestampMs, time, neverAsked),
  timestampType: ({ record }) => record.timestampType,
  key: ({ record }) => record.key,
  value: ({ record }) => record.value,
  headers: ({ record }) => headersText(record.headers),
}

/** For relative times, which a file should not hold. */
function neverAsked(): number {
  throw new Error('a relative time in a column')
}

/** The members of values that are JSON objects, each a column of its own. */
export function memberColumn(name: string): Column {
  return { name, cellOf: (record) => record.json('value', [name]) }
}

/** One record, as columns ask about it: what is JSON is taken apart once, whatever the number of columns. */
export class ColumnRecord {
  readonly #objects = new Map<string, ReadonlyMap<string, JsonValue> | undefined>()

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly record: PrintedRecord,
    readonly time: Exclude<TimeForm, 'rel'>,
  ) {}

  /** The text of what is at `names` in key or value: a string's characters, or JSON as it was written; null when it is not there. */
  json(field: 'key' | 'value', names: readonly string[]): Cell {
    let members = this.members(field)
    for (const [index, name] of names.entries()) {
      const value = members?.get(name)
      if (value === undefined) return null
      if (index === names.length - 1) return textOf(value)
      members = this.#object(`${field}.${names.slice(0, index + 1).join('.')}`, () => value.source)
    }
    return null
  }

  /** The members of the object that key or value is; undefined when it is none. */
  members(field: 'key' | 'value'): ReadonlyMap<string, JsonValue> | undefined {
    return this.#object(field, () => {
      const bytes = this.record[field]
      return bytes !== null && isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8') : ''
    })
  }

  header(name: string): Cell {
    for (const { key, value } of this.record.headers) if (key === name) return value
    return null
  }

  #object(path: string, textOf: () => string): ReadonlyMap<string, JsonValue> | undefined {
    if (!this.#objects.has(path)) this.#objects.set(path, membersOf(textOf()))
    return this.#objects.get(path)
  }
}

/** A string with a lone surrogate is no text: it stays as it was written. */
function textOf({ source, string }: JsonValue): string | null {
  if (string !== undefined && !/[\ud800-\udfff]/u.test(string)) return string
  return source === 'null' ? null : source
}

/** Of a name that stands twice the last one counts, as with most readers of JSON. */
function membersOf(text: string): ReadonlyMap<string, JsonValue> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    return new Map(scanObject(text).map(({ name, value }) => [name, value]))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** As in the JSON record of `cat -J`; null when there are none. */
function headersText(headers: Iterable<Header>): string | null {
  const texts: string[] = []
  for (const { key, value } of headers) texts.push(`{"key":${JSON.stringify(key)},${headerValue(value)}}`)
  return texts.length === 0 ? null : `[${texts.join(',')}]`
}

function headerValue(value: Uint8Array | null): string {
  if (value === null) return '"value":null'
  const view = Buffer.from(value.buffer, value.byteOffset, value.length)
  if (isUtf8(view)) return `"value":${JSON.stringify(view.toString('utf8'))}`
  return `"value":"${view.toString('base64')}","valueEncoding":"base64"`
}
