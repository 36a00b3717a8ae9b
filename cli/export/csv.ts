/**
 * CSV and TSV as RFC 4180 says, with LF at line ends: a cell with delimiters, quotes or line ends is quoted, and quotes in it are
 * doubled. A cell that is null is empty; one that is empty is two quotes. Bytes stay as they are, UTF-8 or not.
 */
import type { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import { LogqError } from '../../lib/errors.js'
import { piecesOf } from '../print/pieces.js'
import type { TimeForm } from '../print/timestamp.js'
import { ColumnRecord, memberColumn, type Cell, type Column } from './columns.js'
import { appendLatin1, appendUtf8, type ExportFormat } from './export-format.js'

export interface CsvFormatOptions {
  readonly extension: 'csv' | 'tsv'
  /** One byte. */
  readonly delimiter: number
  readonly columns: readonly Column[]
  /** --flatten: the members of the first value that is a JSON object are columns too. */
  readonly flatten: boolean
  readonly headerRow: boolean
  readonly byteOrderMark: boolean
  readonly time: Exclude<TimeForm, 'rel'>
}

const QUOTE = 0x22
const LINE_ENDS = [0x0a, 0x0d]

export function csvFormat(options: CsvFormatOptions): ExportFormat {
  const { extension, delimiter, headerRow, byteOrderMark, time, flatten } = options
  let { columns } = options
  let memberNames: ReadonlySet<string> | undefined

  const appendRow = (out: GrowableBytes, cells: Iterable<Cell>): void => {
    let isFirst = true
    for (const cell of cells) {
      if (!isFirst) out.append(Uint8Array.of(delimiter))
      isFirst = false
      appendCell(out, cell, delimiter)
    }
    appendUtf8(out, '\n')
  }
  const membersOf = (record: ColumnRecord): string[] => {
    const members = record.members('value')
    if (members === undefined) throw notAnObject()
    return [...members.keys()]
  }
  return {
    extension,
    prepare(topic, partition, given) {
      if (!flatten || memberNames !== undefined) return
      const names = membersOf(new ColumnRecord(topic, partition, given, time))
      const known = new Set(columns.map(({ name }) => name))
      columns = [...columns, ...names.filter((name) => !known.has(name)).map(memberColumn)]
      memberNames = new Set(names)
    },
    begin(out) {
      if (byteOrderMark) out.append(Uint8Array.of(0xef, 0xbb, 0xbf))
      const names = columns.map(({ name }) => name)
      if (headerRow && names.length > 0) appendRow(out, names)
    },
    print(topic, partition, given, out) {
      const record = new ColumnRecord(topic, partition, given, time)
      // Members that are no columns would be lost without a word.
      const others = flatten ? membersOf(record).filter((name) => memberNames?.has(name) !== true) : []
      appendRow(
        out,
        columns.map(({ cellOf }) => cellOf(record)),
      )
      if (others.length === 0) return undefined
      return `the value has '${others.join("', '")}', which is no column since the first value did not have it`
    },
  }
}

function notAnObject(): LogqError {
  return new LogqError('LOGQ_INVALID_RECORD', 'the value is no JSON object, which --flatten could make columns of', {
    hint: "leave such records out with -w, or name columns with '--columns'",
  })
}

function appendCell(out: GrowableBytes, cell: Cell, delimiter: number): void {
  if (cell === null) return
  const bytes = typeof cell === 'string' ? Buffer.from(cell, 'utf8') : Buffer.from(cell.buffer, cell.byteOffset, cell.length)
  const hasQuote = bytes.includes(QUOTE)
  const isPlain = bytes.length > 0 && !hasQuote && !bytes.includes(delimiter) && !LINE_ENDS.some((end) => bytes.includes(end))
  if (isPlain) {
    out.append(bytes)
    return
  }
  appendUtf8(out, '"')
  if (!hasQuote) out.append(bytes)
  else for (const piece of piecesOf(bytes)) appendLatin1(out, doubled(piece))
  appendUtf8(out, '"')
}

function doubled(piece: Uint8Array): string {
  return Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1').replaceAll('"', '""')
}
