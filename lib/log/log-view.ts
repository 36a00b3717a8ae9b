/**
 * What a reader sees of a partition directory without writing to it or locking it: segments, state, start and end offsets, and where
 * an offset or a time is (format-spec/ordering.md, "reading"). Works on a partition that logq wrote and on one that Kafka wrote.
 */
import { LogqError, systemErrorCode } from '../errors.js'
import { InvalidBatchError, RecordBatch } from '../record/batch.js'
import { loadCodec } from '../record/compression.js'
import { whenFetched } from '../system/awaited-bytes.js'
import { readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import { BatchPlaces, type BatchPlace } from './batch-places.js'
import { BatchScanner, misfit } from './batch-scanner.js'
import type { PassedOver } from './damage.js'
import {
  LOCK_FILE,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  segmentBaseOffsets,
  segmentFileName,
  type SegmentSuffix,
} from './file-names.js'
import { batchOfSlot, believableEntry, isTrue } from './index-anchor.js'
import { isWorthReading } from './large-batch.js'
import type { LogContext } from './log-context.js'
import { readLogStartOffset } from './log-start-offset-file.js'
import { OffsetIndexReader } from './offset-index.js'
import { topicRemoved } from './partition-lock.js'
import { readRecoveryPoint } from './recovery-point-file.js'
import { STATE_BLOCK_BYTES, decodeStateBlock, isOfThisBoot, type StateBlock } from './state-block.js'
import { TimeIndexReader, type TimeIndexEntry } from './time-index.js'

export type ViewContext = Pick<LogContext, 'system' | 'directory' | 'topic' | 'partition'> & {
  /** From Kafka's log-start-offset-checkpoint, where there is one. */
  readonly knownLogStartOffset?: number
  /** No offset may be missing above the log start offset, but for known gaps: logq's own logs that are not compacted. */
  readonly isContiguous?: boolean
  /** Readers pass over damage, tell of it here, and go on with what can be read. Without it they throw at damage. */
  readonly onDamage?: ((damage: PassedOver) => void) | undefined
  /** Default 'read_committed'. */
  readonly isolation?: Isolation | undefined
  /** Told when reading ends below what was asked for, since a transaction is open there. */
  readonly onHeldBack?: ((held: HeldBack) => void) | undefined
  /** Kafka may have written here: logq itself never leaves a transaction open. */
  readonly mayHaveOpenTransactions?: boolean
  /** A segment that is in an archive and not here; undefined for one that is here. */
  readonly archived?: (baseOffset: number) => ArchivedHint | undefined
}

/** What is known of an archived segment without reading it. */
export interface ArchivedHint {
  /** As messages name it. */
  readonly path: string
  /** -1 for none. */
  readonly largestTimestampMs: number
}

/** As Kafka's consumers have it: whether records of transactions that were aborted, or have no end yet, are read too. */
export type Isolation = 'read_committed' | 'read_uncommitted'

/** What a reader of committed records does not get yet. */
export interface HeldBack {
  readonly topic: string
  readonly partition: number
  /** First offset of the earliest transaction that is open. */
  readonly lastStableOffset: number
  /** Records from there up to where reading was to end. */
  readonly recordCount: number
}

/** A segment that is open for reading, and where reading begins in it: a batch boundary at or before what was asked for. */
export interface OpenSegment {
  readonly fd: number
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

/** Where a segment is, as messages name it. */
export function segmentPath({ directory, archived }: Pick<ViewContext, 'directory' | 'archived'>, baseOffset: number): string {
  return archived?.(baseOffset)?.path ?? `${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`
}

/** The state block as the last writer left it. Undefined in a Kafka directory, and when it is damaged. */
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
    return readStateOf(fs, fd)
  } finally {
    fs.close(fd)
  }
}

const STATE_LOOKS = 3

/** The state block in an open lock file. A look without the lock may see one half written: another look sees it whole. */
export function readStateOf(fs: FileSystem, lockFd: number): StateBlock | undefined {
  for (let look = 1; ; look += 1) {
    const state = decodeStateBlock(readUpTo(fs, lockFd, 0, STATE_BLOCK_BYTES))
    if (state !== undefined || look === STATE_LOOKS) return state
  }
}

