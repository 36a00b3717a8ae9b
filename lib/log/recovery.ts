/**
 * Recovery: makes the end of a log one that can be appended to, after whatever happened (format-spec/recovery.md).
 *
 * Runs under the append lock, at a process's first append and whenever the state block and fstat disagree. Everything below the
 * recovery point is known to be on the device: bad bytes there are corruption, reported and never cut. What stands above it was
 * never promised to anybody for certain, and is verified batch by batch.
 *
 * Steps, each safe to crash after (test/log/recovery.test.ts and test/crash have one test per number):
 *
 *  1. Invalidate the state block.                     Crash here: the next process comes here too, and starts again.
 *  2. Verify from the recovery point to the end.      Nothing has changed.
 *  When bytes at the end are bad and more than one torn batch (otherwise go to 5):
 *  3. Copy them to quarantine/, durably.              Crash here: done again, under the same name.
 *  4. Start a new leader epoch at the cut.            Crash here: the epoch that begins at the cut is found and kept.
 *  5. Cut the .log, durably; unlink later segments.   Crash here: the end is whole; step 6 follows at the next open.
 *  6. Cut the indexes and write what was missing.     Crash here: the indexes are checked against the log and walked again.
 *  7. After more than 4 MiB of unsynced tail: sync, and advance the recovery point.
 *  8. Write the state block.
 */
import { CorruptionError, LogqError } from '../errors.js'
import { ownershipOf, readUpTo, replaceFileInPieces, isTemporaryName, removeQuietly } from '../system/durable.js'
import { BatchScanner, misfit, type ScanStep } from './batch-scanner.js'
import { LOG_SUFFIX, QUARANTINE_DIRECTORY, segmentBaseOffsets, segmentFileName } from './file-names.js'
import { anchorBelow, indexableTimestamp } from './index-anchor.js'
import { newEpochId, readLeaderEpochs, writeLeaderEpochs } from './leader-epoch-file.js'
import type { LeaderEpoch } from './leader-epochs.js'
import { partitionName, type LogContext } from './log-context.js'
import { readLogStartOffset } from './log-start-offset-file.js'
import type { RecoveryPoint } from './recovery-point.js'
import { readRecoveryPoint, writeRecoveryPoint } from './recovery-point-file.js'
import { SegmentFiles, unlinkSegment } from './segment-files.js'
import type { SegmentTail } from './segment-tail.js'

/** An unsynced tail that is longer is synced once verified, so that the next process need not verify it again. */
const SYNC_AFTER_VERIFIED_BYTES = 4 << 20

export interface RecoveredLog {
  readonly files: SegmentFiles
  readonly tail: SegmentTail
  readonly leaderEpoch: number
  readonly syncedOffset: number
  /** What was moved to quarantine; undefined when at most one torn batch was cut. */
  readonly quarantined: QuarantineReport | undefined
}

export interface QuarantineReport {
  readonly path: string
  readonly bytes: number
  /** First offset that was cut. */
  readonly fromOffset: number
  /** Last offset of the whole batches that were cut; undefined when none of them could be read. */
  readonly lastOffset: number | undefined
}

/** The end of the log as verification found it. */
interface VerifiedEnd {
  readonly segmentBaseOffset: number
  readonly position: number
  readonly offset: number
  readonly leaderEpoch: number
  /** How the walk stopped. */
  readonly stop:
    Exclude<ScanStep, { kind: 'batch' }> | { readonly kind: 'bad'; readonly position: number; readonly reason: string }
}

