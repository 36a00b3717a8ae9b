/**
 * Puts segments back below the log start of a partition that is in use: the one case in which a log start offset goes back, and only
 * because somebody asked for it. The segments were copied into the store before; here, under the append lock:
 *
 * 1 they are renamed into place, the last one first, so that what is there never has a gap; 2 the directory is synced; 3 the leader epochs
 * that they name are added; 4 the log start offset is lowered, durably: from here on they are read.
 *
 * Killed before 4: they lie below the log start, where nobody reads them and retention removes them; restoring again goes on.
 */
import { LogqError } from '../errors.js'
import { mayBeCleanedBelow } from '../log/cleaner-file.js'
import {
  DEDUPE_INDEX_PREFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  segmentBaseOffsets,
  segmentFileName,
} from '../log/file-names.js'
import { readLeaderEpochs, writeLeaderEpochs } from '../log/leader-epoch-file.js'
import { partitionName, type LogContext } from '../log/log-context.js'
import { readLogStartOffset, writeLogStartOffset } from '../log/log-start-offset-file.js'
import { PartitionLock, type LockWait } from '../log/partition-lock.js'
import type { ArchivedEpoch } from '../store/archive/manifest.js'
import { removeQuietly } from '../system/durable.js'

export interface SegmentsBelow {
  /** Where the files are, durably, on the same file system. */
  readonly directory: string
  readonly baseOffsets: readonly number[]
  /** Where the last of them ends: the first segment that is here begins there. */
  readonly endOffset: number
  readonly startOffset: number
  readonly epochs: readonly ArchivedEpoch[]
}

/**
 * Segments that compaction has been over, or would have been, were they still there: they may hold keys whose tombstones it removed. Throws
 * LOGQ_CONFLICT.
 */
export function refuseCleaned(context: LogContext, lowestOffset: number, endOffset: number): void {
  const cleaned = mayBeCleanedBelow(context)
  if (lowestOffset >= cleaned) return
  const below = Number.isFinite(cleaned) ? ` below offset ${cleaned}` : ', nobody knows up to where'
  const other = 'restore under another name with --as'
  throw new LogqError(
    'LOGQ_CONFLICT',
    `'${partitionName(context)}' was compacted${below}: with what was archived before, deleted keys would come back`,
    { hint: cleaned < endOffset ? `restore what lies above with -o ${cleaned}:, or ${other}` : other },
  )
}

/**
 * Throws LOGQ_CONFLICT when the log no longer begins there, or was compacted meanwhile; LOGQ_BUSY, LOGQ_ABORTED, LOGQ_TOPIC_REMOVED, or a
 * system error.
 */
export async function putSegmentsBelow(context: LogContext, below: SegmentsBelow, wait: LockWait): Promise<void> {
  const { system, directory } = context
  const { fs } = system
  const lock = PartitionLock.open(system, directory)
  try {
    await lock.acquire(wait)
    try {
      const [first] = segmentBaseOffsets(fs.list(directory))
      if (first !== below.endOffset) {
        throw new LogqError('LOGQ_CONFLICT', `'${context.topic}-${context.partition}' begins at offset ${first ?? 0} by now`, {
          hint: 'retain was quicker: run the command again',
        })
      }
      refuseCleaned(context, Math.min(...below.baseOffsets), below.endOffset)
      for (const base of [...below.baseOffsets].sort((a, b) => b - a)) {
        for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, LOG_SUFFIX] as const) {
          const name = segmentFileName(base, suffix)
          fs.rename(`${below.directory}/${name}`, `${directory}/${name}`) // 1
        }
        system.failpoint('restore.after-rename')
      }
      fs.syncDirectory(directory) // 2
      addEpochs(context, below.epochs) // 3
      lowerLogStart(context, below.startOffset) // 4
    } finally {
      lock.release()
    }
  } finally {
    lock.close()
  }
}

/** The same for segments that are here already, below the log start: what a restore that was killed left. */
export async function lowerLogStartOffset(context: LogContext, startOffset: number, wait: LockWait): Promise<void> {
  const lock = PartitionLock.open(context.system, context.directory)
  try {
    await lock.acquire(wait)
    try {
      lowerLogStart(context, startOffset)
    } finally {
      lock.release()
    }
  } finally {
    lock.close()
  }
}

function lowerLogStart(context: LogContext, startOffset: number): void {
  const present = readLogStartOffset(context)
  if (present === undefined || present <= startOffset) return
  const { fs } = context.system
  // They know nothing of what comes back, and are built anew.
  for (const name of fs.list(context.directory))
    if (name.startsWith(DEDUPE_INDEX_PREFIX)) removeQuietly(fs, `${context.directory}/${name}`)
  writeLogStartOffset(context, startOffset)
}

function addEpochs(context: LogContext, restored: readonly ArchivedEpoch[]): void {
  const present = readLeaderEpochs(context) ?? []
  const [first] = present
  const older = restored.filter(
    ({ epoch, startOffset }) => first === undefined || (epoch < first.epoch && startOffset <= first.startOffset),
  )
  if (older.length > 0) writeLeaderEpochs(context, [...older, ...present])
}
