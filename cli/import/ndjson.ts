/** NDJSON (JSON Lines): the JSON value on each line is the record's value, as it was written, without the white space around it. */
import { isUtf8 } from 'node:buffer'
import { LogqError } from '../../lib/errors.js'
import { ItemSplitter } from '../input/items.js'
import { badItem, type RecordSource, type SourceInput, type SourceItem } from '../input/record-source.js'

const NEWLINE = Buffer.from('\n')
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
const MAX_BYTES = 256 * 1024 * 1024

export class NdjsonSource implements RecordSource {
  readonly #splitter: ItemSplitter
  #line = 0

  constructor(source: SourceInput) {
    this.#splitter = new ItemSplitter(source.input, NEWLINE, source.recordLimitBytes, source.pace)
  }

  /** Lines of white space are passed over. */
  async next(): Promise<SourceItem | undefined> {
    for (;;) {
      const item = await this.#splitter.next()
      if (item === undefined) return undefined
      this.#line += 1
      const line = this.#line
      if (item.kind === 'too-large')
        return badItem(line, new LogqError('LOGQ_RECORD_TOO_LARGE', `the line has ${item.sizeBytes} bytes`))
      const bytes = trimmed(line === 1 ? withoutByteOrderMark(item.bytes) : item.bytes)
      if (bytes.length > 0) return { line, read: () => ({ record: { value: checked(bytes) }, partition: undefined }) }
    }
  }
}

function checked(bytes: Buffer): Buffer {
  if (bytes.length > MAX_BYTES) throw new LogqError('LOGQ_RECORD_TOO_LARGE', 'a JSON value above 256 MiB cannot be read')
  if (!isUtf8(bytes)) throw invalid('not valid UTF-8')
  try {
    JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw invalid('not JSON')
  }
  return bytes
}

function invalid(message: string): LogqError {
  return new LogqError('LOGQ_INVALID_RECORD', message, {
    hint: "lines that are not JSON go in with 'logq produce'",
  })
}

function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes
}

function trimmed(bytes: Buffer): Buffer {
  let start = 0
  let end = bytes.length
  while (start < end && isWhiteSpace(bytes[start])) start += 1
  while (end > start && isWhiteSpace(bytes[end - 1])) end -= 1
  return bytes.subarray(start, end)
}

function isWhiteSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d
}
