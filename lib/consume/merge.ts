/**
 * Many partitions as one stream in the order of their records' timestamps. The records of one partition stay in the order of their
 * offsets, also where their timestamps do not rise: of the next records of all partitions, the oldest is given (backwards: the newest).
 * What has the same timestamp comes in the order in which the partitions are given (backwards: against it).
 */
import type { Direction } from '../log/slice-walk.js'
import type { LentRecord } from '../record/lent-record.js'
import type { RecordPredicate } from '../record/record-predicate.js'
import { Heap } from './heap.js'
import { PartitionSource, type PartitionRange } from './partition-source.js'

export interface MergeOptions {
  /** Default 'forwards'. */
  readonly direction?: Direction | undefined
  /** Only these records. */
  readonly matches?: RecordPredicate | undefined
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined
  /** Bytes of batches that may be held at once, and of the parts that are kept of others. For tests. */
  readonly openBytes?: number
  readonly keptBytes?: number
}

/** A record that is lent until the next one is asked for. */
export interface MergedRecord {
  readonly topic: string
  readonly partition: number
  readonly record: LentRecord
}

const OPEN_BYTES = 12 << 20
const KEPT_BYTES = 12 << 20
/** What one parked partition may keep. */
const MOST_KEPT_BYTES = 128 << 10

/** Throws CorruptionError, LOGQ_TOPIC_REMOVED, a system error, and what `matches` throws. */
export async function* mergeRecords(
  ranges: readonly PartitionRange[],
  options: MergeOptions = {},
): AsyncGenerator<MergedRecord, void, undefined> {
  const { direction = 'forwards', matches, signal } = options
  const openBytes = options.openBytes ?? OPEN_BYTES
  const keepBytes = Math.min(MOST_KEPT_BYTES, (options.keptBytes ?? KEPT_BYTES) / ranges.length)
  const sources = ranges.map((range, index) => new PartitionSource(range, index, { direction, matches, signal }))
  const isBefore = direction === 'forwards' ? isOlder : isNewer
  const heads = new Heap(isBefore)
  const open = new Set<PartitionSource>()
  let heldBytes = 0
  /** Reads in a source; when all together hold too much then, those are parked that are needed last. */
  const reading = async <Result>(source: PartitionSource, read: () => Promise<Result>): Promise<Result> => {
    heldBytes -= source.heldBytes
    const result = await read()
    heldBytes += source.heldBytes
    if (source.heldBytes > 0) open.add(source)
    else open.delete(source)
    while (heldBytes > openBytes && open.size > 1) {
      const last = [...open].reduce((a, b) => (isBefore(a, b) ? b : a))
      heldBytes -= last.heldBytes
      await last.park(keepBytes)
      open.delete(last)
    }
    return result
  }
  try {
    for (const source of sources) if (await reading(source, () => source.next())) heads.push(source)
    for (let source = heads.first; source !== undefined && signal?.aborted !== true; source = heads.first) {
      const head = source
      const { topic, partition } = head.context
      const record = head.record ?? (await reading(head, () => head.readAgain()))
      if (record !== undefined) yield { topic, partition, record }
      if (head.nextHeld() || (await reading(head, () => head.next()))) heads.moveFirst()
      else heads.removeFirst()
    }
  } finally {
    for (const source of sources) await source.close()
  }
}

function isOlder(a: PartitionSource, b: PartitionSource): boolean {
  return a.timestampMs < b.timestampMs || (a.timestampMs === b.timestampMs && a.index < b.index)
}

function isNewer(a: PartitionSource, b: PartitionSource): boolean {
  return a.timestampMs > b.timestampMs || (a.timestampMs === b.timestampMs && a.index > b.index)
}