/**
 * First offset that may be read. Where no offset may be missing, a first segment that begins above it is no start but a loss, which
 * reading from here names.
 */
export function logStartOffset(context: ViewContext, segments: readonly number[]): number {
  const [base = 0] = segments
  const firstBase = base > 0 && context.isContiguous === true ? 0 : base
  return Math.max(firstBase, readLogStartOffset(context) ?? 0, context.knownLogStartOffset ?? 0)
}

/**
 * The log end offset now: after the last whole batch. After a failed fsync, the synced offset. The state block gives the place to
 * look from, so that nothing but the newest batches is read; where it cannot be trusted the recovery point does. A log that ends
 * below its recovery point has lost records: the end is where it should be, and reading up to there says so.
 */
export function logEndOffset(context: ViewContext, segments: readonly number[]): number {
  const active = segments.at(-1)
  if (active === undefined) return Math.max(logStartOffset(context, segments), readRecoveryPoint(context)?.offset ?? 0)
  const state = readStateBlock(context)
  if (state?.status === 'sync-failed') return state.syncedOffset
  return withFile(context, active, LOG_SUFFIX, active, (fd) => {
    const { fs } = context.system
    const trusted = trustedEnd(context, state, active, fd)
    const from = trusted ?? syncedEnd(context, active, fd)
    const scanner = new BatchScanner(fs, fd, from.position, { checkCrc: true })
    let end = from.offset
    for (let step = scanner.next(); step.kind === 'batch'; step = scanner.next()) {
      if (misfit(step.batch, end, 0, false) !== undefined) break
      end = step.batch.nextOffset
    }
    return trusted === undefined ? Math.max(end, readRecoveryPoint(context)?.offset ?? 0) : end
  })
}

/** The end that the state block gives, when it speaks of this very file under this kernel: a power cut may have taken bytes back. */
function trustedEnd(
  context: ViewContext,
  state: StateBlock | undefined,
  active: number,
  fd: number,
): { position: number; offset: number } | undefined {
  if (state?.valid !== true || state.activeBaseOffset !== active || !isOfThisBoot(state, context.system.self)) return undefined
  const { device, inode, sizeBytes } = context.system.fs.fileStatus(fd)
  if (device !== state.device || inode !== state.inode || state.logBytes > sizeBytes) return undefined
  return { position: state.logBytes, offset: state.logEndOffset }
}

/** The recovery point, when it lies in this segment; in a log that Kafka wrote, the last batch that is indexed. */
function syncedEnd(context: ViewContext, active: number, fd: number): { position: number; offset: number } {
  const { fs } = context.system
  const start = { position: 0, offset: active }
  const point = readRecoveryPoint(context)
  if (point !== undefined) {
    const isHere = point.segmentBaseOffset === active && point.position <= fs.fileStatus(fd).sizeBytes
    return isHere ? { position: point.position, offset: point.offset } : start
  }
  const indexed = indexedPlace(context, active, fd, Number.MAX_SAFE_INTEGER)
  return indexed === undefined ? start : { position: indexed.position, offset: indexed.baseOffset }
}

/**
 * Opens the segment in which reading has to begin so that `offset` is the first record of interest. Undefined when there is none;
 * throws ENOENT when it vanished since the listing. The caller closes the descriptor.
 */
export function openAtOffset(context: ViewContext, segments: readonly number[], offset: number): OpenSegment | undefined {
  const segmentBaseOffset = segments.findLast((base) => base <= offset) ?? segments[0]
  if (segmentBaseOffset === undefined) return undefined
  const fd = context.system.fs.open(`${context.directory}/${segmentFileName(segmentBaseOffset, LOG_SUFFIX)}`, 'read')
  try {
    return { fd, segmentBaseOffset, ...locateOffset(context, segmentBaseOffset, fd, offset) }
  } catch (error) {
    context.system.fs.close(fd)
    throw error
  }
}

