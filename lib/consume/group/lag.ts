/**
 * How far a group is behind, by partition: in records, in bytes, and in time. What the group has committed counts, not what its members
 * have read since.
 */
import { LogqError, systemErrorCode } from '../../errors.js'
import { bytesFrom, listSegments, type ViewContext } from '../../log/log-view.js'
import { readingContext } from '../../store/archive/reading-context.js'
import type { StoredOffset } from '../../store/group/committed-offsets.js'
import { GroupFiles, type GroupSnapshot } from '../../store/group/group-files.js'
import type { Store } from '../../store/store.js'
import { partitionOffsets } from '../../store/partition.js'
import type { TopicFile } from '../../store/topic-file.js'
import { findTopic } from '../../store/topics.js'
import { whenFetched } from '../../system/awaited-bytes.js'
import { readRecordsOf } from '../placed-record.js'

export interface PartitionLag {
  readonly group: string
  readonly topic: string
  readonly partition: number
  /** Offset of the next record to be read; undefined where nothing was committed. */
  readonly currentOffset: number | undefined
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Offsets between the two, those that were deleted left out. Where nothing was committed: all that are there. */
  readonly lagRecords: number
  /** Bytes of the batches that hold them. */
  readonly lagBytes: number
  /** Age of the oldest record that is not read: its timestamp against the clock of this machine, at least 0. 0 when all is read. */
  readonly lagMs: number
  /** Who reads it; undefined for nobody. */
  readonly member: string | undefined
  /** When the offset was committed, in ms since the Unix epoch. */
  readonly committedAtMs: number | undefined
}

/** Of the partitions that a group has committed for or has members for, by topic and number. Throws LOGQ_UNKNOWN_GROUP, LOGQ_CORRUPT … */
export async function groupLag(store: Store, group: string, signal?: AbortSignal): Promise<PartitionLag[]> {
  const files = GroupFiles.open(store, group)
  try {
    return await lagOf(store, group, files.readSurely(), signal)
  } finally {
    files.close()
  }
}

/** The same from what was read of a group already. */
export async function lagOf(
  store: Store,
  group: string,
  { state, offsets }: GroupSnapshot,
  signal?: AbortSignal,
): Promise<PartitionLag[]> {
  const lags: PartitionLag[] = []
  const topics = new Set([...offsets.topics().map(({ topic }) => topic), ...Object.keys(state.assignment)])
  for (const topic of [...topics].sort()) {
    const file = findTopic(store, topic)
    if (file === undefined) continue
    const isWanted = state.assignment[topic] !== undefined
    for (let partition = 0; partition < file.partitions; partition += 1) {
      const stored = offsets.get(topic, file.topicId, partition)
      if (stored === undefined && !isWanted) continue
      const reader = { group, stored, member: state.owners[topic]?.[partition] }
      lags.push(await partitionLag(store, file, partition, reader, signal))
    }
  }
  return lags
}

/** What a group has to do with a partition. */
export interface PartitionReader {
  readonly group: string
  readonly stored: StoredOffset | undefined
  readonly member: string | null | undefined
}

/** Of one partition. Throws LOGQ_CORRUPT, LOGQ_TOPIC_REMOVED, LOGQ_ABORTED, or a system error. */
export async function partitionLag(
  store: Store,
  file: TopicFile,
  partition: number,
  { group, stored, member }: PartitionReader,
  signal?: AbortSignal,
): Promise<PartitionLag> {
  const context = await readingContext(store, file.topic, partition, { file })
  const { logStartOffset, logEndOffset } = partitionOffsets(context)
  const fromOffset = Math.max(stored?.offset ?? 0, logStartOffset)
  return {
    group,
    topic: file.topic,
    partition,
    currentOffset: stored?.offset,
    logStartOffset,
    logEndOffset,
    lagRecords: Math.max(0, logEndOffset - fromOffset),
    ...(await behind(context, fromOffset, logEndOffset, signal)),
    member: member ?? undefined,
    committedAtMs: stored?.timeMs,
  }
}

async function behind(
  context: ViewContext,
  fromOffset: number,
  toOffset: number,
  signal: AbortSignal | undefined,
): Promise<Pick<PartitionLag, 'lagBytes' | 'lagMs'>> {
  if (fromOffset >= toOffset) return { lagBytes: 0, lagMs: 0 }
  const lagBytes = await whenFetched(() => bytesNow(context, fromOffset), signal)
  for await (const { timestampMs } of readRecordsOf(context, fromOffset, toOffset, { signal })) {
    const sinceMs = Number(timestampMs)
    return { lagBytes, lagMs: sinceMs < 0 ? 0 : Math.max(0, context.system.clock.nowMs() - sinceMs) }
  }
  if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped while a lag was looked up')
  return { lagBytes, lagMs: 0 }
}

function bytesNow(context: ViewContext, offset: number): number {
  for (;;) {
    try {
      return bytesFrom(context, listSegments(context), offset)
    } catch (error) {
      // A segment that was deleted since the listing.
      if (systemErrorCode(error) !== 'ENOENT') throw error
    }
  }
}
