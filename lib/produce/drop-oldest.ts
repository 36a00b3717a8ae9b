/**
 * Makes room on a full disk: removes the oldest closed segment of a topic, so that the disk is a ring buffer for it
 * (format-spec/retention.md). On a full disk even the small file that says where the log begins may not fit; so the segment's indexes,
 * which are caches, go first.
 */
import { systemErrorCode } from '../errors.js'
import { advanceLogStart } from '../log/advance-log-start.js'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName } from '../log/file-names.js'
import { listSegments, type ViewContext } from '../log/log-view.js'
import type { LockWait } from '../log/partition-lock.js'
import { segmentTimes, writtenMs } from '../log/segment-times.js'
import { archivedUpTo } from '../store/archive/archived-files.js'
import type { LiveTopic } from '../store/live-topic.js'
import { appendContext, viewContext } from '../store/partition.js'
import { removeQuietly } from '../system/durable.js'
import type { FileStatus } from '../system/file-system.js'
import type { Clock } from '../system/system.js'
import { isDiskFull } from './wait-for-space.js'

export interface DroppedSegment {
  readonly partition: number
  /** Offsets that are gone, the end excluded. */
  readonly fromOffset: number
  readonly toOffset: number
  readonly removedBytes: number
}

/**
 * 'changed': by the time that the append lock was got the segment was not the oldest one any more, or is to stay; there may be room now,
 * and nothing was removed. Undefined when there is no segment that may go: what is not archived stays where that is required, what has
 * other names, as in a snapshot, since its bytes would stay, and the newest one of a partition. Throws as advanceLogStart.
 */
export async function dropOldestSegment(live: LiveTopic, wait: LockWait): Promise<DroppedSegment | 'changed' | undefined> {
  const { store, topic } = live
  live.refresh(true)
  const oldest = oldestSegment(live)
  if (oldest === undefined || oldest === 'changed') return oldest
  const { partition, base, next, inode } = oldest
  const context = appendContext(store, topic, partition, () => live.config)
  store.system.failpoint('drop-oldest.after-choice')
  // Others drop, archive, compact and remove, too: what was chosen without the lock is looked at again under it.
  const found = { isStill: false }
  const look = (segments: readonly number[]): number => {
    live.refresh(true)
    const present = statusOf(context, base)
    const isSame = segments[0] === base && segments[1] === next && present?.inode === inode && present.links === 1
    found.isStill = isSame && mayGo(live, partition, next)
    if (!found.isStill) return 0
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const)
      removeQuietly(store.system.fs, `${context.directory}/${segmentFileName(base, suffix)}`)
    return next
  }
  const { fromOffset, toOffset, removedBytes } = await soon(store.system.clock, () => advanceLogStart(context, look, wait))
  return found.isStill ? { partition, fromOffset, toOffset, removedBytes } : 'changed'
}

const FREED_TRIES = 50
const FREED_WAIT_MS = 20

/** The space of a file that was unlinked is free when nobody has it open any more: others look at the same indexes just now. */
async function soon<Result>(clock: Clock, attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!isDiskFull(error) || tries === FREED_TRIES) throw error
      await clock.sleep(FREED_WAIT_MS)
    }
  }
}

interface Candidate {
  readonly partition: number
  readonly base: number
  /** Where the next segment begins. */
  readonly next: number
  readonly inode: number
  readonly ms: number
}

/** Of the first segments of the partitions. */
function oldestSegment(live: LiveTopic): Candidate | 'changed' | undefined {
  const { store, topic, file } = live
  let oldest: Candidate | undefined
  for (let partition = 0; partition < file.partitions; partition += 1) {
    const view = viewContext(store, topic, partition)
    const [base, next] = listSegments(view)
    if (base === undefined || next === undefined || !mayGo(live, partition, next)) continue
    try {
      const times = segmentTimes(view, base, 'quickly')
      const present = statusOf(view, base)
      if (present === undefined) return 'changed'
      // A snapshot has it, too: removing it would free nothing.
      if (present.links > 1) continue
      const ms = writtenMs(times)
      if (oldest === undefined || ms < oldest.ms) oldest = { partition, base, next, inode: times.inode, ms }
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return 'changed'
      throw error
    }
  }
  return oldest
}

function statusOf({ system, directory }: Pick<ViewContext, 'system' | 'directory'>, base: number): FileStatus | undefined {
  return system.fs.pathStatus(`${directory}/${segmentFileName(base, LOG_SUFFIX)}`)
}

function mayGo({ store, file, config }: LiveTopic, partition: number, next: number): boolean {
  if (!config.choice('cleanup.policy').includes('delete')) return false
  return config.choice('archive.required') !== 'true' || archivedUpTo(store, file, partition) >= next
}
