/**
 * Moves the log start offset forward, and removes the segments that lie wholly below it: what retention, `trim` and a ring buffer do
 * (format-spec/log-start-offset.md). Under the append lock:
 *
 *  1. Write the log start offset, durably.            Crash here: readers begin there; the segments are removed by the next call.
 *  2. Unlink segments, oldest first, never the last.  Crash here: as after 1.
 *  3. Sync the directory.                             Crash here: a segment may be back; it lies below the log start, as after 1.
 */
import { LogqError } from '../errors.js'
import { LOG_SUFFIX, segmentBaseOffsets, segmentFileName } from './file-names.js'
import { partitionName, type LogContext } from './log-context.js'
import { logEndOffset } from './log-view.js'
import { readLogStartOffset, writeLogStartOffset } from './log-start-offset-file.js'
import { PartitionLock, topicRemoved, type LockWait } from './partition-lock.js'
import { unlinkSegment } from './segment-files.js'

export interface AdvancedLogStart {
  /** Before, and now. */
  readonly fromOffset: number
  readonly toOffset: number
  readonly removedSegments: number
  readonly removedBytes: number
}

/**
 * `toOffset` is asked for under the lock, with the base offsets of the segments that are there and the log start as it is: what it gives is
 * a place up to which records may go. Below the present log start nothing moves, and never beyond the log end offset: records that are
 * appended later would be lost before they were written. Throws LOGQ_TOPIC_REMOVED,
 * LOGQ_CONFLICT for a follower, LOGQ_BUSY, LOGQ_ABORTED, LOGQ_CORRUPT for a log start that cannot be read, or a system error.
 */
export async function advanceLogStart(
  context: LogContext,
  toOffset: (segments: readonly number[], logStartOffset: number) => number,
  wait: LockWait = {},
): Promise<AdvancedLogStart> {
  const { system, directory } = context
  const lock = PartitionLock.open(system, directory)
  try {
    await lock.acquire(wait)
    try {
      const state = lock.readState()
      if (state?.status === 'deleted') throw topicRemoved(directory)
      if (state?.status === 'follower') {
        throw new LogqError('LOGQ_CONFLICT', `'${partitionName(context)}' is a follower: its leader says what is removed`)
      }
      const segments = segmentBaseOffsets(system.fs.list(directory))
      const fromOffset = Math.max(readLogStartOffset(context) ?? 0, segments[0] ?? 0)
      const wanted = Math.max(fromOffset, atMostEnd(context, segments, toOffset(segments, fromOffset)))
      if (wanted > fromOffset) writeLogStartOffset(context, wanted) // 1
      system.failpoint('log-start.after-write')
      const removed = removeBelow(context, segments, wanted) // 2, 3
      return { fromOffset, toOffset: wanted, ...removed }
    } finally {
      lock.release()
    }
  } finally {
    lock.close()
  }
}

function atMostEnd(context: LogContext, segments: readonly number[], offset: number): number {
  const active = segments.at(-1)
  return active !== undefined && offset <= active ? offset : Math.min(offset, logEndOffset(context, segments))
}

function removeBelow(
  context: LogContext,
  segments: readonly number[],
  offset: number,
): Pick<AdvancedLogStart, 'removedSegments' | 'removedBytes'> {
  const { system, directory } = context
  let removedSegments = 0
  let removedBytes = 0
  for (const [n, base] of segments.entries()) {
    const next = segments[n + 1]
    if (next === undefined || next > offset) break
    const sizeBytes = system.fs.pathStatus(`${directory}/${segmentFileName(base, LOG_SUFFIX)}`)?.sizeBytes ?? 0
    unlinkSegment(system, directory, base)
    removedSegments += 1
    removedBytes += sizeBytes
    system.failpoint('log-start.after-unlink')
  }
  if (removedSegments > 0) system.fs.syncDirectory(directory)
  return { removedSegments, removedBytes }
}
