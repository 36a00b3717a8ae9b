/** Counting the records of a topic in groups, without printing any. */
import { isUnreadable } from '../errors.js'
import { readPartition, withRecords, type BatchSlice } from '../log/read-partition.js'
import { SliceWalk } from '../log/slice-walk.js'
import type { ViewContext } from '../log/log-view.js'
import type { RecordPredicate } from '../record/record-predicate.js'
import { compareIds, GroupTable, HASHES, type GroupBy, type GroupId, type GroupLimits } from './group-table.js'
import { Tally, type GroupTally } from './tally.js'

export interface GroupOptions {
  readonly by: GroupBy
  /** The groups with the most records, so many; at most 20,000. */
  readonly top?: number | undefined
  /** Only these records. */
  readonly matches?: RecordPredicate | undefined
  /** The same, for the second and every further reading. Default: `matches`. */
  readonly matchesAgain?: RecordPredicate | undefined
  readonly signal?: AbortSignal | undefined
  /** How many groups are held at once. */
  readonly limits?: GroupLimits
  /** Told once of a partition that cannot be read to its end; the others go on. Without it, the error is thrown. */
  readonly onUnreadable?: (trouble: UnreadableRange) => void
}

export interface UnreadableRange {
  readonly topic: string
  readonly partition: number
  /** CorruptionError, or a system error. */
  readonly error: unknown
  /** Records from this offset on are not counted. */
  readonly countedTo: number
}

export interface RecordGroup {
  readonly id: GroupId
  readonly tally: GroupTally
}

export interface RecordGroups {
  /** By time or partition in that order, else the one with the most records first. */
  readonly groups: readonly RecordGroup[]
  /** How many there are, with those that are not among `groups`. */
  readonly groupCount: number
  /** Over all records. */
  readonly total: GroupTally
}

/** About 20 MB. */
const DEFAULT_LIMITS: GroupLimits = { groups: 100_000, idBytes: 8 << 20 }
/** What is given takes more room than what is held. */
const MAX_TOP = 20_000

/**
 * Tallies the records in [fromOffset, toOffset) of partitions of one topic by groups. Exact, whatever the number of groups: when there
 * are more than `limits` allows, it reads again for the others. Values are not
 * looked at, but for their length. When the signal aborts, what it gives is not complete. Throws what reading throws (but see
 * `onUnreadable`), and what `matches` throws.
 */
export async function groupRecords(
  ranges: readonly { readonly context: ViewContext; readonly fromOffset: number; readonly toOffset: number }[],
  options: GroupOptions,
): Promise<RecordGroups> {
  const { by, signal, limits = DEFAULT_LIMITS } = options
  const top = Math.min(options.top ?? MAX_TOP, MAX_TOP)
  const total = new Tally()
  let groups: RecordGroup[] = []
  let groupCount = 0
  const table = new GroupTable(by, 0, limits)
  const unreadable = new Set<ViewContext>()
  for (let isFirst = true; signal?.aborted !== true; isFirst = false) {
    const matches = isFirst ? options.matches : (options.matchesAgain ?? options.matches)
    for (const { context, fromOffset, toOffset } of ranges) {
      const { topic, partition } = context
      if (by.kind === 'partition') table.open(partition)
      let countedTo = fromOffset
      try {
        for await (const slice of readPartition(context, fromOffset, toOffset, signal)) {
          withRecords(slice, () => {
            addSlice(topic, slice, matches, table, isFirst ? total : undefined)
          })
          countedTo = Math.min(slice.batch.nextOffset, toOffset)
        }
      } catch (error) {
        if (options.onUnreadable === undefined || !isUnreadable(error)) throw error
        if (!unreadable.has(context)) options.onUnreadable({ topic, partition, error, countedTo })
        unreadable.add(context)
      }
    }
    groupCount += table.size
    groups = mergeTop(groups, table, top)
    if (table.endHash === HASHES) break
    table.goOn()
  }
  const isOrdered = by.kind === 'partition' || by.kind === 'time'
  return { groups: isOrdered ? groups.sort((a, b) => compareIds(a.id, b.id)) : groups, groupCount, total }
}

function addSlice(
  topic: string,
  slice: BatchSlice,
  matches: RecordPredicate | undefined,
  table: GroupTable,
  total: Tally | undefined,
): void {
  const { partition } = slice
  const walk = new SliceWalk(slice)
  while (walk.next()) {
    if (matches !== undefined && !matches(topic, partition, walk.record)) continue
    table.add(partition, walk.record)
    total?.add(partition, walk.record)
  }
}

/** The largest of those that were largest so far and those of the table. */
function mergeTop(before: readonly RecordGroup[], table: GroupTable, top: number): RecordGroup[] {
  // What is not among the largest of its own table is not made into an object, nor what is smaller than what is held.
  const counts = Float64Array.from({ length: table.size }, (_, index) => table.tally(index).recordCount)
  const leastCount = counts.toSorted().at(-Math.min(top, table.size)) ?? 0
  const merged = [...before]
  let smallest = before.length < top ? undefined : before.at(-1)
  for (const [index, count] of counts.entries()) {
    if (top === 0 || count < leastCount) continue
    const group = { id: table.id(index), tally: table.tally(index) }
    if (smallest !== undefined && compareSize(group, smallest) > 0) continue
    merged.push({ ...group, tally: group.tally.snapshot() })
    if (merged.length < 1.5 * top + CUT_AT) continue
    cut(merged, top)
    smallest = merged.at(-1)
  }
  return cut(merged, top)
}

/** Beyond half as many again as are wanted, so that many equal counts do not pile up. */
const CUT_AT = 1_000

function cut(groups: RecordGroup[], top: number): RecordGroup[] {
  groups.sort(compareSize)
  groups.length = Math.min(groups.length, top)
  return groups
}

function compareSize(a: RecordGroup, b: RecordGroup): number {
  return b.tally.recordCount - a.tally.recordCount || b.tally.sizeBytes - a.tally.sizeBytes || compareIds(a.id, b.id)
}
