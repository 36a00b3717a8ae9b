/** Damage that a reader passes over instead of stopping at it (`onDamage` of a ViewContext). */
import type { CorruptionError } from '../errors.js'
import type { FileSystem } from '../system/file-system.js'
import { findNextBatch, peekHeader } from './find-next-batch.js'

export interface PassedOver {
  /** What a reader that stops would have thrown. */
  readonly error: CorruptionError
  /** First offset that cannot be read. */
  readonly fromOffset: number
  /** Where reading goes on; undefined when nothing that can be read follows. */
  readonly toOffset: number | undefined
}

export interface DamagedSegment {
  readonly fs: FileSystem
  readonly fd: number
  /** Where it cannot be read, and the offset that is expected there. */
  readonly position: number
  readonly offset: number
  /** Base offset of the next segment; Infinity for the last one. */
  readonly limitOffset: number
}

/**
 * The place of the next batch of a segment that can be read. Bytes that were made to look like batches cost no more than
 * `findNextBatch` allows; what follows the place where it gives up is passed over with the rest of the segment.
 */
export function placeAfterDamage(damaged: DamagedSegment): { readonly position: number; readonly offset: number } | undefined {
  const { fs, fd, offset, limitOffset } = damaged
  const { sizeBytes } = fs.fileStatus(fd)
  const position = findNextBatch({ fs, fd, sizeBytes, fromOffset: offset, limitOffset }, damaged.position)
  const header = position > damaged.position ? peekHeader(fs, fd, position, sizeBytes) : undefined
  return header === undefined ? undefined : { position, offset: header.baseOffset }
}
