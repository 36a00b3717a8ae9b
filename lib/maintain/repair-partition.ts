/**
 * Repairs a partition: every batch that can be read is kept, at its offset; what cannot is dropped, named, and kept in quarantine/
 * (format-spec/recovery.md, "repair"). Holds the append lock throughout. Steps, each safe to crash after, since a repetition finds
 * the same damage or less:
 *
 *  1. Invalidate the state block.
 *  2. For each segment with damage, and the active one after a failed fsync: copy it whole to quarantine/; write its good batches to a
 *     temporary file and sync it; unlink the indexes; rename over the .log; sync the directory. One atomic step: no moment without a file.
 *     What was dropped goes to known-gaps.
 *  3. Rebuild indexes that are missing or wrong.
 *  4. Put the recovery point at the end: everything up to there was synced just now.
 *  5. Start a new leader epoch when records were dropped or may have been lost, so that followers find the divergence.
 *  6. Write the state block: live.
 */
import { BatchScanner } from '../log/batch-scanner.js'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentBaseOffsets, segmentFileName } from '../log/file-names.js'
import { indexableTimestamp } from '../log/batch-places.js'
import { newEpochId, readLeaderEpochs, writeLeaderEpochs } from '../log/leader-epoch-file.js'
import type { LogContext } from '../log/log-context.js'
import { writeLogStartOffset } from '../log/log-start-offset-file.js'
import type { ViewContext } from '../log/log-view.js'
import { PartitionLock, type LockWait } from '../log/partition-lock.js'
import type { RecoveryPoint } from '../log/recovery-point.js'
import { readRecoveryPoint, writeRecoveryPoint } from '../log/recovery-point-file.js'
import { quarantine, recover } from '../log/recovery.js'
import { SegmentFiles } from '../log/segment-files.js'
import { SegmentTail } from '../log/segment-tail.js'
import type { StateBlock } from '../log/state-block.js'
import { readUpTo, removeQuietly, replaceFileInPieces } from '../system/durable.js'
import { checkPartition, type CheckOptions, type PartitionCheck } from './check-partition.js'
import type { SegmentCheck } from './check-segment.js'
import { isKnownGap, readKnownGaps, writeKnownGaps, type OffsetGap } from './known-gaps.js'

export interface RepairReport {
  /** What was found under the lock. */
  readonly check: PartitionCheck
  /** One for each segment that was rewritten. */
  readonly rewritten: readonly RewrittenSegment[]
  /** Index files that were built anew. */
  readonly rebuiltIndexes: readonly string[]
}

export interface RewrittenSegment {
  readonly file: string
  /** The whole segment as it was. */
  readonly quarantine: string
  readonly droppedBytes: number
  /** Offsets whose records are gone, as ranges without their ends. */
  readonly droppedOffsets: readonly { readonly fromOffset: number; readonly toOffset: number }[]
}

function baseAfter(check: PartitionCheck, segment: SegmentCheck): number | undefined {
  return check.segments.find(({ baseOffset }) => baseOffset > segment.baseOffset)?.baseOffset
}

/** What was dropped, and segments that are missing as a whole: a later check need not name them again. */
function noteGaps(context: LogContext, check: PartitionCheck, rewritten: readonly RewrittenSegment[]): void {
  const gaps: OffsetGap[] = rewritten.flatMap(({ droppedOffsets }) => droppedOffsets)
  for (const segment of check.segments) {
    const toOffset = baseAfter(check, segment)
    const endsGood = segment.badRanges.at(-1)?.toOffset !== undefined || segment.badRanges.length === 0
    if (toOffset !== undefined && toOffset > segment.nextOffset && endsGood)
      gaps.push({ fromOffset: segment.nextOffset, toOffset })
  }
  const known = readKnownGaps(context)
  const unknown = gaps.filter(({ fromOffset, toOffset }) => !isKnownGap(known, fromOffset, toOffset))
  if (unknown.length > 0) writeKnownGaps(context, [...known, ...unknown])
}

const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const

/** Throws LOGQ_TOPIC_REMOVED, LOGQ_ABORTED, or a system error. */
export async function repairPartition(
  context: LogContext,
  view: ViewContext,
  options: CheckOptions,
  wait: LockWait,
): Promise<RepairReport> {
  const lock = PartitionLock.open(context.system, context.directory)
  try {
    await lock.acquire(wait)
    try {
      return await repairLocked(context, view, options, lock)
    } finally {
      lock.release()
    }
  } finally {
    lock.close()
  }
}

