/**
 * The rows of a CSV or TSV file as records: a JSON object of the cells, or one cell, is the value; key, timestamp and headers come
 * from the columns that were named.
 *
 * Cells are strings with one character for each byte (csv-cells.ts). JSON text is put together from them as it is and becomes bytes in
 * the same way, so that UTF-8 is neither decoded nor encoded again.
 */
import { isUtf8 } from 'node:buffer'
import { LogqError } from '../../lib/errors.js'
import type { Header, RecordInput } from '../../lib/record/record.js'
import type { RecordSource, SourceInput, SourceItem } from '../input/record-source.js'
import { badItem } from '../input/record-source.js'
import { nearest } from '../suggest.js'
import { parseColumnTime } from './column-time.js'
import type { CsvCells } from './csv-cells.js'
import { CsvRowSplitter, type CsvRow } from './csv-rows.js'

export interface CsvOptions {
  /** One byte. */
  readonly delimiter: number
  readonly quotes: boolean
  /** The first row names the columns, unless `columns` does. */
  readonly headerRow: boolean
  /** Names for the columns, in their order. */
  readonly columns: readonly string[] | undefined
  readonly keyColumn: string | undefined
  readonly valueColumn: string | undefined
  readonly timestampColumn: string | undefined
  readonly headerColumns: readonly string[]
  readonly types: 'strings' | 'infer'
  /** --null: a cell with this text is null. */
  readonly nullText: Uint8Array | undefined
}

/** Which cell is what, once the names are known. */
interface Layout {
  /** One character for each byte. */
  readonly names: readonly string[]
  /** `"name":` of each column, and what comes before it. */
  readonly members: readonly string[]
  readonly key: number | undefined
  readonly value: number | undefined
  readonly timestamp: number | undefined
  readonly headers: readonly { readonly key: string; readonly column: number }[]
}

/** A cell of quotes is written twice as long as it is. */
const QUOTING_FACTOR = 2
const OTHER_CELLS_BYTES = 1 << 16

type ReadCells = (rows: readonly CsvRow[], bytes: Buffer) => readonly CsvCells[]

export async function csvSource(source: SourceInput, options: CsvOptions): Promise<RecordSource> {
  const { cellsOfRows } = await import('./csv-cells.js')
  return new CsvSource(source, options, (rows, bytes) => cellsOfRows(rows, bytes, options))
}

class CsvSource implements RecordSource {
  readonly #splitter: CsvRowSplitter
  readonly #nullText: string | undefined
  #layout: Layout | undefined
  #waiting: SourceItem[] = []
  #taken = 0

  constructor(
    source: SourceInput,
    private readonly options: CsvOptions,
    private readonly cellsOf: ReadCells,
  ) {
    const limitBytes = () => QUOTING_FACTOR * source.recordLimitBytes() + OTHER_CELLS_BYTES
    this.#splitter = new CsvRowSplitter(source.input, { ...options, limitBytes }, source.pace)
    this.#nullText = options.nullText === undefined ? undefined : Buffer.from(options.nullText).toString('latin1')
  }

