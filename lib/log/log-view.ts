/**
 * What a reader sees of a partition directory without writing to it or locking it: segments, state, start and end offsets, and where
 * an offset or a time is (format-spec/ordering.md, "reading"). Works on a partition that logq wrote and on one that Kafka wrote.
 */
import { systemErrorCode } from '../errors.js'
import type { RecordBatch } from '../record/batch.js'
import { loadCodec } from '../record/compression.js'
import { readUpTo } from '../system/durable.js'
import { BatchScanner } from './batch-scanner.js'
import {
  LOCK_FILE,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  segmentBaseOffsets,
  segmentFileName,
  type SegmentSuffix,
} from './file-names.js'
import { batchOfEntry, indexableTimestamp } from './index-anchor.js'
import type { LogContext } from './log-context.js'
import { topicRemoved } from './partition-lock.js'
import { readLogStartOffset } from './log-start-offset-file.js'
import { OffsetIndexReader } from './offset-index.js'
import { STATE_BLOCK_BYTES, decodeStateBlock, isOfThisBoot, type StateBlock } from './state-block.js'
import { TimeIndexReader } from './time-index.js'

export type ViewContext = Pick<LogContext, 'system' | 'directory' | 'topic' | 'partition'> & {
  /** From Kafka's log-start-offset-checkpoint, where there is one. */
  readonly knownLogStartOffset?: number
}

/** Where reading begins: a batch boundary at or before what was asked for. */
export interface ReadPosition {
  readonly segmentBaseOffset: number
  readonly position: number
  /** Offset of the batch at `position`, or a lower bound of it. */
  readonly offset: number
}

/** Base offsets of the segments that are there, ascending. Throws LOGQ_TOPIC_REMOVED when the directory is gone. */
export function listSegments(context: ViewContext): number[] {
  try {
    return segmentBaseOffsets(context.system.fs.list(context.directory))
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw topicRemoved(context.directory)
    throw error
  }
}

/** The state block as the last writer left it. Undefined in a Kafka directory, when damaged, or while it is being written. */
export function readStateBlock(context: ViewContext): StateBlock | undefined {
  const { fs } = context.system
  let fd: number
  try {
    fd = fs.open(`${context.directory}/${LOCK_FILE}`, 'read')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    return decodeStateBlock(readUpTo(fs, fd, 0, STATE_BLOCK_BYTES))
  } finally {
    fs.close(fd)
  }
}

/** First offset that may be read. */
export function logStartOffset(context: ViewContext, segments: readonly number[]): number {
  const firstBase = segments[0] ?? 0
  return Math.max(firstBase, readLogStartOffset(context) ?? 0, context.knownLogStartOffset ?? 0)
}

/**
 * The log end offset now: after the last whole batch. After a failed fsync, the synced offset. The state block gives the place to
 * look from, so that nothing but the newest batches is read.
 */
export function logEndOffset(context: ViewContext, segments: readonly number[]): number {
  const active = segments.at(-1)
  if (active === undefined) return logStartOffset(context, segments)
  const state = readStateBlock(context)
  if (state?.status === 'sync-failed') return state.syncedOffset
  return withSegment(context, active, LOG_SUFFIX, active, (fd) => {
    const { device, inode, sizeBytes } = context.system.fs.fileStatus(fd)
    const isKnown =
      state?.valid === true &&
      isOfThisBoot(state, context.system.self) &&
      state.activeBaseOffset === active &&
      state.device === device &&
      state.inode === inode &&
      state.logBytes <= sizeBytes
    const from = isKnown ? { position: state.logBytes, offset: state.logEndOffset } : lastIndexed(context, active, fd)
    const scanner = new BatchScanner(context.system.fs, fd, from.position, { checkCrc: true })
    let end = from.offset
    for (let step = scanner.next(); step.kind === 'batch' && step.batch.baseOffset >= end; step = scanner.next()) {
      end = step.batch.nextOffset
    }
    return end
  })
}

/** Where to begin reading so that `offset` is the first record of interest. Undefined when the log has no segment. */
export function locateOffset(context: ViewContext, segments: readonly number[], offset: number): ReadPosition | undefined {
  const segmentBaseOffset = segments.findLast((base) => base <= offset) ?? segments[0]
  if (segmentBaseOffset === undefined) return undefined
  const start = { segmentBaseOffset, position: 0, offset: segmentBaseOffset }
  return withSegment(context, segmentBaseOffset, LOG_SUFFIX, start, (fd) => {
    const indexed = indexedPosition(context, segmentBaseOffset, fd, offset)
    const scanner = new BatchScanner(context.system.fs, fd, indexed.position, { checkCrc: false })
    let before = indexed
    for (let step = scanner.next(); step.kind === 'batch' && step.batch.nextOffset <= offset; step = scanner.next()) {
      before = { position: step.position + step.batch.sizeBytes, offset: step.batch.nextOffset }
    }
    return { segmentBaseOffset, ...before }
  })
}