async function repairLocked(
  context: LogContext,
  view: ViewContext,
  options: CheckOptions,
  lock: PartitionLock,
): Promise<RepairReport> {
  const state = lock.readState()
  lock.noteHolder(state)
  // Offsets that were given out are never given to other records, also when the records that had them are lost.
  const nextOffset = Math.max(readRecoveryPoint(context)?.offset ?? 0, state?.logEndOffset ?? 0)
  const check = await checkPartition(view, options)
  const isSyncFailed = state?.status === 'sync-failed'
  const damaged = check.segments.filter(
    (segment) => segment.badRanges.length > 0 || (isSyncFailed && segment === check.segments.at(-1)),
  )
  const rebuilding = check.segments.filter((segment) => damaged.includes(segment) || hasWrongIndex(context, check, segment))
  const otherDamage = check.findings.some(({ kind }) => kind === 'damage')
  if (rebuilding.length === 0 && !otherDamage && !check.findings.some(({ kind }) => kind === 'cache') && !isSyncFailed) {
    return { check, rewritten: [], rebuiltIndexes: [] }
  }

  if (state?.valid === true) lock.writeState({ ...state, valid: false }) // 1
  context.system.failpoint('repair.after-invalidate')
  const rewritten: RewrittenSegment[] = []
  for (const segment of damaged) rewritten.push(rewriteSegment(context, segment, baseAfter(check, segment))) // 2
  noteGaps(context, check, rewritten)
  context.system.failpoint('repair.after-rewrite')
  const rebuiltIndexes = rebuilding.flatMap((segment) => rebuildIndexes(context, segment.baseOffset)) // 3
  repairLogStartOffset(context, check)
  const end = goOnAt(context, endOf(context), nextOffset)
  writeRecoveryPoint(context, end) // 4
  context.system.failpoint('repair.after-recovery-point')
  const needsEpoch = rewritten.length > 0 || isSyncFailed
  const leaderEpoch = needsEpoch ? startEpoch(context, end.offset, state) : state?.leaderEpoch // 5
  context.system.failpoint('repair.after-epoch')
  const recovered = recover(context, leaderEpoch)
  try {
    lock.writeState(stateAfter(context, recovered, state)) // 6
    lock.syncStatus()
  } finally {
    recovered.files.close()
  }
  return { check, rewritten, rebuiltIndexes }
}

function hasWrongIndex(context: LogContext, check: PartitionCheck, { baseOffset }: SegmentCheck): boolean {
  const files = INDEX_SUFFIXES.map((suffix) => `${context.directory}/${segmentFileName(baseOffset, suffix)}`)
  return check.findings.some(({ file }) => files.includes(file))
}

function rewriteSegment(
  context: LogContext,
  { baseOffset, goodRanges, badRanges }: SegmentCheck,
  limitOffset: number | undefined,
): RewrittenSegment {
  const { system, directory, ownership } = context
  const copy = quarantine(context, baseOffset, 0, baseOffset)
  const file = pathOf(context, baseOffset)
  for (const suffix of INDEX_SUFFIXES) removeQuietly(system.fs, `${directory}/${segmentFileName(baseOffset, suffix)}`)
  const fd = system.fs.open(file, 'read')
  try {
    replaceFileInPieces(system, file, piecesOf(context, fd, goodRanges), ownership)
  } finally {
    system.fs.close(fd)
  }
  const droppedOffsets = badRanges.flatMap(({ fromOffset, toOffset = limitOffset }) =>
    toOffset === undefined || toOffset <= fromOffset ? [] : [{ fromOffset, toOffset }],
  )
  const droppedBytes = badRanges.reduce((sum, { from, to }) => sum + to - from, 0)
  return { file, quarantine: copy.path, droppedBytes, droppedOffsets }
}

const PIECE_BYTES = 1 << 20

function* piecesOf(context: LogContext, fd: number, ranges: SegmentCheck['goodRanges']): Iterable<Uint8Array> {
  for (const { from, to } of ranges) {
    for (let position = from; position < to; position += PIECE_BYTES) {
      yield readUpTo(context.system.fs, fd, position, Math.min(PIECE_BYTES, to - position))
    }
  }
}

