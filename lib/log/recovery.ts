/**
 * Recovery: makes the end of a log one that can be appended to, after whatever happened (format-spec/recovery.md).
 *
 * Runs under the append lock, at a process's first append and whenever the state block and fstat disagree. Everything below the
 * recovery point is known to be on the device, and so is every segment but the last, since a roll syncs one before it creates the
 * next: bad bytes there are corruption, reported and never cut. What stands above the recovery point in the last segment was
 * never promised to anybody for certain, and is verified batch by batch.
 *
 * Steps, each safe to crash after (test/crash/recovery-crash.test.ts has one test per number):
 *
 *  1. Invalidate the state block.                     Crash here: the next process comes here too, and starts again.
 *  2. Verify from the recovery point to the end.      Nothing has changed, but that litter of killed processes is swept.
 *  When bytes at the end are bad and more than one torn batch (otherwise go to 5):
 *  3. Copy them to quarantine/, durably.              Crash here: the copy is found again, under the same name.
 *  4. Start a new leader epoch at the cut.            Crash here: another epoch takes its place; no record was ever in it.
 *  5. Cut the .log, durably. Files that have names elsewhere, in a snapshot, are replaced by copies before.
 *                                                     Crash here: the end is whole; step 6 follows at the next open.
 *  6. Cut the indexes and write what was missing.     Crash here: the indexes are checked against the log and walked again.
 *  7. After more than 4 MiB of unsynced tail: sync, and advance the recovery point.
 *  8. Write the state block.
 */
import { CorruptionError, LogqError, systemReason } from '../errors.js'
import {
  createDirectory,
  isTemporaryName,
  ownershipOf,
  piecesOf,
  readUpTo,
  removeQuietly,
  replaceFileInPieces,
  unshareFile,
} from '../system/durable.js'
import { BatchPlaces } from './batch-places.js'
import { BatchScanner, misfit, type ScanStep } from './batch-scanner.js'
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  QUARANTINE_DIRECTORY,
  TIME_INDEX_SUFFIX,
  parseSegmentFileName,
  segmentBaseOffsets,
  segmentFileName,
} from './file-names.js'
import { areAttributesKnown, findWholeBatch, isCountPlausible } from './find-whole-batch.js'
import { anchorBelow } from './index-anchor.js'
import { newEpochId, readLeaderEpochs, writeLeaderEpochs } from './leader-epoch-file.js'
import type { LeaderEpoch } from './leader-epochs.js'
import { partitionName, type LogContext } from './log-context.js'
import { readLogStartOffset } from './log-start-offset-file.js'
import type { RecoveryPoint } from './recovery-point.js'
import { readRecoveryPoint, writeRecoveryPoint } from './recovery-point-file.js'
import { SegmentFiles } from './segment-files.js'
import { SegmentTail } from './segment-tail.js'

/** An unsynced tail that is longer is synced once verified, so that the next process need not verify it again. */
export const SYNC_AFTER_VERIFIED_BYTES = 4 << 20

/** So many times as many bytes as are bad may be summed to tell whether a whole batch is among them. */
const SUMMED_PER_BYTE = 8
/** The offsets of a segment are relative ones of 31 bits. */
const OFFSETS_OF_SEGMENT = 2 ** 31

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
  readonly stop: Exclude<ScanStep, { kind: 'batch' }>
}

/**
 * The caller holds the append lock and has invalidated the state block (step 1). Throws CorruptionError, LOGQ_SYNC_FAILED (the
 * caller marks the partition), or a system error.
 */