/**
 * The offset of the first record whose timestamp is at least `timestampMs`; undefined when there is none. Damaged batches are passed
 * over here: reading from the offset that is given will name them.
 */
export async function offsetForTimestamp(
  context: ViewContext,
  segments: readonly number[],
  timestampMs: number,
): Promise<number | undefined> {
  for (const base of segments) {
    const batch = withSegment<RecordBatch | undefined>(context, base, LOG_SUFFIX, undefined, (fd) =>
      batchInSegment(context, base, fd, timestampMs, base === segments.at(-1)),
    )
    if (batch !== undefined) return firstRecordAt(batch, timestampMs)
  }
  return undefined
}

/** The first batch of a segment that has a timestamp of at least `timestampMs`. */
function batchInSegment(
  context: ViewContext,
  base: number,
  fd: number,
  timestampMs: number,
  isActive: boolean,
): RecordBatch | undefined {
  const { fs } = context.system
  const hint = withSegment<number | undefined>(context, base, TIME_INDEX_SUFFIX, base, (indexFd) => {
    const index = new TimeIndexReader(fs, indexFd, base)
    const last = index.entry(index.entryCount - 1)
    // At roll the last entry gets the segment's largest timestamp, so that a closed segment is passed over without a scan.
    if (!isActive && last !== undefined && last.timestampMs < timestampMs && isLargest(context, base, fd, last))
      return undefined
    return index.entry(index.slotForTimestamp(timestampMs))?.offset ?? base
  })
  if (hint === undefined) return undefined
  const { position } = indexedPosition(context, base, fd, hint)
  const scanner = new BatchScanner(fs, fd, position, { checkCrc: false })
  for (let step = scanner.next(); step.kind === 'batch'; step = scanner.next()) {
    if (indexableTimestamp(step.batch) >= timestampMs) return step.batch
  }
  return undefined
}

/** Whether an entry is true at all: its batch must be there with that timestamp. A damaged index must not hide records. */
function isLargest(
  context: ViewContext,
  base: number,
  fd: number,
  entry: { readonly offset: number; readonly timestampMs: number },
): boolean {
  const { position } = indexedPosition(context, base, fd, entry.offset)
  const scanner = new BatchScanner(context.system.fs, fd, position, { checkCrc: false, chunkBytes: 8192 })
  for (let step = scanner.next(); step.kind === 'batch'; step = scanner.next()) {
    if (step.batch.lastOffset >= entry.offset) {
      return step.batch.lastOffset === entry.offset && indexableTimestamp(step.batch) === entry.timestampMs
    }
  }
  return false
}

async function firstRecordAt(batch: RecordBatch, timestampMs: number): Promise<number> {
  await loadCodec(batch.codec)
  const cursor = batch.cursor()
  while (cursor.next()) {
    if (cursor.timestampMs >= timestampMs) return cursor.offset
  }
  return batch.baseOffset
}

/** The last believable index entry at or below an offset; the segment's start without one. */
function indexedPosition(
  context: ViewContext,
  base: number,
  logFd: number,
  offset: number,
): { position: number; offset: number } {
  const start = { position: 0, offset: base }
  return withSegment(context, base, OFFSET_INDEX_SUFFIX, start, (fd) => {
    const index = new OffsetIndexReader(context.system.fs, fd, base)
    const entry = index.entry(index.slotFor(offset))
    if (entry === undefined) return start
    const batch = batchOfEntry(context.system.fs, logFd, entry)
    return batch === undefined ? start : { position: entry.position, offset: batch.baseOffset }
  })
}

function lastIndexed(context: ViewContext, base: number, logFd: number): { position: number; offset: number } {
  return indexedPosition(context, base, logFd, Number.MAX_SAFE_INTEGER)
}

/** Opens one file of a segment for `use`; `fallback` when it is not there (an index that was deleted, a segment retained away). */
function withSegment<Result>(
  context: ViewContext,
  base: number,
  suffix: SegmentSuffix,
  fallback: Result,
  use: (fd: number) => Result,
): Result {
  const { fs } = context.system
  let fd: number
  try {
    fd = fs.open(`${context.directory}/${segmentFileName(base, suffix)}`, 'read')
  } catch (error) {
    // An index of the wrong kind (a symbolic link, a directory) is no index; the .log has to be what it is.
    if (systemErrorCode(error) === 'ENOENT' || suffix !== LOG_SUFFIX) return fallback
    throw error
  }
  try {
    return use(fd)
  } finally {
    fs.close(fd)
  }
}
