/**
 * Makes room on a full disk: removes the oldest closed segment of a topic, so that the disk is a ring buffer for it
 * (format-spec/retention.md). On a full disk even the small file that says where the log begins may not fit; so the segment's indexes,
 * which are caches, go first.
 */
import { advanceLogStart } from '../log/advance-log-start.js'
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName } from '../log/file-names.js'
import { listSegments } from '../log/log-view.js'
import type { LockWait } from '../log/partition-lock.js'
import { segmentTimes, writtenMs } from '../log/segment-times.js'
import { archivedUpTo } from '../store/archive/archived-files.js'
import type { LiveTopic } from '../store/live-topic.js'
import { appendContext, viewContext } from '../store/partition.js'
import { removeQuietly } from '../system/durable.js'

export interface DroppedSegment {
  readonly partition: number
  /** Offsets that are gone, the end excluded. */
  readonly fromOffset: number
  readonly toOffset: number
  readonly removedBytes: number
}

/** Undefined when there is no segment that may go: what is not archived stays where that is required. Throws as advanceLogStart. */
export async function dropOldestSegment(live: LiveTopic, wait: LockWait): Promise<DroppedSegment | undefined> {
  const { store, topic, file, config } = live
  let oldest: { readonly partition: number; readonly base: number; readonly next: number; readonly ms: number } | undefined
  for (let partition = 0; partition < file.partitions; partition += 1) {
    const view = viewContext(store, topic, partition)
    const [base, next] = listSegments(view)
    if (base === undefined || next === undefined) continue
    if (config.choice('archive.required') === 'true' && archivedUpTo(store, file, partition) < next) continue
    const ms = writtenMs(segmentTimes(view, base, 'quickly'))
    if (oldest === undefined || ms < oldest.ms) oldest = { partition, base, next, ms }
  }
  if (oldest === undefined) return undefined
  const { partition, base, next } = oldest
  const context = appendContext(store, topic, partition, () => config)
  for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const)
    removeQuietly(store.system.fs, `${context.directory}/${segmentFileName(base, suffix)}`)
  const { fromOffset, toOffset, removedBytes } = await advanceLogStart(context, () => next, wait)
  return { partition, fromOffset, toOffset, removedBytes }
}