export function recover(context: LogContext, previousLeaderEpoch: number | undefined): RecoveredLog {
  const { system, directory } = context
  const recoveryPoint = readRecoveryPoint(context)
  let bases = segmentBaseOffsets(system.fs.list(directory))
  if (bases.length === 0) bases = [createFirstSegment(context, recoveryPoint)]
  const end = new Verification(context, recoveryPoint).run(bases)
  sweepLitter(context)

  const quarantined = setAside(context, end)
  const leaderEpoch = settleEpochs(context, bases, end, quarantined !== undefined, previousLeaderEpoch ?? 0)
  unshare(context, end)
  cutLog(context, end)

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

/**
 * Removes what killed processes left: temporary files (under the lock nobody else is at one but who archives, and tries again), and index
 * files of a segment whose creation did not get to its .log.
 */
function sweepLitter(context: LogContext): void {
  const { fs } = context.system
  const names = fs.list(context.directory)
  const bases = new Set(segmentBaseOffsets(names))
  for (const name of names) {
    const indexOf = parseSegmentFileName(name, OFFSET_INDEX_SUFFIX) ?? parseSegmentFileName(name, TIME_INDEX_SUFFIX)
    const isOrphan = indexOf !== undefined && !bases.has(indexOf)
    if (isOrphan || isTemporaryName(name)) removeQuietly(fs, `${context.directory}/${name}`)
  }
  if (!names.includes(QUARANTINE_DIRECTORY)) return
  for (const name of fs.list(`${context.directory}/${QUARANTINE_DIRECTORY}`)) {
    if (isTemporaryName(name)) removeQuietly(fs, `${context.directory}/${QUARANTINE_DIRECTORY}/${name}`)
  }
}

/** A partition without any segment: its creation was cut off, or everything was lost. */
function createFirstSegment(context: LogContext, recoveryPoint: RecoveryPoint | undefined): number {
  const baseOffset = readLogStartOffset(context) ?? 0
  if (recoveryPoint !== undefined && recoveryPoint.offset > baseOffset) {
    throw corruptBelow(context, recoveryPoint.offset, 'no segment is left', segmentFileName(baseOffset, LOG_SUFFIX), 0)
  }
  SegmentFiles.create(context.system, context.directory, baseOffset, context.ownership).close()
  return baseOffset
}

/** Step 2. */
class Verification {
  constructor(
    private readonly context: LogContext,
    private readonly recoveryPoint: RecoveryPoint | undefined,
  ) {}

  run(bases: readonly number[]): VerifiedEnd {
    const { context, recoveryPoint } = this
    const { first, position, offset } = this.#start(bases)
    let end: VerifiedEnd | undefined
    for (const [n, base] of bases.entries()) {
      if (n < first) continue
      end = this.#walk(
        base,
        n === first ? position : 0,
        n === first ? offset : base,
        end?.leaderEpoch ?? 0,
        n === bases.length - 1,
      )
      const next = bases[n + 1]
      if (next === undefined) break
      if (end.stop.kind !== 'end') throw this.#corruptBelow(next, end)
      if (end.offset > next) {
        throw corruptBelow(
          context,
          end.offset,
          `segment '${segmentFileName(next, LOG_SUFFIX)}' begins below its end`,
          fileOf(end),
          end.position,
        )
      }
    }
    if (end === undefined) throw new RangeError('a log has a segment')
    if (recoveryPoint !== undefined && end.offset < recoveryPoint.offset) throw this.#corruptBelow(recoveryPoint.offset, end)
    return end
  }

  #corruptBelow(offset: number, end: VerifiedEnd): CorruptionError {
    const what = end.stop.kind === 'end' ? 'the log ends' : end.stop.reason
    return corruptBelow(this.context, offset, what, fileOf(end), end.position)
  }

  /** From where on nothing is known to be whole. */
  #start(bases: readonly number[]): { first: number; position: number; offset: number } {
    const { context, recoveryPoint } = this
    const start = { first: 0, position: 0, offset: bases[0] ?? 0 }
    if (recoveryPoint === undefined) return start
    const first = bases.findLastIndex((base) => base <= recoveryPoint.offset)
    const base = bases[first]
    if (base === undefined) {
      // Retention got ahead of a recovery point that a power cut took back; otherwise the segment should be there.
      if (start.offset <= (readLogStartOffset(context) ?? 0)) return start
      const file = segmentFileName(recoveryPoint.segmentBaseOffset, LOG_SUFFIX)
      throw corruptBelow(context, recoveryPoint.offset, 'the segment is missing', file, 0)
    }
    if (base !== recoveryPoint.segmentBaseOffset) return { first, position: 0, offset: base }
    return { first, position: recoveryPoint.position, offset: recoveryPoint.offset }
  }

  #walk(segmentBaseOffset: number, position: number, offset: number, leaderEpoch: number, isLast: boolean): VerifiedEnd {
    const { fs } = this.context.system
    const name = segmentFileName(segmentBaseOffset, LOG_SUFFIX)
    const fd = fs.open(`${this.context.directory}/${name}`, 'read')
    try {
      const { sizeBytes } = fs.fileStatus(fd)
      if (sizeBytes < position) {
        throw corruptBelow(this.context, offset, `only ${sizeBytes} of ${position} bytes are left`, name, sizeBytes)
      }
      const places = new BatchPlaces(fs, fd)
      const scanner = new BatchScanner(fs, fd, position, { checkCrc: true })
      let end = { segmentBaseOffset, position, offset, leaderEpoch }
      for (;;) {
        const step = scanner.next()
        if (step.kind !== 'batch') return { ...end, stop: step }
        const { batch } = step
        const reason =
          misfit(batch, end.offset, end.leaderEpoch, false) ??
          (batch.baseOffset > end.offset && isLast ? this.#gapFault(places, scanner.position, end.offset, batch) : undefined)
        if (reason !== undefined) return { ...end, stop: { kind: 'bad', position: step.position, reason } }
        const { nextOffset, partitionLeaderEpoch } = batch
        end = { segmentBaseOffset, position: scanner.position, offset: nextOffset, leaderEpoch: partitionLeaderEpoch }
      }
    } finally {
      fs.close(fd)
    }
  }

  /**
   * Why offsets may not be missing before a batch. They may where a repair dropped some, and in a log that Kafka wrote and
   * somebody handed over; a wrong base offset, which no CRC covers, looks the same, but the batch that follows contradicts it.
   */
  #gapFault(
    places: BatchPlaces,
    nextPosition: number,
    expectedOffset: number,
    batch: { readonly baseOffset: number; readonly nextOffset: number },
  ): string | undefined {
    const follower = places.at(nextPosition)
    const isBorneOut = follower === undefined ? this.recoveryPoint === undefined : follower.baseOffset >= batch.nextOffset
    return isBorneOut ? undefined : `a batch has base offset ${batch.baseOffset} where ${expectedOffset} is expected`
  }
}

