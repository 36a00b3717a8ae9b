/** consume --no-commit: what a group has before it, of all partitions, read without joining it and without leaving a trace. */
import { startOffset, type OffsetReset } from '../../lib/consume/group/start-offset.js'
import type { Isolation } from '../../lib/log/log-view.js'
import { readingContext } from '../../lib/store/archive/reading-context.js'
import { GroupFiles } from '../../lib/store/group/group-files.js'
import { groupExists } from '../../lib/store/group/group-paths.js'
import { partitionOffsets, selectPartitions } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { expandTopics } from '../../lib/store/topic-pattern.js'
import { getTopic } from '../../lib/store/topics.js'
import type { BatchPrinter } from '../print/batch-printer.js'
import { followAll, type FollowStart } from '../reading/follow.js'
import { printRanges } from '../reading/print-ranges.js'
import type { ResolvedRange } from '../reading/reading.js'
import type { TimeLimits } from '../reading/time-limits.js'
import type { Where } from '../reading/where.js'
import type { Io } from '../io.js'

export interface Peek {
  readonly store: Store
  readonly group: string
  readonly topics: readonly string[]
  readonly reset: OffsetReset
  readonly printer: BatchPrinter
  readonly where: Where | undefined
  readonly toEnd: boolean
  readonly isolation: Isolation
  readonly limits: TimeLimits
}

export async function peek(
  { store, group, topics, reset, printer, where, toEnd, isolation, limits }: Peek,
  io: Io,
): Promise<void> {
  const ranges: ResolvedRange[] = []
  const starts: FollowStart[] = []
  const files = groupExists(store, group) ? GroupFiles.open(store, group) : undefined
  try {
    const offsets = files?.readSurely().offsets
    for (const topic of await expandTopics(store, topics)) {
      const file = getTopic(store, topic)
      const fromOffsets = new Map<number, number>()
      for (const partition of selectPartitions(store, file)) {
        const context = await readingContext(store, topic, partition, { isolation })
        const { offset } = startOffset(context, group, offsets?.get(topic, file.topicId, partition), reset)
        const toOffset = Math.max(offset, partitionOffsets(context).logEndOffset)
        ranges.push({ context, fromOffset: offset, toOffset, hasEnd: toEnd })
        fromOffsets.set(partition, toOffset)
      }
      starts.push({ topic, topicId: file.topicId, fromOffsets })
    }
  } finally {
    files?.close()
  }
  const { signal } = limits
  await printRanges(ranges, {
    printer,
    isMerged: false,
    direction: 'forwards',
    matches: where?.matches,
    replay: undefined,
    signal,
  })
  await io.output().flush()
  if (toEnd || printer.isDone) return
  await followAll(starts, [], undefined, { store, partitions: undefined, printer, limits, view: { isolation }, io })
}
