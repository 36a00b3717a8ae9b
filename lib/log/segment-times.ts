/**
 * When the records of a segment were written, as retention and compaction ask it. A timestamp is what a producer says; the time at which
 * the file was last written is what the file system says. The earlier of the two counts: a timestamp in the future keeps nothing. But what
 * follows damage has timestamps that nobody knows: then the later of the two counts.
 */
import type { FileSystem } from '../system/file-system.js'
import { BatchPlaces } from './batch-places.js'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName, type SegmentSuffix } from './file-names.js'
import { anchorBelow } from './index-anchor.js'
import type { ViewContext } from './log-view.js'

export interface SegmentTimes {
  readonly baseOffset: number
  readonly sizeBytes: number
  readonly inode: number
  /** When the .log was written last, in ms since the Unix epoch. */
  readonly modifiedMs: number
  /** Of the first batch; -1 for none. */
  readonly firstTimestampMs: number
  /** Largest of the segment, as far as its batches can be told apart; -1 for none. */
  readonly maxTimestampMs: number
  /** Something follows the last batch that can be told apart. In an active segment that may be a batch half-way in. */
  readonly isDamaged: boolean
}

export type WrittenTimes = Pick<SegmentTimes, 'maxTimestampMs' | 'modifiedMs' | 'isDamaged'>

/** When the newest record of a segment was written. */
export function writtenMs({ maxTimestampMs, modifiedMs, isDamaged }: WrittenTimes): number {
  if (isDamaged) return Math.max(maxTimestampMs, modifiedMs)
  return maxTimestampMs < 0 ? modifiedMs : Math.min(maxTimestampMs, modifiedMs)
}

/**
 * Of one segment. `how`: 'quickly' believes the indexes where the log bears them out, and looks at what is behind their last entries;
 * 'surely' looks at the header of every batch, since a time index that lost entries makes a segment look older than it is. Throws ENOENT
 * when the segment is gone.
 */
export function segmentTimes(
  { system: { fs }, directory }: Pick<ViewContext, 'system' | 'directory'>,
  baseOffset: number,
  how: 'quickly' | 'surely',
): SegmentTimes {
  const path = (suffix: SegmentSuffix) => `${directory}/${segmentFileName(baseOffset, suffix)}`
  const logFd = fs.open(path(LOG_SUFFIX), 'read')
  try {
    const { sizeBytes, inode, modifiedMs } = fs.fileStatus(logFd)
    const places = new BatchPlaces(fs, logFd)
    const firstTimestampMs = places.at(0)?.maxTimestampMs ?? -1
    const known =
      how === 'surely'
        ? undefined
        : withFile(fs, path(OFFSET_INDEX_SUFFIX), (offsetIndexFd) =>
            withFile(fs, path(TIME_INDEX_SUFFIX), (timeIndexFd) =>
              anchorBelow(fs, { baseOffset, logFd, offsetIndexFd, timeIndexFd }, sizeBytes),
            ),
          )
    let maxTimestampMs = known?.maxTimestampMs ?? -1
    let end = known?.logBytes ?? 0
    for (const place of places.from(end)) {
      maxTimestampMs = Math.max(maxTimestampMs, place.maxTimestampMs)
      end = place.position + place.sizeBytes
    }
    return { baseOffset, sizeBytes, inode, modifiedMs, firstTimestampMs, maxTimestampMs, isDamaged: end !== sizeBytes }
  } finally {
    fs.close(logFd)
  }
}

/** Undefined where there is no such index. */
function withFile<Result>(fs: FileSystem, path: string, use: (fd: number) => Result): Result | undefined {
  let fd: number
  try {
    fd = fs.open(path, 'read')
  } catch {
    return undefined
  }
  try {
    return use(fd)
  } finally {
    fs.close(fd)
  }
}