/** Where in an open segment reading has to begin: behind the last batch that ends at or below the offset. */
export function locateOffset(
  context: ViewContext,
  segmentBaseOffset: number,
  logFd: number,
  offset: number,
): { readonly position: number; readonly offset: number } {
  const places = new BatchPlaces(context.system.fs, logFd)
  const indexed = indexedPlace(context, segmentBaseOffset, logFd, offset)
  let located = { position: indexed?.position ?? 0, offset: indexed?.baseOffset ?? segmentBaseOffset }
  for (const place of places.from(located.position)) {
    if (place.lastOffset >= offset) break
    located = { position: place.position + place.sizeBytes, offset: place.lastOffset + 1 }
  }
  return located
}

/** Bytes of the batches from the one that holds `offset` on: what a reader has before it there. Throws ENOENT when a segment vanished. */
export function bytesFrom(context: ViewContext, segments: readonly number[], offset: number): number {
  const first = segments.findLast((base) => base <= offset) ?? segments[0]
  if (first === undefined) return 0
  const { fs } = context.system
  const sizes = segments
    .filter((base) => base >= first)
    .map((base) => fs.pathStatus(`${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`)?.sizeBytes ?? 0)
  const fd = fs.open(`${context.directory}/${segmentFileName(first, LOG_SUFFIX)}`, 'read')
  try {
    return sizes.reduce((total, size) => total + size, 0) - locateOffset(context, first, fd, offset).position
  } finally {
    fs.close(fd)
  }
}

/**
 * Offset of the first record of a batch below `offset`, about `spanBytes` before it in its segment; the segment's base offset where
 * that is nearer. Reading from there reaches `offset` after about so many bytes. 0 when nothing lies below.
 */
export function batchStartBefore(context: ViewContext, segments: readonly number[], offset: number, spanBytes: number): number {
  const base = segments.findLast((candidate) => candidate < offset)
  if (base === undefined) return 0
  return withFile(context, base, LOG_SUFFIX, base, (fd) => {
    const places = new BatchPlaces(context.system.fs, fd)
    const end = locateOffset(context, base, fd, offset).position
    const indexed = withIndex(context, base, (index) =>
      index === undefined ? undefined : batchOfSlot(places, index, index.slotForPosition(end - spanBytes)),
    )
    let start = indexed?.baseOffset ?? base
    for (const place of places.from(indexed?.position ?? 0)) {
      if (place.position > Math.max(0, end - spanBytes) || place.baseOffset >= offset) break
      start = Math.max(base, place.baseOffset)
    }
    return start
  })
}

/**
 * The offset of the first record whose timestamp is at least `timestampMs`; undefined when there is none. Where the batches of a closed
 * segment cannot be told apart any more, the offset of the damage: reading from there will name it.
 */
export async function offsetForTimestamp(
  context: ViewContext,
  segments: readonly number[],
  timestampMs: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  for (const base of segments) {
    if ((context.archived?.(base)?.largestTimestampMs ?? Infinity) < timestampMs) continue
    const look = () =>
      withFile<FoundBatch | number | undefined>(context, base, LOG_SUFFIX, undefined, (fd) =>
        batchInSegment(context, base, fd, timestampMs, base === segments.at(-1)),
      )
    const found = await whenFetched(look, signal)
    if (found !== undefined) return typeof found === 'number' ? found : firstRecordAt(found, timestampMs)
  }
  return undefined
}

interface FoundBatch {
  readonly place: BatchPlace
  readonly bytes: Uint8Array
}

/** The first batch of a segment that has a timestamp of at least `timestampMs`, or the offset of damage before it. */
function batchInSegment(
  context: ViewContext,
  base: number,
  fd: number,
  timestampMs: number,
  isActive: boolean,
): FoundBatch | number | undefined {
  const { fs } = context.system
  const from = positionForTimestamp(context, base, fd, timestampMs, isActive)
  if (from === undefined) return undefined
  let end = { position: from, offset: base }
  for (const place of new BatchPlaces(fs, fd).from(from)) {
    if (place.maxTimestampMs >= timestampMs) {
      const { position, sizeBytes, baseOffset } = place
      return isWorthReading(fs, fd, position, sizeBytes) ? { place, bytes: readUpTo(fs, fd, position, sizeBytes) } : baseOffset
    }
    end = { position: place.position + place.sizeBytes, offset: place.lastOffset + 1 }
  }
  const isWhole = isActive || end.position === fs.fileStatus(fd).sizeBytes
  return isWhole ? undefined : end.offset
}