/** The caller holds the append lock and has invalidated the state block (step 1). */
export function recover(context: LogContext, previousLeaderEpoch: number | undefined): RecoveredLog {
  const { system, directory } = context
  sweepTemporaries(context)
  const recoveryPoint = readRecoveryPoint(context)
  let bases = segmentBaseOffsets(system.fs.list(directory))
  if (bases.length === 0) bases = [createFirstSegment(context, recoveryPoint)]
  const end = verify(context, bases, recoveryPoint)
  const epochs = readLeaderEpochs(context) ?? rebuildLeaderEpochs(context, bases, end)
  const quarantined = cut(context, bases, end)
  const leaderEpoch = settleEpochs(context, epochs, end, quarantined !== undefined, previousLeaderEpoch)
  removeBeyond(context, bases, end)

  system.failpoint('recovery.before-indexes')
  const files = SegmentFiles.open(system, directory, end.segmentBaseOffset, context.ownership)
  try {
    const tail = rebuildTail(context, files, end)
    const syncedOffset = advanceRecoveryPoint(context, files, end, recoveryPoint)
    return { files, tail, leaderEpoch, syncedOffset, quarantined }
  } catch (error) {
    files.close()
    throw error
  }
}

/** The error that ends a command whose recovery cut whole batches: the next command goes on from there. */
export function quarantineError(context: LogContext, report: QuarantineReport): LogqError {
  const offsets =
    report.lastOffset === undefined
      ? `from offset ${report.fromOffset}`
      : `offsets ${report.fromOffset} to ${report.lastOffset}`
  return new LogqError(
    'LOGQ_CORRUPT',
    `recovery of '${partitionName(context)}' cut unsynced records that are damaged (${offsets}, ${report.bytes} bytes), kept in '${report.path}'`,
    { hint: 'nothing was appended; run the command again to go on after the cut' },
  )
}

/** A process that was killed between creating and renaming leaves one; nobody else can be at it under the lock. */
function sweepTemporaries(context: LogContext): void {
  for (const name of context.system.fs.list(context.directory)) {
    if (isTemporaryName(name)) removeQuietly(context.system.fs, `${context.directory}/${name}`)
  }
}

/** A partition without any segment: its creation was cut off, or everything was lost. */
function createFirstSegment(context: LogContext, recoveryPoint: RecoveryPoint | undefined): number {
  const baseOffset = readLogStartOffset(context) ?? 0
  if (recoveryPoint !== undefined && recoveryPoint.offset > baseOffset) {
    throw belowRecoveryPoint(context, 'no segment is left', recoveryPoint, segmentFileName(baseOffset, LOG_SUFFIX), 0)
  }
  SegmentFiles.create(context.system, context.directory, baseOffset, context.ownership).close()
  return baseOffset
}

/** Step 2. */
function verify(context: LogContext, bases: readonly number[], recoveryPoint: RecoveryPoint | undefined): VerifiedEnd {
  const { fs } = context.system
  let first = 0
  let position = 0
  let expectedOffset = bases[0] ?? 0
  if (recoveryPoint !== undefined) {
    first = bases.findLastIndex((base) => base <= recoveryPoint.offset)
    const base = bases[first]
    if (base === undefined) {
      throw belowRecoveryPoint(
        context,
        'the segment is missing',
        recoveryPoint,
        segmentFileName(recoveryPoint.segmentBaseOffset, LOG_SUFFIX),
        0,
      )
    }
    position = base === recoveryPoint.segmentBaseOffset ? recoveryPoint.position : 0
    expectedOffset = position > 0 ? recoveryPoint.offset : base
  }
  let end: VerifiedEnd | undefined
  let leaderEpoch = 0
  for (let n = first; n < bases.length; n += 1) {
    const base = bases[n] ?? 0
    const name = segmentFileName(base, LOG_SUFFIX)
    // A gap before a segment is what a compaction or a trim leaves; a segment that begins below what was read is a second copy.
    if (base < expectedOffset && n > first) {
      end = {
        ...(end ?? failAt(context, name)),
        stop: { kind: 'bad', position: 0, reason: `segment '${name}' begins below offset ${expectedOffset}` },
      }
      break
    }
    const fd = fs.open(`${context.directory}/${name}`, 'read')
    try {
      const { sizeBytes } = fs.fileStatus(fd)
      if (recoveryPoint !== undefined && n === first && sizeBytes < position) {
        throw belowRecoveryPoint(context, `only ${sizeBytes} bytes are left`, recoveryPoint, name, sizeBytes)
      }
      const startsAt = Math.max(base, n === first ? expectedOffset : base)
      // Without a recovery point the partition may be one that was copied from Kafka, where compaction leaves gaps.
      const contiguous = recoveryPoint !== undefined
      end = walk(context, fd, base, n === first ? position : 0, startsAt, leaderEpoch, contiguous)
    } finally {
      fs.close(fd)
    }
    leaderEpoch = end.leaderEpoch
    expectedOffset = end.offset
    if (end.stop.kind !== 'end') break
  }
  if (end === undefined) throw failAt(context, context.directory)
  if (recoveryPoint !== undefined && end.offset < recoveryPoint.offset) {
    const file = segmentFileName(end.segmentBaseOffset, LOG_SUFFIX)
    throw belowRecoveryPoint(context, 'the log is damaged', recoveryPoint, file, end.position)
  }
  return end
}

