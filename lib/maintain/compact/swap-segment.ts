/**
 * Puts a segment that was written anew in the place of the old one, or removes it when no record of it stays. Under the append lock, each
 * step safe to crash after (test/crash/compact-crash.test.ts):
 *
 *  1. Unlink the old indexes.                          Crash here: an index is a cache; readers scan.
 *  2. Rename the new .log over the old one.            Crash here: the new segment without indexes. There is no moment without a file.
 *  3. Rename the new indexes into place.               Crash here: as after 2, or one index is there.
 *  4. Sync the directory.
 *
 * Whoever was stopped for long before step 1 finds another file than it read, and leaves it alone.
 */
import {
  CLEANER_DIRECTORY,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  segmentBaseOffsets,
  segmentFileName,
} from '../../log/file-names.js'
import type { LogContext } from '../../log/log-context.js'
import { PartitionLock, topicRemoved, type LockWait } from '../../log/partition-lock.js'
import { unlinkSegment } from '../../log/segment-files.js'
import { unlinkIndexes } from '../move-files.js'
import type { ClosedSegment } from './closed-segment.js'

/**
 * False when the segment is not the one that was read any more, or not closed: nothing was changed. `check` is called under the lock.
 * Throws what it throws, LOGQ_TOPIC_REMOVED, LOGQ_BUSY, LOGQ_ABORTED, or a system error.
 */
export async function swapSegment(
  context: LogContext,
  segment: ClosedSegment,
  outcome: 'rewritten' | 'emptied',
  { check, ...wait }: LockWait & { readonly check?: () => void },
): Promise<boolean> {
  const { system, directory } = context
  const { fs } = system
  const lock = PartitionLock.open(system, directory)
  try {
    await lock.acquire(wait)
    try {
      if (lock.readState()?.status === 'deleted') throw topicRemoved(directory)
      check?.()
      const bases = segmentBaseOffsets(fs.list(directory))
      const isClosed = segment.baseOffset < (bases.at(-1) ?? 0)
      const present = fs.pathStatus(segment.path)
      if (!isClosed || present?.inode !== segment.inode || present.sizeBytes !== segment.sizeBytes) return false
      system.failpoint('compact.before-swap')
      if (outcome === 'emptied') unlinkSegment(system, directory, segment.baseOffset)
      else putInPlace(context, segment)
      fs.syncDirectory(directory) // 4
      system.failpoint('compact.after-swap')
      return true
    } finally {
      lock.release()
    }
  } finally {
    lock.close()
  }
}

function putInPlace(context: LogContext, { baseOffset }: ClosedSegment): void {
  const { system, directory } = context
  const move = (suffix: typeof LOG_SUFFIX | typeof OFFSET_INDEX_SUFFIX | typeof TIME_INDEX_SUFFIX) => {
    const name = segmentFileName(baseOffset, suffix)
    system.fs.rename(`${directory}/${CLEANER_DIRECTORY}/${name}`, `${directory}/${name}`)
  }
  unlinkIndexes(context, baseOffset) // 1
  system.failpoint('compact.after-unlink-indexes')
  move(LOG_SUFFIX) // 2
  system.failpoint('compact.after-rename')
  move(OFFSET_INDEX_SUFFIX) // 3
  system.failpoint('compact.after-rename-index')
  move(TIME_INDEX_SUFFIX)
}
