/**
 * The log start offset: the first offset that may be read (format-spec/log-start-offset.md). A text file of one line,
 * `1 OFFSET CRC`, written durably before anything below it is unlinked. Absent: the base offset of the first segment.
 */
import { crc32c } from '../bytes/crc32c.js'

const VERSION = 1

export function formatLogStartOffset(offset: number): Uint8Array {
  const body = `${VERSION} ${offset}`
  return Buffer.from(`${body} ${checksum(body)}\n`, 'ascii')
}

/** Undefined when the text is not whole. */
export function parseLogStartOffset(bytes: Uint8Array): number | undefined {
  const match = /^(1 (0|[1-9]\d*)) ([0-9a-f]{8})\n$/.exec(Buffer.from(bytes).toString('latin1'))
  if (match?.[1] === undefined || match[3] !== checksum(match[1])) return undefined
  const offset = Number(match[2])
  return Number.isSafeInteger(offset) ? offset : undefined
}

function checksum(text: string): string {
  return crc32c(Buffer.from(text, 'ascii')).toString(16).padStart(8, '0')
}