/** Step 3. Returns undefined when nothing is bad, or at most one batch that is not wholly there. */
function setAside(context: LogContext, end: VerifiedEnd): QuarantineReport | undefined {
  if (end.stop.kind === 'end') return undefined
  if (holdsOnlyTornBatch(context, end)) return undefined
  context.system.failpoint('recovery.before-quarantine')
  const report = quarantine(context, end.segmentBaseOffset, end.position, end.offset)
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
    createDirectory(system, quarantineDirectory, context.ownership)
    system.fs.syncDirectory(directory)
  }
  const fd = system.fs.open(`${directory}/${segmentFileName(segmentBaseOffset, LOG_SUFFIX)}`, 'read')
  try {
    const bytes = Math.max(0, system.fs.fileStatus(fd).sizeBytes - position)
    const name = `${quarantineDirectory}/${segmentBaseOffset}.${position}.${bytes}`
    const status = system.fs.pathStatus(quarantineDirectory)
    const ownership = status === undefined ? context.ownership : ownershipOf(status)
    let path = name
    for (let n = 2; system.fs.pathStatus(path) !== undefined && !holdsSame(context, path, fd, position); n += 1)
      path = `${name}.${n}`
    replaceFileInPieces(system, path, piecesOf(context.system.fs, fd, position), ownership)
    return { path, bytes, fromOffset, lastOffset: lastReadableOffset(context, fd, position) }
  } finally {
    system.fs.close(fd)
  }
}

/**
 * Whether an earlier quarantine file is this very cut, made before a crash; another one of the same name and size is never
 * replaced.
 */
function holdsSame(context: LogContext, path: string, fd: number, from: number): boolean {
  const { fs } = context.system
  const other = fs.open(path, 'read')
  try {
    let position = 0
    for (const bytes of piecesOf(context.system.fs, fd, from)) {
      if (Buffer.compare(bytes, readUpTo(fs, other, position, bytes.length)) !== 0) return false
      position += bytes.length
    }
    return true
  } finally {
    fs.close(other)
  }
}

/** The last offset of the batches that can still be told apart from `position` on, by their headers. */
function lastReadableOffset(context: LogContext, fd: number, position: number): number | undefined {
  let last: number | undefined
  for (const place of new BatchPlaces(context.system.fs, fd).from(position)) last = place.lastOffset
  return last
}

