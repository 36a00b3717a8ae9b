/**
 * Lines that prove themselves: `<CRC-32C of the text, 8 hex digits> <JSON object>` (format-spec/group-offsets.md). A file of them is only
 * ever appended to, so that what a crash can leave behind the last whole line is no whole line.
 */
import { crc32c } from '../../bytes/crc32c.js'

export type JsonObject = Readonly<Record<string, unknown>>

/** One line, with its newline. */
export function formatCheckedLine(content: JsonObject): Uint8Array {
  const text = Buffer.from(JSON.stringify(content))
  return Buffer.concat([Buffer.from(`${hex(crc32c(text))} `), text, NEWLINE])
}

export interface CheckedLine {
  readonly position: number
  readonly sizeBytes: number
  /** Undefined for a line that is damaged, or was cut off. */
  readonly content: JsonObject | undefined
}

/** The lines of a file, or of the part of one that begins at `position`. The last one may be without its newline: it is damaged. */
export function* checkedLines(bytes: Uint8Array, position = 0): IterableIterator<CheckedLine> {
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline === -1 ? bytes.length : newline + 1
    const content = newline === -1 ? undefined : parse(bytes.subarray(start, newline))
    yield { position: position + start, sizeBytes: end - start, content }
    start = end
  }
}

/** Whether a value of a line can be an offset, a partition or another number that counts. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Whether a value of a line can be a time: JSON can name a number that it cannot write again, such as 1e999. */
export function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

const NEWLINE = Buffer.from('\n')
const CRC_DIGITS = 8

function parse(line: Uint8Array): JsonObject | undefined {
  if (line[CRC_DIGITS] !== 0x20) return undefined
  const text = line.subarray(CRC_DIGITS + 1)
  if (Buffer.from(line.subarray(0, CRC_DIGITS)).toString('latin1') !== hex(crc32c(text))) return undefined
  try {
    const content: unknown = JSON.parse(Buffer.from(text).toString('utf8'))
    return typeof content === 'object' && content !== null && !Array.isArray(content) ? (content as JsonObject) : undefined
  } catch {
    return undefined
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(CRC_DIGITS, '0')
}
