/** `trim`: removes the records of a partition below an offset, by hand (format-spec/log-start-offset.md). */
import { LogqError } from '../../errors.js'
import { advanceLogStart, type AdvancedLogStart } from '../../log/advance-log-start.js'
import { ensureSynced } from '../../log/ensure-synced.js'
import { Log } from '../../log/log.js'
import { partitionName } from '../../log/log-context.js'
import { logEndOffset, listSegments, type ViewContext } from '../../log/log-view.js'
import { appendContext, viewContext } from '../../store/partition.js'
import { requireWritable, type Store } from '../../store/store.js'
import { TopicConfig } from '../../store/topic-config.js'
import { getTopic } from '../../store/topics.js'
import type { LockWait } from '../../system/lock-wait.js'

/**
 * Nothing below `offset` is there afterwards; where the partition begins behind it already, nothing changes. An active segment of which
 * nothing is left is closed first, so that its space is free. Throws LOGQ_GONE for an offset above the log end; LOGQ_UNKNOWN_TOPIC,
 * LOGQ_READ_ONLY_STORE, LOGQ_CONFLICT, LOGQ_BUSY, LOGQ_ABORTED, or a system error.
 */
export async function trimPartition(
  store: Store,
  topic: string,
  partition: number,
  offset: number,
  wait: LockWait = {},
): Promise<AdvancedLogStart> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const config = new TopicConfig(getTopic(store, topic).config)
  const view = viewContext(store, topic, partition)
  refuseBeyondEnd(view, offset)
  // A log start above what a power cut leaves would be the start of nothing.
  await ensureSynced(view, offset)
  const context = appendContext(store, topic, partition, () => config)
  const log = Log.open(context)
  try {
    await log.rollIf((tail) => tail.logEndOffset <= offset, wait)
  } finally {
    await log.close()
  }
  return await advanceLogStart(context, () => offset, wait)
}

/** Throws LOGQ_GONE: also for who only says what would be done. */
export function refuseBeyondEnd(view: ViewContext, offset: number): void {
  const end = logEndOffset(view, listSegments(view))
  if (offset <= end) return
  throw new LogqError('LOGQ_GONE', `'${partitionName(view)}' ends at offset ${end}: it cannot begin at ${offset}`)
}
