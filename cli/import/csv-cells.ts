/**
 * The cells of CSV rows: the home of csv-parse, which judges quoting and takes rows apart.
 *
 * A cell is a string with one character for each byte ('latin1'), so that bytes that are not UTF-8 come through. csv-parse gets whole
 * rows only: its own way of going on after an error can drop or repeat what follows, and it keeps what an unclosed quote
 * opens for as long as the input goes on. Several rows at once take a quarter of the time that each by itself would.
 */
import { CsvError, parse } from 'csv-parse/sync'
import { LogqError } from '../../lib/errors.js'
import type { CsvRow } from './csv-rows.js'

export interface CsvCellOptions {
  readonly delimiter: number
  readonly quotes: boolean
}

/** The cells of a row, or what is wrong with it. */
export type CsvCells = readonly string[] | LogqError

/** The cells of rows that stand next to each other in `bytes`. */
export function cellsOfRows(rows: readonly CsvRow[], bytes: Buffer, options: CsvCellOptions): CsvCells[] {
  try {
    const cells = parseRows(bytes, options)
    if (cells.length === rows.length) return cells
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
  }
  // One of them is bad: each by itself.
  return rows.map((row) => cellsOfRow(row.bytes, options))
}

function cellsOfRow(row: Buffer, options: CsvCellOptions): CsvCells {
  try {
    const [cells, ...others] = parseRows(row, options)
    if (cells !== undefined && others.length === 0) return cells
    return invalid('it is not one row', 'a cell with quotes or line ends is quoted, and quotes in it are doubled')
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return error.code === 'INVALID_OPENING_QUOTE'
      ? invalid(
          'a quote stands within a cell that does not begin with one',
          "such a cell is quoted and its quotes doubled; if quotes mean nothing in this file, give '--no-quotes'",
        )
      : invalid(`not CSV: ${error.message}`)
  }
}

function parseRows(bytes: Buffer, { delimiter, quotes }: CsvCellOptions): string[][] {
  return parse(bytes, {
    encoding: 'latin1',
    delimiter: String.fromCharCode(delimiter),
    record_delimiter: ['\n', '\r\n'],
    quote: quotes ? '"' : false,
    relax_column_count: true,
    skip_empty_lines: true,
  })
}

function invalid(message: string, hint?: string): LogqError {
  return new LogqError('LOGQ_INVALID_RECORD', message, hint === undefined ? {} : { hint })
}
