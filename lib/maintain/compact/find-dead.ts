/** Finds the records that a compaction drops, in memory of a fixed size (format-spec/compaction.md, rules 3 and 6). Changes nothing. */
import type { SegmentTimes } from '../../log/segment-times.js'
import type { RecordBatch } from '../../record/batch.js'
import type { System } from '../../system/system.js'
import { DeadRecords } from './dead-records.js'
import { KeyHash } from './key-hash.js'
import { HASH_COUNT, LastRecords, MOST_RECORDS } from './last-records.js'
import type { SeenSegment, SegmentWalks } from './segment-walks.js'

/** At most one part in so many of the memory is for notes of dead records, a bit each; the rest is for keys. */
const NOTES_PART = 4

export interface DeadSearch {
  readonly segments: readonly SegmentTimes[]
  /** The first of them that is not dealt with yet. */
  readonly first: number
  /** There are no more in all of them. */
  readonly mostRecords: number
  readonly memoryBytes: number
  /** Records of each key that stay. */
  readonly keepCount: number
  readonly nowMs: number
  /** Called after each segment, with the bytes that were gone over in this walk. */
  readonly onProgress: (walkedBytes: number) => void
}

export interface FoundDead {
  /** By the numbers of records from the first segment on, those of hidden batches and control batches not counted. */
  readonly dead: DeadRecords
  /** The first segment that there was no memory for. */
  readonly end: number
  /** Of all segments from the first one on, also of those behind `end`. */
  readonly keyCount: number
  readonly walkCount: number
}

/** Throws Overtaken, CorruptionError, LOGQ_ABORTED, or a system error. */
export async function findDead(system: System, walks: SegmentWalks, search: DeadSearch): Promise<FoundDead> {
  const { segments, mostRecords, memoryBytes, keepCount } = search
  const hash = new KeyHash(system.random)
  const mostNoted = Math.min(mostRecords, (memoryBytes / NOTES_PART) * 8, MOST_RECORDS)
  const maxBytes = memoryBytes - mostNoted / 8
  const dead = new DeadRecords(mostNoted)
  let end = segments.length
  let keyCount = 0
  let walkCount = 0
  let width = HASH_COUNT
  walks.forget()
  for (let from = 0; from < HASH_COUNT;) {
    const to = Math.min(HASH_COUNT, from + width)
    const last = new LastRecords({ maxBytes, from, to, keepCount, mostKeys: mostRecords }, dead)
    const found = await walk(walks, search, { hash, last, dead, mostNoted })
    system.failpoint('compact.after-count')
    if (found === undefined) {
      width = Math.ceil((to - from) / 2)
      continue
    }
    end = Math.min(end, found)
    keyCount += last.keyCount
    walkCount += 1
    from = to
  }
  return { dead, end, keyCount, walkCount }
}

interface Notes {
  readonly hash: KeyHash
  readonly last: LastRecords
  readonly dead: DeadRecords
  readonly mostNoted: number
}

/** For the keys of one range of hashes: which segment is the first without notes. Undefined when there are more keys than fit. */
async function walk(walks: SegmentWalks, search: DeadSearch, notes: Notes): Promise<number | undefined> {
  const { segments, first } = search
  const { dead, mostNoted } = notes
  let end = segments.length
  let ordinal = 0
  let walkedBytes = 0
  walks.begin()
  for (const [n, { baseOffset }] of segments.entries()) {
    if (n < first) continue
    const looked = walks.look(baseOffset)
    if (looked === undefined) continue
    const { segment, seen } = looked
    const firstOfSegment = ordinal
    if (n > first && end === segments.length) {
      // The first one is dealt with however many records it has.
      if (ordinal > mostNoted) end = n
      dead.limitTo(Math.max(ordinal, mostNoted))
    }
    try {
      for await (const placed of segment.batches()) {
        walks.throwIfAborted()
        const { batch } = placed
        if (batch.isControl || walks.isHidden(batch)) continue
        if (!segment.located(placed, () => note(batch, ordinal, seen, search.nowMs, notes))) return undefined
        ordinal += batch.recordCount
      }
      walkedBytes += segment.sizeBytes
      search.onProgress(walkedBytes)
    } finally {
      segment.close()
    }
    if (n > first && end === segments.length && ordinal > mostNoted) {
      end = n
      dead.limitTo(firstOfSegment)
    }
  }
  return end
}

/** False when the table is full. */
function note(batch: RecordBatch, first: number, seen: SeenSegment, nowMs: number, { hash, last, dead }: Notes): boolean {
  const isHorizonPast = batch.hasDeleteHorizon && nowMs >= batch.baseTimestampMs
  const cursor = batch.cursor()
  for (let ordinal = first; cursor.next(); ordinal += 1) {
    const { keyStart } = cursor
    if (keyStart < 0) {
      dead.add(ordinal)
      seen.unkeyedCount += 1
      continue
    }
    const isTombstone = cursor.valueStart < 0
    if (isTombstone) seen.hasTombstone = true
    hash.of(cursor.bytes, keyStart, cursor.keyEnd)
    if (!last.holds(hash)) continue
    if (!last.add(hash, ordinal, isTombstone)) return false
    if (isTombstone && isHorizonPast) dead.add(ordinal)
  }
  return true
}
