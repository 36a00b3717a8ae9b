/** Where a group begins to read a partition: at what it committed, or, where there is nothing, where the consumer wants to. */
import { LogqError } from '../../errors.js'
import { readLeaderEpochs } from '../../log/leader-epoch-file.js'
import type { ViewContext } from '../../log/log-view.js'
import type { CommittedOffset } from '../../store/group/committed-offsets.js'
import { partitionOffsets } from '../../store/partition.js'

/** Kafka's auto.offset.reset. */
export type OffsetReset = 'earliest' | 'latest' | 'none'

export interface StartOffset {
  readonly offset: number
  /** What was committed, when reading does not begin there: deleted before it was read, or lost with the end of the log. */
  readonly instead?: { readonly committedOffset: number; readonly reason: 'deleted' | 'lost' }
  /** Nothing was committed. */
  readonly isNew: boolean
}

/** Throws LOGQ_UNKNOWN_GROUP where nothing was committed, LOGQ_GONE where it was deleted, both for 'none'; or a system error. */
export function startOffset(
  context: ViewContext,
  group: string,
  committed: CommittedOffset | undefined,
  reset: OffsetReset,
): StartOffset {
  const { logStartOffset, logEndOffset } = partitionOffsets(context)
  const name = `${context.topic}:${context.partition}`
  if (committed === undefined) {
    if (reset === 'none') {
      throw new LogqError('LOGQ_UNKNOWN_GROUP', `group '${group}' has no committed offset for '${name}'`, {
        hint: `set one with 'logq group seek ${group} -o start --topic ${name}', or choose -o earliest or latest`,
      })
    }
    return { offset: reset === 'earliest' ? logStartOffset : logEndOffset, isNew: true }
  }
  const { offset: committedOffset } = committed
  if (committedOffset < logStartOffset) {
    if (reset === 'none') {
      throw new LogqError(
        'LOGQ_GONE',
        `offset ${committedOffset} of '${name}', which group '${group}' committed, no longer exists`,
        {
          hint: `the log begins at offset ${logStartOffset}: see 'logq group seek ${group}'`,
        },
      )
    }
    return { offset: logStartOffset, instead: { committedOffset, reason: 'deleted' }, isNew: false }
  }
  const end = Math.min(logEndOffset, endOfEpoch(context, committed.leaderEpoch) ?? logEndOffset)
  return committedOffset <= end
    ? { offset: committedOffset, isNew: false }
    : { offset: end, instead: { committedOffset, reason: 'lost' }, isNew: false }
}

/** Where the leader epoch ended that wrote the last record before a committed offset: a log that lost its tail began a new one there. */
function endOfEpoch(context: ViewContext, leaderEpoch: number): number | undefined {
  if (leaderEpoch < 0) return undefined
  return readLeaderEpochs(context)?.find(({ epoch }) => epoch > leaderEpoch)?.startOffset
}