/** Builds both indexes of a segment from its .log. Returns their paths. */
function rebuildIndexes(context: LogContext, baseOffset: number): string[] {
  const { system, directory, ownership } = context
  const files = SegmentFiles.open(system, directory, baseOffset, ownership)
  try {
    files.truncateIndexes(0, 0)
    const tail = new SegmentTail(baseOffset)
    const scanner = new BatchScanner(system.fs, files.logFd, 0, { checkCrc: false })
    const { indexIntervalBytes } = context.config()
    for (let step = scanner.next(); step.kind === 'batch'; step = scanner.next()) {
      const { lastOffset, sizeBytes } = step.batch
      tail.advance({ lastOffset, sizeBytes, maxTimestampMs: indexableTimestamp(step.batch) }, indexIntervalBytes, files)
    }
    tail.finish(files)
  } finally {
    files.close()
  }
  return INDEX_SUFFIXES.map((suffix) => `${directory}/${segmentFileName(baseOffset, suffix)}`)
}

/** A damaged log start offset is set to the first segment: nothing that is there may be hidden. */
function repairLogStartOffset(context: LogContext, check: PartitionCheck): void {
  const first = check.segments[0]?.baseOffset ?? 0
  const missing = check.findings.some(
    ({ kind, file }) => kind === 'damage' && (file.endsWith('/log-start-offset') || file === context.directory),
  )
  if (missing) writeLogStartOffset(context, first)
}

type LogEnd = Omit<RecoveryPoint, 'sequence'>

/** The end of what is there now, every segment of it synced. */
function endOf(context: LogContext): LogEnd {
  const { fs } = context.system
  const bases = segmentBaseOffsets(fs.list(context.directory))
  const segmentBaseOffset = bases.at(-1) ?? 0
  let end = { offset: segmentBaseOffset, segmentBaseOffset, position: 0 }
  for (const base of bases) {
    const fd = fs.open(pathOf(context, base), 'read-write')
    try {
      fs.fdatasyncBlocking(fd)
      if (base !== segmentBaseOffset) continue
      const scanner = new BatchScanner(fs, fd, 0, { checkCrc: true })
      for (let step = scanner.next(); step.kind === 'batch' && step.batch.baseOffset >= end.offset; step = scanner.next()) {
        end = { offset: step.batch.nextOffset, segmentBaseOffset, position: scanner.position }
      }
    } finally {
      fs.close(fd)
    }
  }
  return end
}

/** Where the next append goes: behind a gap, in a segment of its own, when the log now ends below what was given out. */
function goOnAt(context: LogContext, end: LogEnd, nextOffset: number): LogEnd {
  if (end.offset >= nextOffset) return end
  const known = readKnownGaps(context)
  writeKnownGaps(context, [...known, { fromOffset: end.offset, toOffset: nextOffset }])
  SegmentFiles.create(context.system, context.directory, nextOffset, context.ownership).close()
  return { offset: nextOffset, segmentBaseOffset: nextOffset, position: 0 }
}

function startEpoch(context: LogContext, startOffset: number, state: StateBlock | undefined): number {
  const kept = (readLeaderEpochs(context) ?? []).filter((epoch) => epoch.startOffset <= startOffset)
  const epoch = Math.max(kept.at(-1)?.epoch ?? 0, state?.leaderEpoch ?? 0) + 1
  writeLeaderEpochs(context, [...kept, { epoch, startOffset, id: newEpochId(context) }])
  return epoch
}

function stateAfter(context: LogContext, recovered: ReturnType<typeof recover>, before: StateBlock | undefined): StateBlock {
  const { system } = context
  const { tail, files, leaderEpoch } = recovered
  const { device, inode } = system.fs.fileStatus(files.logFd)
  return {
    status: before === undefined || before.status === 'sync-failed' ? 'live' : before.status,
    valid: true,
    bootId: system.self.bootId,
    leaderEpoch,
    activeBaseOffset: tail.baseOffset,
    device,
    inode,
    logBytes: tail.logBytes,
    logEndOffset: tail.logEndOffset,
    syncedOffset: tail.logEndOffset,
    maxTimestampMs: tail.maxTimestampMs,
    maxTimestampOffset: tail.maxTimestampOffset,
    firstTimestampMs: tail.firstTimestampMs,
    bytesSinceIndexEntry: tail.bytesSinceIndexEntry,
    offsetIndexBytes: tail.offsetIndexBytes,
    timeIndexBytes: tail.timeIndexBytes,
    timeIndexTimestampMs: tail.timeIndexTimestampMs,
    holderPid: system.self.pid,
    holderStartTicks: system.self.startTicks,
  }
}

function pathOf(context: LogContext, base: number): string {
  return `${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`
}