/** Step 4. Returns the leader epoch that appends are stamped with from now on. */
function settleEpochs(
  context: LogContext,
  bases: readonly number[],
  end: VerifiedEnd,
  isCut: boolean,
  previousLeaderEpoch: number,
): number {
  const epochs = readLeaderEpochs(context)
  const isUsable = epochs !== undefined && epochs.length > 0 && (epochs.at(-1)?.epoch ?? -1) >= end.leaderEpoch
  const known = isUsable ? epochs : rebuildLeaderEpochs(context, bases, end)
  const highest = Math.max(end.leaderEpoch, previousLeaderEpoch, known.at(-1)?.epoch ?? 0)
  // An epoch that begins at the cut has no record: the new one takes its place.
  const kept = known.filter((epoch) => epoch.startOffset < end.offset || (!isCut && epoch.startOffset === end.offset))
  if (isCut) {
    const epoch = highest + 1
    writeLeaderEpochs(context, [...kept, { epoch, startOffset: end.offset, id: newEpochId(context) }])
    context.system.failpoint('recovery.after-epoch')
    return epoch
  }
  const isNamed = kept.at(-1)?.epoch === highest
  const settled = isNamed ? kept : [...kept, { epoch: highest, startOffset: end.offset, id: newEpochId(context) }]
  if (!isUsable || !isNamed || kept.length < known.length) writeLeaderEpochs(context, settled)
  return highest
}

/** The epochs that the batches themselves name: the checkpoint was lost or damaged. */
export function rebuildLeaderEpochs(
  context: LogContext,
  bases: readonly number[],
  end: Pick<VerifiedEnd, 'segmentBaseOffset' | 'position'>,
): LeaderEpoch[] {
  const { fs } = context.system
  const epochs: LeaderEpoch[] = []
  for (const base of bases) {
    const fd = fs.open(`${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`, 'read')
    try {
      const endPosition = base === end.segmentBaseOffset ? end.position : Infinity
      const scanner = new BatchScanner(fs, fd, 0, { checkCrc: false })
      for (let step = scanner.next(); step.kind === 'batch' && step.position < endPosition; step = scanner.next()) {
        const { partitionLeaderEpoch: epoch, baseOffset: startOffset } = step.batch
        if (epoch > (epochs.at(-1)?.epoch ?? -1)) epochs.push({ epoch, startOffset, id: newEpochId(context) })
      }
    } finally {
      fs.close(fd)
    }
  }
  if (epochs.length === 0) epochs.push({ epoch: 0, startOffset: bases[0] ?? 0, id: newEpochId(context) })
  return epochs
}