function walk(
  context: LogContext,
  fd: number,
  segmentBaseOffset: number,
  position: number,
  offset: number,
  leaderEpoch: number,
  contiguous: boolean,
): VerifiedEnd {
  const scanner = new BatchScanner(context.system.fs, fd, position, { checkCrc: true })
  let end = { segmentBaseOffset, position, offset, leaderEpoch }
  for (;;) {
    const step = scanner.next()
    if (step.kind !== 'batch') return { ...end, stop: step }
    const { batch } = step
    const reason = misfit(batch, end.offset, end.leaderEpoch, contiguous)
    if (reason !== undefined) return { ...end, stop: { kind: 'bad', position: step.position, reason } }
    end = {
      segmentBaseOffset,
      position: step.position + batch.sizeBytes,
      offset: batch.nextOffset,
      leaderEpoch: batch.partitionLeaderEpoch,
    }
  }
}

/** Step 3, for what is more than one torn batch. Returns undefined when there is nothing worth keeping. */
function cut(context: LogContext, bases: readonly number[], end: VerifiedEnd): QuarantineReport | undefined {
  const later = bases.filter((base) => base > end.segmentBaseOffset)
  if (end.stop.kind === 'end' && later.length === 0) return undefined
  const isTorn = end.stop.kind === 'incomplete' || end.stop.kind === 'end'
  const laterBytes = later.some((base) => segmentSize(context, base) > 0)
  if (!laterBytes && (isTorn || isAllZero(context, end))) return undefined

  context.system.failpoint('recovery.before-quarantine')
  const report = quarantine(context, end.segmentBaseOffset, end.position, end.offset)
  for (const base of later) quarantine(context, base, 0, base)
  context.system.failpoint('recovery.after-quarantine')
  return report
}

/** Copies a segment from a position to its end into quarantine/, durably, under a name that a repetition finds again. */
export function quarantine(
  context: LogContext,
  segmentBaseOffset: number,
  position: number,
  fromOffset: number,
): QuarantineReport {
  const { system, directory } = context
  const quarantineDirectory = `${directory}/${QUARANTINE_DIRECTORY}`
  if (system.fs.pathStatus(quarantineDirectory) === undefined) {
    system.fs.makeDirectory(quarantineDirectory, context.ownership.directoryMode)
    system.fs.syncDirectory(directory)
  }
  const fd = system.fs.open(`${directory}/${segmentFileName(segmentBaseOffset, LOG_SUFFIX)}`, 'read')
  try {
    const bytes = Math.max(0, system.fs.fileStatus(fd).sizeBytes - position)
    const path = `${quarantineDirectory}/${segmentBaseOffset}.${position}.${bytes}`
    const status = system.fs.pathStatus(quarantineDirectory)
    replaceFileInPieces(
      system,
      path,
      piecesOf(context, fd, position),
      status === undefined ? context.ownership : ownershipOf(status),
    )
    return { path, bytes, fromOffset, lastOffset: lastReadableOffset(context, fd, position) }
  } finally {
    system.fs.close(fd)
  }
}

