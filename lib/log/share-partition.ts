/**
 * A second partition directory with the same records, made while others append: closed segments are shared by hard links, since nobody
 * changes them in place (recovery.ts puts a copy where it would), and the end of the log is copied (format-spec/ordering.md,
 * "Snapshots and clones"). Killed anywhere, what is left is a directory that nobody knows.
 *
 *  1. The log end, with everything below it on the device, and the names of the segments.
 *  2. The segment that holds the end is copied up to it, batch by batch, with indexes of its own.
 *  3. The segments before it are linked, the newest first: of a key that compaction removes meanwhile, the tombstone outlives the
 *     values. A few at a time under the append lock, so that no segment is half replaced, and no producer waits for long.
 *  4. Then the log start offset, and which offsets may be missing: what was removed in 3 lies below them.
 *  5. The small files that the copy has of its own.
 */
import { CorruptionError, LogqError, systemErrorCode } from '../errors.js'
import { createFile, piecesOf, writeFully } from '../system/durable.js'
import type { LockWait } from '../system/lock-wait.js'
import type { System } from '../system/system.js'
import { BatchScanner } from './batch-scanner.js'
import { readCleanerOffsets, writeCleanerOffsets } from './cleaner-file.js'
import { completePartition } from './copied-partition.js'
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  PRODUCER_SNAPSHOT_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
  segmentFileName,
} from './file-names.js'
import { readKnownGaps } from './known-gaps.js'
import { readLeaderEpochs } from './leader-epoch-file.js'
import { partitionName, type LogContext } from './log-context.js'
import { readLogStartOffset } from './log-start-offset-file.js'
import { listSegments, type ViewContext } from './log-view.js'
import { PartitionLock, topicRemoved } from './partition-lock.js'
import { syncedLogEnd } from './read-batches.js'
import { rebuildLeaderEpochs } from './recovery.js'
import type { CopyPlace } from './segment-copy.js'
import type { SegmentTail } from './segment-tail.js'
import { SegmentWriter } from './segment-writer.js'

export interface SharedPartition {
  readonly partition: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly segmentCount: number
  /** Of the .log files. */
  readonly sizeBytes: number
  /** Of these, what was copied: the end of the log, and segments that could not be linked. */
  readonly copiedBytes: number
  /** Why segments were copied that should have been linked: the code of the system error, such as EXDEV; undefined when none was. */
  readonly linkRefusal: string | undefined
}

/** So many segments are linked without letting others append. */
const LINKED_AT_ONCE = 16
/** With one name more, or from one file system to the other, a file cannot be had; a copy can. */
const LINK_REFUSALS = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])
const LONGEST_WITHOUT_TURN_MS = 10

/**
 * `place` is a directory that exists, is empty, and that nobody else knows; all that is in it is on the device on return. Throws
 * LOGQ_SYNC_FAILED, LOGQ_TOPIC_REMOVED, LOGQ_CORRUPT (CorruptionError) for damage in what is copied, LOGQ_BUSY, LOGQ_ABORTED, or a
 * system error.
 */
export async function sharePartition(view: ViewContext, place: CopyPlace, wait: LockWait = {}): Promise<SharedPartition> {
  const { system } = view
  const { cleanedOffset } = readCleanerOffsets(view)
  const { bases, logEndOffset, tail, segmentCount, endBytes } = await copyEnd(view, place, wait) // 1, 2
  system.failpoint('share.after-end')
  const linked = await linkSegments(view, bases, place, wait) // 3
  const logStartOffset = Math.min(readLogStartOffset(view) ?? 0, logEndOffset) // 4
  const gaps = readKnownGaps(view)
  const { gapsOffset } = readCleanerOffsets(view)
  const context = contextOf(view, place)
  if (gapsOffset > 0) writeCleanerOffsets(context, { cleanedOffset: Math.min(cleanedOffset, gapsOffset), gapsOffset })
  const epochs =
    readLeaderEpochs(view)?.filter(({ startOffset }) => startOffset < logEndOffset) ??
    rebuildLeaderEpochs(context, listSegments({ ...view, directory: place.directory }), {
      segmentBaseOffset: tail.baseOffset,
      position: tail.logBytes,
    })
  completePartition(system, place.directory, place.ownership, { tail, logStartOffset, epochs, gaps }) // 5
  return {
    partition: view.partition,
    logStartOffset,
    logEndOffset,
    segmentCount: segmentCount + linked.segmentCount,
    sizeBytes: endBytes + linked.sizeBytes,
    copiedBytes: endBytes + linked.copiedBytes,
    linkRefusal: linked.refusal,
  }
}

