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
  /** Bytes of batches that may be held at once, and of copied records. For tests. */
  readonly openBytes?: number
  readonly keptBytes?: number
}

/** A record that is lent until the next one is asked for. */
export interface MergedRecord {
  readonly topic: string
  readonly partition: number
  readonly record: LentRecord
}

const OPEN_BYTES = 32 << 20
const KEPT_BYTES = 16 << 20
/** What one parked partition may keep. */
const MOST_KEPT_BYTES = 64 << 10

/** Throws CorruptionError, LOGQ_TOPIC_REMOVED, a system error, and what `matches` throws. */
export async function* mergeRecords(
  ranges: readonly PartitionRange[],
  options: MergeOptions = {},
): AsyncGenerator<MergedRecord, void, undefined> {
  const { direction = 'forwards', matches, signal } = options
  const openBytes = options.openBytes ?? OPEN_BYTES
  const keepBytes = Math.min(MOST_KEPT_BYTES, (options.keptBytes ?? KEPT_BYTES) / ranges.length)
  const sources = ranges.map((range, index) => new PartitionSource(range, index, { direction, matches, signal }))
  const heads = new Heap(direction === 'forwards' ? isOlder : isNewer)
  let heldBytes = 0
  /** Reads on in a source, and parks it when all together hold too much. */
  const fill = async (source: PartitionSource, read: () => Promise<boolean>): Promise<boolean> => {
    heldBytes -= source.heldBytes
    const hasRecord = await read()
    if (hasRecord && heldBytes > 0 && heldBytes + source.heldBytes > openBytes) await source.park(keepBytes)
    heldBytes += source.heldBytes
    return hasRecord
  }
  try {
    for (const source of sources) if (await fill(source, () => source.next())) heads.push(source)
    for (let source = heads.first; source !== undefined && signal?.aborted !== true; source = heads.first) {
      const head = source
      const { topic, partition } = head.context
      const record = head.record ?? (await readAgain(head))
      if (record !== undefined) yield { topic, partition, record }
      if (head.nextHeld() || (await fill(head, () => head.next()))) heads.moveFirst()
      else heads.removeFirst()
    }
  } finally {
    for (const source of sources) await source.close()
  }

  async function readAgain(source: PartitionSource): Promise<LentRecord | undefined> {
    const record = await source.readAgain()
    heldBytes += source.heldBytes
    return record
  }
}

function isOlder(a: PartitionSource, b: PartitionSource): boolean {
  return a.timestampMs < b.timestampMs || (a.timestampMs === b.timestampMs && a.index < b.index)
}

function isNewer(a: PartitionSource, b: PartitionSource): boolean {
  return a.timestampMs > b.timestampMs || (a.timestampMs === b.timestampMs && a.index > b.index)
}