function* piecesOf(context: LogContext, fd: number, from: number): Iterable<Uint8Array> {
  for (let position = from; ;) {
    const bytes = readUpTo(context.system.fs, fd, position, 1 << 20)
    if (bytes.length === 0) return
    yield bytes
    position += bytes.length
  }
}

/** The last offset of the batches that can still be told apart from `position` on, by their headers. */
function lastReadableOffset(context: LogContext, fd: number, position: number): number | undefined {
  const scanner = new BatchScanner(context.system.fs, fd, position, { checkCrc: false })
  let last: number | undefined
  for (let step = scanner.next(); step.kind === 'batch'; step = scanner.next()) last = step.batch.lastOffset
  return last
}

/** Step 4. Returns the leader epoch that appends are stamped with from now on. */
function settleEpochs(
  context: LogContext,
  epochs: readonly LeaderEpoch[],
  end: VerifiedEnd,
  isCut: boolean,
  previousLeaderEpoch: number | undefined,
): number {
  const kept = epochs.filter((epoch) => epoch.startOffset <= end.offset)
  const highest = Math.max(end.leaderEpoch, kept.at(-1)?.epoch ?? 0, previousLeaderEpoch ?? 0)
  const last = kept.at(-1)
  const begunAtCut = last !== undefined && last.startOffset === end.offset && last.epoch > end.leaderEpoch
  if (isCut && !begunAtCut) {
    const epoch = highest + 1
    writeLeaderEpochs(context, [...kept, { epoch, startOffset: end.offset, id: newEpochId(context) }])
    context.system.failpoint('recovery.after-epoch')
    return epoch
  }
  if (last === undefined || last.epoch < highest) {
    writeLeaderEpochs(context, [...kept, { epoch: highest, startOffset: end.offset, id: newEpochId(context) }])
  } else if (kept.length < epochs.length) {
    writeLeaderEpochs(context, kept)
  }
  return highest
}

/** The epochs that the batches themselves name: the checkpoint was lost or damaged. */
function rebuildLeaderEpochs(context: LogContext, bases: readonly number[], end: VerifiedEnd): LeaderEpoch[] {
  const { fs } = context.system
  const epochs: LeaderEpoch[] = []
  for (const base of bases.filter((candidate) => candidate <= end.segmentBaseOffset)) {
    const fd = fs.open(`${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`, 'read')
    try {
      const scanner = new BatchScanner(fs, fd, 0, { checkCrc: false })
      for (let step = scanner.next(); step.kind === 'batch'; step = scanner.next()) {
        const { partitionLeaderEpoch: epoch, baseOffset: startOffset } = step.batch
        if (epoch > (epochs.at(-1)?.epoch ?? -1)) epochs.push({ epoch, startOffset, id: newEpochId(context) })
      }
    } finally {
      fs.close(fd)
    }
  }
  if (epochs.length === 0) epochs.push({ epoch: 0, startOffset: bases[0] ?? 0, id: newEpochId(context) })
  writeLeaderEpochs(context, epochs)
  return epochs
}

/** Step 5. */
function removeBeyond(context: LogContext, bases: readonly number[], end: VerifiedEnd): void {
  const { system, directory } = context
  const path = `${directory}/${segmentFileName(end.segmentBaseOffset, LOG_SUFFIX)}`
  const fd = system.fs.open(path, 'read-write')
  try {
    if (system.fs.fileStatus(fd).sizeBytes > end.position) {
      system.failpoint('recovery.before-cut')
      system.fs.truncate(fd, end.position)
      system.fs.fdatasyncBlocking(fd)
    }
  } finally {
    system.fs.close(fd)
  }
  const later = bases.filter((base) => base > end.segmentBaseOffset)
  for (const base of later.toReversed()) unlinkSegment(system, directory, base)
  if (later.length > 0) system.fs.syncDirectory(directory)
}

