/**
 * `cleaner-offset`: how far a partition was compacted (format-spec/compaction.md). A text file of one line, `1 CLEANED GAPS CRC`: below
 * CLEANED a pass has been over everything; below GAPS offsets may be missing, since a pass began to remove records there.
 */
import { crc32c } from '../bytes/crc32c.js'
import { readSmallFile, replaceFile } from '../system/durable.js'
import type { LogContext } from './log-context.js'
import { CLEANER_OFFSET_FILE } from './file-names.js'

export interface CleanerOffsets {
  readonly cleanedOffset: number
  readonly gapsOffset: number
}

const NEVER: CleanerOffsets = { cleanedOffset: 0, gapsOffset: 0 }

export function formatCleanerOffsets({ cleanedOffset, gapsOffset }: CleanerOffsets): Uint8Array {
  const body = `1 ${cleanedOffset} ${gapsOffset}`
  return Buffer.from(`${body} ${checksum(body)}\n`, 'ascii')
}

/** Undefined when the text is not whole. */
export function parseCleanerOffsets(bytes: Uint8Array): CleanerOffsets | undefined {
  const match = /^(1 (0|[1-9]\d*) (0|[1-9]\d*)) ([0-9a-f]{8})\n$/.exec(Buffer.from(bytes).toString('latin1'))
  if (match?.[1] === undefined || match[4] !== checksum(match[1])) return undefined
  const offsets = { cleanedOffset: Number(match[2]), gapsOffset: Number(match[3]) }
  const isWhole = Number.isSafeInteger(offsets.gapsOffset) && offsets.cleanedOffset <= offsets.gapsOffset
  return isWhole ? offsets : undefined
}

/** Zeros when there is no such file, or it is damaged: then the next pass begins at the start, and gaps are named, which harms nobody. */
export function readCleanerOffsets(place: CleanerPlace): CleanerOffsets {
  return read(place) ?? NEVER
}

/** Records below this offset may have been removed by a pass; where the file is damaged, anywhere. For whom less would harm. */
export function mayBeCleanedBelow(place: CleanerPlace): number {
  return read(place, { cleanedOffset: 0, gapsOffset: Infinity })?.gapsOffset ?? 0
}

type CleanerPlace = Pick<LogContext, 'system' | 'directory'>

/** Undefined where there is none. */
function read({ system, directory }: CleanerPlace, damaged?: CleanerOffsets): CleanerOffsets | undefined {
  const bytes = readSmallFile(system.fs, `${directory}/${CLEANER_OFFSET_FILE}`)
  return bytes === undefined ? undefined : (parseCleanerOffsets(bytes) ?? damaged)
}

/** Durable on return. */
export function writeCleanerOffsets({ system, directory, ownership }: LogContext, offsets: CleanerOffsets): void {
  replaceFile(system, `${directory}/${CLEANER_OFFSET_FILE}`, formatCleanerOffsets(offsets), ownership)
}

function checksum(text: string): string {
  return crc32c(Buffer.from(text, 'ascii')).toString(16).padStart(8, '0')
}