interface CopiedEnd {
  readonly logEndOffset: number
  /** Of the segments before the one that holds the end. */
  readonly bases: readonly number[]
  /** Of the last segment of the copy. */
  readonly tail: SegmentTail
  readonly segmentCount: number
  readonly endBytes: number
}

async function copyEnd(view: ViewContext, place: CopyPlace, { signal }: LockWait): Promise<CopiedEnd> {
  const { fs } = view.system
  for (;;) {
    const logEndOffset = await syncedLogEnd(view)
    const bases = listSegments(view)
    // A segment that has a successor stays as it is only if a power cut leaves it its successor.
    fs.syncDirectory(view.directory)
    const last = bases.findLastIndex((base) => base <= logEndOffset)
    const base = bases[last]
    // Everything that was there has been removed, and the log goes on behind.
    if (base === undefined) return { logEndOffset, bases: [], ...(await emptyEnd(view.system, logEndOffset, place)) }
    let fd: number
    try {
      fd = fs.open(`${view.directory}/${segmentFileName(base, LOG_SUFFIX)}`, 'read')
    } catch (error) {
      // Removed since the listing.
      if (systemErrorCode(error) === 'ENOENT') continue
      throw error
    }
    try {
      return { logEndOffset, bases: bases.slice(0, last), ...(await copySegment(view, fd, base, logEndOffset, place, signal)) }
    } finally {
      fs.close(fd)
    }
  }
}

type CopiedTail = Pick<CopiedEnd, 'tail' | 'segmentCount' | 'endBytes'>

async function emptyEnd(system: System, baseOffset: number, place: CopyPlace): Promise<CopiedTail> {
  const writer = SegmentWriter.create(system, place.directory, baseOffset, place.ownership, place.indexIntervalBytes)
  try {
    await writer.finish()
    return { tail: writer.tail, segmentCount: 1, endBytes: 0 }
  } finally {
    writer.close()
  }
}

async function copySegment(
  view: ViewContext,
  fd: number,
  baseOffset: number,
  endOffset: number,
  place: CopyPlace,
  signal: AbortSignal | undefined,
): Promise<CopiedTail> {
  const { system } = view
  const writer = SegmentWriter.create(system, place.directory, baseOffset, place.ownership, place.indexIntervalBytes)
  try {
    const scanner = new BatchScanner(system.fs, fd, 0, { checkCrc: true })
    let turnMs = system.clock.monotonicMs()
    while (writer.tail.logEndOffset < endOffset) {
      stopWhenAborted(signal)
      const step = scanner.next()
      if (step.kind === 'end') break
      if (step.kind !== 'batch') throw damaged(view, baseOffset, step.position, step.reason)
      const { batch } = step
      if (batch.baseOffset >= endOffset) break
      writer.append(batch, batch.partitionLeaderEpoch)
      if (system.clock.monotonicMs() - turnMs <= LONGEST_WITHOUT_TURN_MS) continue
      await system.clock.sleep(0, signal)
      turnMs = system.clock.monotonicMs()
    }
    await writer.finish()
  } finally {
    writer.close()
  }
  const { tail } = writer
  const copied = { tail, segmentCount: 1, endBytes: tail.logBytes }
  if (tail.logEndOffset >= endOffset) return copied
  // No batch says where the log goes on: offsets were dropped at its end, by compaction or by a repair.
  const end = await emptyEnd(system, endOffset, place)
  return { ...end, segmentCount: 2, endBytes: tail.logBytes }
}

function damaged(view: ViewContext, baseOffset: number, position: number, reason: string): CorruptionError {
  const { topic, partition, directory } = view
  const file = `${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`
  return new CorruptionError(
    `'${partitionName(view)}' is damaged: ${reason},`,
    { topic, partition, file, position },
    { hint: "see 'logq fsck'" },
  )
}