/** Step 6. Walks from the last index entry that can be believed, and writes the entries that should follow. */
function rebuildTail(context: LogContext, files: SegmentFiles, end: VerifiedEnd): SegmentTail {
  const { fs } = context.system
  const tail = anchorBelow(fs, { baseOffset: files.baseOffset, logFd: files.logFd, ...files.indexDescriptors }, end.position)
  files.truncateIndexes(tail.offsetIndexBytes, tail.timeIndexBytes)
  const scanner = new BatchScanner(fs, files.logFd, tail.logBytes, { checkCrc: false })
  const { indexIntervalBytes } = context.config()
  for (;;) {
    const step = scanner.next()
    if (step.kind !== 'batch') break
    const { lastOffset, sizeBytes } = step.batch
    tail.advance({ lastOffset, sizeBytes, maxTimestampMs: indexableTimestamp(step.batch) }, indexIntervalBytes, files)
  }
  if (tail.logBytes !== end.position) {
    const file = segmentFileName(files.baseOffset, LOG_SUFFIX)
    throw new CorruptionError(
      `'${partitionName(context)}' cannot be read to its end`,
      { ...place(context), file, position: tail.logBytes },
      FSCK,
    )
  }
  return tail
}

/** Step 7. Returns the offset below which everything is on the device. */
function advanceRecoveryPoint(
  context: LogContext,
  files: SegmentFiles,
  end: VerifiedEnd,
  recoveryPoint: RecoveryPoint | undefined,
): number {
  const known = recoveryPoint?.offset ?? 0
  const isSameSegment = recoveryPoint?.segmentBaseOffset === end.segmentBaseOffset
  const verifiedBytes = isSameSegment ? end.position - recoveryPoint.position : end.position
  const coversOtherSegments = recoveryPoint !== undefined && !isSameSegment
  if (verifiedBytes <= SYNC_AFTER_VERIFIED_BYTES && !coversOtherSegments) return known
  context.system.fs.fdatasyncBlocking(files.logFd)
  writeRecoveryPoint(context, { offset: end.offset, segmentBaseOffset: end.segmentBaseOffset, position: end.position })
  return end.offset
}

const FSCK = { hint: "see 'logq fsck'" }

function belowRecoveryPoint(
  context: LogContext,
  what: string,
  point: RecoveryPoint,
  file: string,
  position: number,
): CorruptionError {
  return new CorruptionError(
    `synced records of '${partitionName(context)}' below offset ${point.offset} are missing or damaged: ${what}`,
    { ...place(context), file: `${context.directory}/${file}`, position },
    FSCK,
  )
}

function place(context: LogContext): { topic: string; partition: number } {
  return { topic: context.topic, partition: context.partition }
}

function failAt(context: LogContext, file: string): never {
  throw new CorruptionError(
    `'${partitionName(context)}' has no segment that can be read`,
    { ...place(context), file, position: 0 },
    FSCK,
  )
}

function segmentSize(context: LogContext, base: number): number {
  return context.system.fs.pathStatus(`${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`)?.sizeBytes ?? 0
}

/** Zeros to the end are what a power cut leaves of a file that had grown: as good as torn. */
function isAllZero(context: LogContext, end: VerifiedEnd): boolean {
  const { fs } = context.system
  const fd = fs.open(`${context.directory}/${segmentFileName(end.segmentBaseOffset, LOG_SUFFIX)}`, 'read')
  try {
    for (const bytes of piecesOf(context, fd, end.position)) {
      if (bytes.some((byte) => byte !== 0)) return false
    }
    return true
  } finally {
    fs.close(fd)
  }
}