/** Where to look from for a batch with that timestamp; undefined when the time index proves that the segment has none. */
function positionForTimestamp(
  context: ViewContext,
  base: number,
  logFd: number,
  timestampMs: number,
  isActive: boolean,
): number | undefined {
  const { fs } = context.system
  return withFile<number | undefined>(context, base, TIME_INDEX_SUFFIX, 0, (timeFd) =>
    withIndex(context, base, (offsetIndex) => {
      const places = new BatchPlaces(fs, logFd)
      const times = new TimeIndexReader(fs, timeFd, base)
      const lastSlot = times.entryCount - 1
      const last = times.entry(lastSlot)
      if (!isActive && last !== undefined && last.timestampMs < timestampMs && isTrue(places, offsetIndex, times, lastSlot)) {
        if (isRollEntry(places, offsetIndex, last, fs.fileStatus(logFd).sizeBytes)) return undefined
      }
      // The last entry below the time: none of the batches up to it, as it was written, has the time. At the time itself would do
      // too, but many batches may have that very timestamp, and a damaged entry could name the wrong one of them.
      for (let slot = times.slotForTimestamp(timestampMs - 1); slot >= 0; slot -= 1) {
        const entry = times.entry(slot)
        if (entry === undefined || entry.timestampMs >= timestampMs || !isTrue(places, offsetIndex, times, slot)) continue
        const indexed = offsetIndex === undefined ? undefined : believableEntry(places, offsetIndex, entry.offset)
        return indexed?.position ?? 0
      }
      return 0
    }),
  )
}

/**
 * Whether a time-index entry is the one that a roll writes, which speaks for the whole segment: it names a batch that is not before the
 * last one in the offset index, and none behind it is later. Any other may have lost its successors, and all batches have to be looked at.
 */
function isRollEntry(
  places: BatchPlaces,
  offsetIndex: OffsetIndexReader | undefined,
  { offset, timestampMs }: TimeIndexEntry,
  sizeBytes: number,
): boolean {
  const lastIndexed = offsetIndex?.entry(offsetIndex.entryCount - 1)
  if (offsetIndex === undefined || lastIndexed === undefined || offset < lastIndexed.offset) return false
  let end = 0
  for (const place of places.from(believableEntry(places, offsetIndex, offset)?.position ?? 0)) {
    if (place.maxTimestampMs > timestampMs) return false
    end = place.position + place.sizeBytes
  }
  return end === sizeBytes
}

async function firstRecordAt({ place, bytes }: FoundBatch, timestampMs: number): Promise<number> {
  try {
    const batch = new RecordBatch(bytes)
    await loadCodec(batch.codec)
    const cursor = batch.cursor()
    while (cursor.next()) {
      if (cursor.timestampMs >= timestampMs) return cursor.offset
    }
  } catch (error) {
    if (!(error instanceof InvalidBatchError || error instanceof LogqError)) throw error
  }
  return place.baseOffset
}

/** The batch of the last believable index entry at or below an offset. */
function indexedPlace(context: ViewContext, base: number, logFd: number, offset: number): BatchPlace | undefined {
  return withIndex(context, base, (index) =>
    index === undefined ? undefined : believableEntry(new BatchPlaces(context.system.fs, logFd), index, offset),
  )
}

/** The offset index of a segment for `use`; undefined when there is none. */
function withIndex<Result>(context: ViewContext, base: number, use: (index: OffsetIndexReader | undefined) => Result): Result {
  const { fs } = context.system
  let fd: number
  try {
    fd = fs.open(`${context.directory}/${segmentFileName(base, OFFSET_INDEX_SUFFIX)}`, 'read')
  } catch {
    return use(undefined)
  }
  try {
    return use(new OffsetIndexReader(fs, fd, base))
  } finally {
    fs.close(fd)
  }
}

/** Opens one file of a segment for `use`; `fallback` when it is not there (an index that was deleted, a segment retained away). */
function withFile<Result>(
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