interface LinkedSegments {
  readonly segmentCount: number
  readonly sizeBytes: number
  readonly copiedBytes: number
  readonly refusal: string | undefined
}

async function linkSegments(
  view: ViewContext,
  bases: readonly number[],
  place: CopyPlace,
  wait: LockWait,
): Promise<LinkedSegments> {
  const { system, directory } = view
  const linking = new Linking(system, directory, place)
  const newestFirst = bases.toReversed()
  const lock = PartitionLock.open(system, directory)
  try {
    for (let n = 0; n < newestFirst.length; n += LINKED_AT_ONCE) {
      stopWhenAborted(wait.signal)
      await lock.acquire(wait)
      try {
        if (lock.readState()?.status === 'deleted') throw topicRemoved(directory)
        for (const base of newestFirst.slice(n, n + LINKED_AT_ONCE)) linking.take(base)
      } finally {
        lock.release()
      }
      await linking.copyRefused()
      system.failpoint('share.after-links')
    }
  } finally {
    linking.close()
    lock.close()
  }
  return linking
}

/** Files of one segment whose .log could be had; the last two only where Kafka wrote it. */
const SUFFIXES = [
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
  PRODUCER_SNAPSHOT_SUFFIX,
] as const

class Linking implements LinkedSegments {
  segmentCount = 0
  sizeBytes = 0
  copiedBytes = 0
  refusal: string | undefined
  /** Opened while they were whole, to be copied when others may append again. */
  readonly #refused: { readonly name: string; readonly fd: number }[] = []

  constructor(
    private readonly system: System,
    private readonly directory: string,
    private readonly place: CopyPlace,
  ) {}

  /** The caller holds the append lock. A segment that is gone was removed from the log since it was listed. */
  take(baseOffset: number): void {
    for (const suffix of SUFFIXES) {
      const name = segmentFileName(baseOffset, suffix)
      const status = this.system.fs.pathStatus(`${this.directory}/${name}`)
      if (suffix === LOG_SUFFIX) {
        if (status === undefined) return
        this.segmentCount += 1
        this.sizeBytes += status.sizeBytes
        if (!this.#link(name, status.kind)) this.copiedBytes += status.sizeBytes
      } else if (status?.kind === 'file') this.#link(name, status.kind)
    }
  }

  async copyRefused(): Promise<void> {
    const { fs } = this.system
    for (let one = this.#refused.pop(); one !== undefined; one = this.#refused.pop()) {
      const path = `${this.place.directory}/${one.name}`
      try {
        const fd = createFile(this.system, path, this.place.ownership)
        try {
          let position = 0
          for (const bytes of piecesOf(fs, one.fd)) {
            writeFully(fs, fd, bytes, position, path)
            position += bytes.length
          }
          await fs.fdatasync(fd)
        } finally {
          fs.close(fd)
        }
      } finally {
        fs.close(one.fd)
      }
    }
  }

  close(): void {
    for (const { fd } of this.#refused.splice(0)) this.system.fs.close(fd)
  }

  #link(name: string, kind: 'file' | 'directory' | 'symlink' | 'other'): boolean {
    const { fs } = this.system
    const from = `${this.directory}/${name}`
    // A link to what is no file would be made, and refused by whoever reads the copy: opening it says so now.
    if (kind === 'file' && (this.refusal === undefined || this.refusal === 'EMLINK')) {
      try {
        fs.link(from, `${this.place.directory}/${name}`)
        return true
      } catch (error) {
        const code = systemErrorCode(error)
        if (code === undefined || !LINK_REFUSALS.has(code)) throw error
        this.refusal = code
      }
    }
    this.#refused.push({ name, fd: fs.open(from, 'read') })
    return false
  }
}

function stopWhenAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped while a partition was copied')
}

function contextOf(view: ViewContext, { directory, ownership }: CopyPlace): LogContext {
  const config = () => ({ segmentBytes: 0, segmentMs: 0, indexIntervalBytes: 0 })
  return { system: view.system, directory, topic: view.topic, partition: view.partition, ownership, config }
}