/** Step 5. From here on the last segment is written to, and nobody else's file may change with it. */
function unshare({ system, directory, ownership }: LogContext, { segmentBaseOffset }: VerifiedEnd): void {
  for (const suffix of [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const)
    unshareFile(system, `${directory}/${segmentFileName(segmentBaseOffset, suffix)}`, ownership)
}

function cutLog(context: LogContext, end: VerifiedEnd): void {
  const { system, directory } = context
  const fd = system.fs.open(`${directory}/${fileOf(end)}`, 'read-write')
  try {
    if (system.fs.fileStatus(fd).sizeBytes <= end.position) return
    system.failpoint('recovery.before-cut')
    system.fs.truncate(fd, end.position)
    syncLog(context, fd)
  } finally {
    system.fs.close(fd)
  }
}

/** Step 6. Walks from the last index entry that can be believed, and writes the entries that should follow. */
function rebuildTail(context: LogContext, files: SegmentFiles, end: VerifiedEnd): SegmentTail {
  const { fs } = context.system
  const anchor = anchorBelow(fs, { baseOffset: files.baseOffset, logFd: files.logFd, ...files.indexDescriptors }, end.position)
  const tail = walkToEnd(context, files, anchor)
  if (tail.logBytes === end.position) return tail
  // The entry was wrong after all: the segment's first byte is right for certain.
  const whole = walkToEnd(context, files, new SegmentTail(files.baseOffset))
  if (whole.logBytes === end.position) return whole
  throw corruptBelow(context, end.offset, 'it cannot be read to its end', fileOf(end), whole.logBytes)
}

function walkToEnd(context: LogContext, files: SegmentFiles, tail: SegmentTail): SegmentTail {
  files.truncateIndexes(tail.offsetIndexBytes, tail.timeIndexBytes)
  const { indexIntervalBytes } = context.config()
  const places = new BatchPlaces(context.system.fs, files.logFd)
  for (const place of places.from(tail.logBytes)) tail.advance(place, indexIntervalBytes, files)
  return tail
}

/** Step 7. Returns the offset below which everything is on the device. */
function advanceRecoveryPoint(
  context: LogContext,
  files: SegmentFiles,
  end: VerifiedEnd,
  recoveryPoint: RecoveryPoint | undefined,
): number {
  const { segmentBaseOffset, position, offset } = end
  const isSameSegment = recoveryPoint?.segmentBaseOffset === segmentBaseOffset
  const verifiedBytes = isSameSegment ? position - recoveryPoint.position : position
  const coversOtherSegments = recoveryPoint !== undefined && !isSameSegment
  if (verifiedBytes <= SYNC_AFTER_VERIFIED_BYTES && !coversOtherSegments) return recoveryPoint?.offset ?? 0
  syncLog(context, files.logFd)
  writeRecoveryPoint(context, { offset, segmentBaseOffset, position })
  return offset
}

/** A failed one has lost data, and a later one that succeeds proves nothing: the partition has to be marked. */
function syncLog(context: LogContext, fd: number): void {
  try {
    context.system.fs.fdatasyncBlocking(fd)
  } catch (error) {
    throw syncFailed(context, error)
  }
}

export function syncFailed(context: LogContext, cause: unknown): LogqError {
  return new LogqError('LOGQ_SYNC_FAILED', `fsync of the log of '${partitionName(context)}' failed: ${systemReason(cause)}`, {
    cause,
    hint: 'records that were not synced may be lost: see logq fsck, then logq fsck --repair',
  })
}

function corruptBelow(context: LogContext, offset: number, what: string, file: string, position: number): CorruptionError {
  const { topic, partition, directory } = context
  return new CorruptionError(
    `synced records of '${partitionName(context)}' below offset ${offset} are missing or damaged: ${what}`,
    { topic, partition, file: `${directory}/${file}`, position },
    { hint: "see 'logq fsck'" },
  )
}

function fileOf(end: Pick<VerifiedEnd, 'segmentBaseOffset'>): string {
  return segmentFileName(end.segmentBaseOffset, LOG_SUFFIX)
}

/**
 * Whether what is bad at the end is one batch that is not wholly there, or zeros, as a power cut leaves of a file that had grown.
 * A batch whose length is damaged looks as torn as that, but whole batches follow it.
 */
function holdsOnlyTornBatch(context: LogContext, end: VerifiedEnd): boolean {
  const { fs } = context.system
  const fd = fs.open(`${context.directory}/${fileOf(end)}`, 'read')
  try {
    if (end.stop.kind === 'incomplete') return !mayHoldWholeBatch(context, fd, end)
    for (const bytes of piecesOf(context.system.fs, fd, end.position)) {
      if (bytes.some((byte) => byte !== 0)) return false
    }
    return true
  } finally {
    fs.close(fd)
  }
}

/**
 * Whether a whole batch that could follow begins anywhere behind the end. Where that would take too long to tell it may: what is
 * kept in quarantine is not lost. The caller holds the append lock, so that hostile bytes must not make this long.
 */
function mayHoldWholeBatch(
  { system: { fs } }: LogContext,
  fd: number,
  { position, offset, leaderEpoch }: VerifiedEnd,
): boolean {
  const { sizeBytes } = fs.fileStatus(fd)
  const found = findWholeBatch({
    fs,
    fd,
    fromPosition: position + 1,
    sizeBytes,
    maxSummedBytes: SUMMED_PER_BYTE * (sizeBytes - position),
    accepts: (header) =>
      header.baseOffset >= offset &&
      header.baseOffset < offset + OFFSETS_OF_SEGMENT &&
      header.leaderEpoch >= leaderEpoch &&
      header.recordCount > 0 &&
      areAttributesKnown(header) &&
      isCountPlausible(header),
  })
  return found !== 'none'
}
