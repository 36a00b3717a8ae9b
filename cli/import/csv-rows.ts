/**
 * Finds where the rows of a CSV file begin and end; what is in them is csv-cells.ts's business. Three things need that to be known
 * apart: the line on which a bad row begins, memory that stays bounded when a quote is never closed, and going on after a bad row.
 *
 * A row ends at a newline outside quotes; a quote opens at the beginning of a cell only. A row whose quotes do not add up is taken to
 * be the line on which it begins, and reading goes on with the next line: however far an unclosed quote reaches, the rows
 * after it are not lost with it.
 */
import { LogqError } from '../../lib/errors.js'
import type { ChunkedInput } from '../input/chunked-input.js'
import type { Pace } from '../input/pace.js'

const QUOTE = 0x22
const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Rows that are taken apart together. More would not be faster, and hold more memory. */
const MAX_ROWS = 64
const MAX_ROWS_BYTES = 64 << 10
const NO_QUOTES_HINT = "if quotes mean nothing in this file, give '--no-quotes'"

export interface CsvRow {
  /** The line on which it begins, from 1. */
  readonly line: number
  /** Without the line end. A view that holds until the next call. */
  readonly bytes: Buffer
}

/** Rows that stand next to each other, and the bytes from the first to the last with their line ends; or one that is bad. */
export type CsvRows =
  | { readonly kind: 'rows'; readonly rows: readonly CsvRow[]; readonly bytes: Buffer }
  | { readonly kind: 'bad'; readonly line: number; readonly error: LogqError }

export interface CsvRowOptions {
  /** One byte. */
  readonly delimiter: number
  /** False: quotes are characters like any other. */
  readonly quotes: boolean
  /** A longer row is named and passed over. */
  readonly limitBytes: () => number
}

type Place = 'cell-start' | 'plain' | 'quoted' | 'quote-seen' | 'broken'
type Found = 'row' | 'broken' | 'more'

export class CsvRowSplitter {
  #line = 1
  #isBegun = false
  /** How far the row at the beginning of the window was looked at, and what is known of it. Counted from the window's start. */
  #scanned = 0
  #place: Place = 'cell-start'
  #newlines = 0
  /** Where its first line ends, behind the newline; 0 when that is not known yet. */
  #firstLineEnd = 0

  constructor(
    private readonly input: ChunkedInput,
    private readonly options: CsvRowOptions,
    private readonly pace: Pace,
  ) {}

  /** The next rows; undefined at the end. Rows that are there already come together, without waiting for more. */
  async next(): Promise<CsvRows | undefined> {
    await this.#passByteOrderMark()
    const rows: CsvRow[] = []
    const { input } = this
    let begin = input.start
    for (;;) {
      const found = this.#scan()
      if (found === 'row') {
        this.#takeRow(rows)
        if (rows.length === 0) begin = input.start
        if (rows.length < MAX_ROWS && input.start - begin < MAX_ROWS_BYTES) continue
      }
      if (rows.length > 0) return { kind: 'rows', rows, bytes: input.buffer.subarray(begin, input.start) }
      if (found === 'broken')
        return await this.#takeBroken('text follows a closing quote', 'a quote inside a quoted cell is doubled')
      if (input.end - input.start > this.options.limitBytes()) return await this.#tooLarge()
      if (!(await input.fill(this.pace))) return input.isEnded && input.start < input.end ? await this.#last() : undefined
      begin = input.start
    }
  }

  async #passByteOrderMark(): Promise<void> {
    if (this.#isBegun) return
    this.#isBegun = true
    const { input } = this
    while (input.end - input.start < BYTE_ORDER_MARK.length) if (!(await input.fill(this.pace))) return
    const begin = input.buffer.subarray(input.start, input.start + BYTE_ORDER_MARK.length)
    if (begin.equals(BYTE_ORDER_MARK)) input.start += BYTE_ORDER_MARK.length
  }