  async next(): Promise<SourceItem | undefined> {
    for (;;) {
      const item = this.#waiting[this.#taken]
      if (item !== undefined) {
        this.#taken += 1
        return item
      }
      if (!(await this.#fill())) return undefined
    }
  }

  async #fill(): Promise<boolean> {
    const found = await this.#splitter.next()
    if (found === undefined) return false
    this.#taken = 0
    if (found.kind === 'bad') {
      if (this.#layout === undefined) throw unusable(found.line, found.error)
      this.#waiting = [badItem(found.line, found.error)]
      return true
    }
    const cells = this.cellsOf(found.rows, found.bytes)
    const first = this.#layout === undefined ? this.#begin(found.rows[0], cells[0]) : 0
    this.#waiting = found.rows.slice(first).map((row, index) => this.#item(row, cells[first + index] ?? []))
    return true
  }

  /** Learns the names of the columns. Returns how many rows that took. */
  #begin(row: CsvRow | undefined, cells: CsvCells | undefined): number {
    if (row === undefined || cells === undefined) return 0
    const { headerRow, columns } = this.options
    if (cells instanceof LogqError) {
      if (headerRow || columns === undefined) throw unusable(row.line, cells)
      this.#layout = layoutOf(columns.map(bytesAsText), this.options)
      return 0
    }
    if (headerRow && !isUtf8(row.bytes)) throw unusable(row.line, new LogqError('LOGQ_INVALID_RECORD', 'not valid UTF-8'))
    const names = columns?.map(bytesAsText) ?? (headerRow ? cells : cells.map((_, index) => `c${index + 1}`))
    this.#layout = layoutOf(names, this.options)
    return headerRow ? 1 : 0
  }

  #item(row: CsvRow, cells: CsvCells): SourceItem {
    return { line: row.line, read: () => ({ record: this.#record(row, cells), partition: undefined }) }
  }

  #record(row: CsvRow, cells: CsvCells): RecordInput {
    if (cells instanceof LogqError) throw cells
    const layout = this.#layout
    if (layout === undefined) throw new Error('a row before the columns are known')
    if (cells.length !== layout.names.length) {
      throw new LogqError(
        'LOGQ_INVALID_RECORD',
        `the row has ${count(cells.length, 'cell')}, not ${layout.names.length} as there are columns`,
      )
    }
    const { key, value, timestamp, headers } = layout
    const bytesOf = (column: number) => this.#bytes(cells[column] ?? '')
    const time = timestamp === undefined ? undefined : this.#time(cells[timestamp] ?? '')
    return {
      value: value === undefined ? this.#object(row, cells, layout) : bytesOf(value),
      ...(key === undefined ? {} : { key: bytesOf(key) }),
      ...(time === undefined ? {} : { timestampMs: time }),
      ...(headers.length === 0
        ? {}
        : { headers: headers.map(({ key: name, column }): Header => ({ key: name, value: bytesOf(column) })) }),
    }
  }

  #bytes(cell: string): Uint8Array | null {
    return cell === this.#nullText ? null : Buffer.from(cell, 'latin1')
  }

  #time(cell: string): number | undefined {
    if (cell === this.#nullText) return undefined
    return parseColumnTime(Buffer.from(cell, 'latin1').toString('utf8'))
  }

  #object(row: CsvRow, cells: readonly string[], { members }: Layout): Uint8Array {
    if (!isUtf8(row.bytes)) {
      throw new LogqError('LOGQ_INVALID_RECORD', 'not valid UTF-8', {
        hint: "a JSON object is text; '--value-column' keeps the bytes of one cell",
      })
    }
    const infer = this.options.types === 'infer'
    let text = ''
    for (const [column, cell] of cells.entries()) {
      const member = members[column] ?? ''
      if (cell === this.#nullText) text += `${member}null`
      else text += member + (infer && isJsonScalar(cell) ? cell : JSON.stringify(cell))
    }
    return Buffer.from(`{${text}}`, 'latin1')
  }
}

function layoutOf(names: readonly string[], options: CsvOptions): Layout {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) {
      throw new LogqError('LOGQ_INVALID_RECORD', `two columns are named '${textOf(name)}'`, {
        hint: "give names of your own with '--columns a,b,c'",
      })
    }
    seen.add(name)
  }
  const find = (name: string | undefined) => (name === undefined ? undefined : columnOf(name, names))
  return {
    names,
    members: names.map((name, column) => `${column === 0 ? '' : ','}${JSON.stringify(name)}:`),
    key: find(options.keyColumn),
    value: find(options.valueColumn),
    timestamp: find(options.timestampColumn),
    headers: options.headerColumns.map((name) => ({ key: name, column: columnOf(name, names) })),
  }
}

function columnOf(name: string, names: readonly string[]): number {
  const column = names.indexOf(bytesAsText(name))
  if (column !== -1) return column
  const known = names.slice(0, 20).map(textOf)
  const suggestion = nearest(name, known)
  const others = names.length > known.length ? ' …' : ''
  throw new LogqError('LOGQ_INVALID_RECORD', `there is no column '${name}'`, {
    hint: suggestion === undefined ? `the columns are ${known.join(', ')}${others}` : `did you mean '${suggestion}'?`,
  })
}

/** A number, true, false or null that every reader of JSON keeps: a number has at most 15 digits, and stands as it was written. */
function isJsonScalar(cell: string): boolean {
  if (cell === 'true' || cell === 'false' || cell === 'null') return true
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(cell)) return false
  const digits = cell
    .replace(/[eE].*$/, '')
    .replace(/^-?0?\.?0*/, '')
    .replace('.', '')
  const value = Number(cell)
  return digits.length <= 15 && Number.isFinite(value) && (value !== 0 || digits === '')
}

/** The names and texts of options, in the form that cells have. */
function bytesAsText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function textOf(cell: string): string {
  return Buffer.from(cell, 'latin1').toString('utf8')
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** The row that should have named the columns did not: nothing of the file can be read. */
function unusable(line: number, { message, hint }: LogqError): LogqError {
  return new LogqError(
    'LOGQ_INVALID_RECORD',
    `line ${line}: the columns are not known: ${message}`,
    hint === undefined ? {} : { hint },
  )
}