  /** Looks at what is new. 'row' and 'broken' leave #scanned behind what was found. */
  #scan(): Found {
    const { buffer, start, end } = this.input
    const { delimiter, quotes } = this.options
    let place = this.#place
    let at = start + this.#scanned
    for (; at < end && place !== 'broken'; at += 1) {
      const byte = buffer[at]
      if (byte === NEWLINE) {
        this.#newlines += 1
        if (this.#newlines === 1) this.#firstLineEnd = at + 1 - start
        if (place === 'quoted') continue
        this.#scanned = at + 1 - start
        return 'row'
      }
      if (place === 'quoted') {
        if (byte === QUOTE) place = 'quote-seen'
      } else if (byte === delimiter) {
        place = 'cell-start'
      } else if (place === 'quote-seen') {
        if (byte === QUOTE) place = 'quoted'
        else if (byte !== CARRIAGE_RETURN) place = 'broken'
        else if (at + 1 === end && !this.input.isEnded) break
        else if (buffer[at + 1] !== NEWLINE || at + 1 === end) place = 'broken'
      } else {
        place = quotes && byte === QUOTE && place === 'cell-start' ? 'quoted' : 'plain'
      }
    }
    this.#place = place
    this.#scanned = at - start
    return place === 'broken' ? 'broken' : 'more'
  }

  #takeRow(rows: CsvRow[]): void {
    const { input } = this
    const bytes = withoutLineEnd(input.buffer.subarray(input.start, input.start + this.#scanned))
    // An empty line is no row.
    if (bytes.length > 0) rows.push({ line: this.#line, bytes })
    this.#advance(this.#scanned, this.#newlines)
  }

  /** What is left when the input has ended without a newline. */
  async #last(): Promise<CsvRows> {
    const { input } = this
    if (this.#place === 'quoted') {
      if (this.#newlines === 0) this.#firstLineEnd = this.#scanned
      return await this.#takeBroken('a quote is opened and never closed', NO_QUOTES_HINT)
    }
    const row = { line: this.#line, bytes: input.buffer.subarray(input.start, input.end) }
    this.#advance(input.end - input.start, 0)
    return { kind: 'rows', rows: [row], bytes: row.bytes }
  }

  /** Gives up the row's first line, and goes back to the next one. */
  async #takeBroken(message: string, hint: string): Promise<CsvRows> {
    const { input } = this
    const line = this.#line
    const error = new LogqError('LOGQ_INVALID_RECORD', message, { hint })
    while (this.#firstLineEnd === 0) {
      const newline = input.buffer.subarray(input.start, input.end).indexOf(NEWLINE)
      if (newline !== -1) this.#firstLineEnd = newline + 1
      else if (input.isEnded || input.end - input.start > this.options.limitBytes() || !(await input.fill(this.pace))) break
    }
    if (this.#firstLineEnd === 0) await this.#passLine()
    else this.#advance(this.#firstLineEnd, 1)
    return { kind: 'bad', line, error }
  }

  async #tooLarge(): Promise<CsvRows> {
    if (this.#place === 'quoted' && this.#firstLineEnd > 0) {
      const limit = `within ${this.options.limitBytes()} bytes`
      return await this.#takeBroken(`a quote is opened and not closed ${limit}`, NO_QUOTES_HINT)
    }
    const line = this.#line
    await this.#passLine()
    const error = new LogqError('LOGQ_RECORD_TOO_LARGE', `the row is larger than ${this.options.limitBytes()} bytes`)
    return { kind: 'bad', line, error }
  }

  /** Drops everything up to the end of the line, keeping nothing. */
  async #passLine(): Promise<void> {
    const { input } = this
    for (;;) {
      const newline = input.buffer.subarray(input.start, input.end).indexOf(NEWLINE)
      if (newline !== -1) {
        this.#advance(newline + 1, 1)
        return
      }
      input.start = input.end
      if (!(await input.fill(this.pace))) {
        this.#advance(0, 0)
        return
      }
    }
  }

  #advance(bytes: number, newlines: number): void {
    this.input.start += bytes
    this.#line += newlines
    this.#scanned = 0
    this.#place = 'cell-start'
    this.#newlines = 0
    this.#firstLineEnd = 0
  }
}

function withoutLineEnd(row: Buffer): Buffer {
  const end = row.length - 1
  return row.subarray(0, end > 0 && row[end - 1] === CARRIAGE_RETURN ? end - 1 : end)
}
