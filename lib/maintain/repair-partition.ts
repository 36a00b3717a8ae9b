/**
 * Repairs a partition: every batch that can be read is kept, at its offset; what cannot is dropped, named, and kept in quarantine/
 * (format-spec/recovery.md, "repair"). A partition that is whole is not touched. Holds the append lock from the second look on. Steps,
 * each safe to be killed after, since a repetition finds the same damage or less:
 *
 *  1. Invalidate the state block.
 *  2. Move segments that stand under a wrong name to their own, and what is no segment to quarantine/.
 *  3. When records were lost or may have been: start a new leader epoch at the end, so that followers find the divergence, and note in
 *     known-gaps what is missing, so that a later check does not name it again.
 *  4. For each segment with damage, and the active one after a failed fsync: copy it whole to quarantine/; unlink the indexes;
 * write its good
 *     batches to a temporary file, sync it and rename it over the .log. There is no moment without a file.
 *  5. When records below the synced offset are missing at the end: a new segment there. Offsets that were acknowledged are not
 * given again.
 *  6. Write the small files that are wrong, and indexes that are missing or wrong.
 *  7. Put the recovery point at the end: everything up to there was synced just now.
 *  8. Recovery (lib/log/recovery.ts), which deals with what was never synced, and the state block: live.
 */
import { BatchScanner } from '../log/batch-scanner.js'
import { writeCleanerOffsets } from '../log/cleaner-file.js'
import {
  CLEANER_OFFSET_FILE,
  LEADER_EPOCH_CHECKPOINT_FILE,
  LEADER_EPOCH_IDS_FILE,
  LOCK_FILE,
  LOG_START_OFFSET_FILE,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  RECOVERY_POINT_FILE,
  TIME_INDEX_SUFFIX,
  segmentBaseOffsets,
  segmentFileName,
} from '../log/file-names.js'
import { newEpochId, writeLeaderEpochs } from '../log/leader-epoch-file.js'
import type { LeaderEpoch } from '../log/leader-epochs.js'
import type { LogContext } from '../log/log-context.js'
import { writeLogStartOffset } from '../log/log-start-offset-file.js'
import type { ViewContext } from '../log/log-view.js'
import { PartitionLock, topicRemoved, type LockWait } from '../log/partition-lock.js'
import { writeRecoveryPoint } from '../log/recovery-point-file.js'
import { recover, type QuarantineReport } from '../log/recovery.js'
import { SegmentFiles } from '../log/segment-files.js'
import type { StateBlock } from '../log/state-block.js'
import { stateOfEnd } from '../log/tail-state.js'
import { openOrCreateFile } from '../system/durable.js'
import type { SegmentCheck } from './check-segment.js'
import {
  endsBad,
  inspectPartition,
  type InspectOptions,
  type PartitionCheck,
  type PartitionInspection,
} from './inspect-partition.js'
import { KNOWN_GAPS_FILE, isKnownGap, readKnownGaps, writeKnownGaps, type OffsetGap } from '../log/known-gaps.js'
import { moveAside, placeSegments, unlinkIndexes, type MovedFile } from './move-files.js'
import { oddKind } from './odd-file.js'
import { droppedOffsets, rebuildIndexes, rewriteSegment, type RewrittenSegment } from './rewrite-segment.js'

export interface RepairReport {
  /** What was found. */
  readonly check: PartitionCheck
  /** One for each segment that was rewritten. */
  readonly rewritten: readonly RewrittenSegment[]
  /** Files that stood in a wrong place. */
  readonly moved: readonly MovedFile[]
  /** Indexes and small files that were built anew. */
  readonly rebuilt: readonly string[]
  /** What was never synced, was damaged, and was cut off; undefined when it was at most one batch half-way in. */
  readonly cut: QuarantineReport | undefined
}

const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const

/** Throws LOGQ_TOPIC_REMOVED, LOGQ_ABORTED (then nothing was changed), LOGQ_BUSY, or a system error. */
export async function repairPartition(
  context: LogContext,
  view: ViewContext,
  options: Pick<InspectOptions, 'gapsAreNormal'>,
  wait: LockWait = {},
): Promise<RepairReport> {
  const signal = wait.signal === undefined ? {} : { signal: wait.signal }
  const inspect = (holdsLock: boolean) => inspectPartition(view, { ...options, isOwn: true, holdsLock, ...signal })
  const first = await inspect(false)
  if (first.check.findings.length === 0) return nothingDone(first.check)
  const moved = provideLock(context)
  const lock = PartitionLock.open(context.system, context.directory)
  try {
    await lock.acquire(wait)
    try {
      const inspection = await inspect(true)
      if (lock.readState()?.status === 'deleted') throw topicRemoved(context.directory)
      if (inspection.check.findings.length === 0) return nothingDone(first.check)
      const report = await new Repair(context, view, options, lock).run(inspection)
      return { ...report, moved: [...moved, ...report.moved] }
    } finally {
      lock.release()
    }
  } finally {
    lock.close()
  }
}

function nothingDone(check: PartitionCheck): RepairReport {
  return { check, rewritten: [], moved: [], rebuilt: [], cut: undefined }
}

/** Nobody can hold a lock on what is missing or no file. */
function provideLock(context: LogContext): MovedFile[] {
  const { fs } = context.system
  const path = `${context.directory}/${LOCK_FILE}`
  const moved = oddKind(fs, path) === undefined ? [] : [moveAside(context, path)]
  if (fs.pathStatus(path) === undefined) {
    fs.close(openOrCreateFile(context.system, path, context.ownership))
    fs.syncDirectory(context.directory)
  }
  return moved
}

class Repair {
  readonly #moved: MovedFile[] = []
  readonly #rebuilt: string[] = []

  constructor(
    private readonly context: LogContext,
    private readonly view: ViewContext,
    private readonly options: Pick<InspectOptions, 'gapsAreNormal'>,
    private readonly lock: PartitionLock,
  ) {}

  /** From here on nothing is interrupted: an AbortSignal would leave the work half done. */
  async run(found: PartitionInspection): Promise<RepairReport> {
    const { context, lock } = this
    const { state } = found
    lock.noteHolder(state)
    if (state?.valid === true) lock.writeState({ ...state, valid: false }) // 1
    context.system.failpoint('repair.after-invalidate')
    const inspection = await this.#place(found) // 2
    context.system.failpoint('repair.after-place')
    const isSyncFailed = state?.status === 'sync-failed'
    const isDamaged = found.check.findings.some(({ kind }) => kind === 'damage')
    const damaged = inspection.segments.filter(
      (segment) => isSyncedDamage(inspection, segment) || (isSyncFailed && isLast(inspection, segment)),
    )
    const leaderEpoch = this.#settleEpochs(inspection, isDamaged) // 3
    this.#noteGaps(inspection, damaged)
    context.system.failpoint('repair.after-gaps')
    const rewritten = damaged.map((segment) => {
      const isNeeded = isLast(inspection, segment) && inspection.endOffset <= segment.baseOffset
      return rewriteSegment(context, segment, limitOf(inspection, segment), isNeeded) // 4
    })
    context.system.failpoint('repair.after-rewrite')
    this.#provideEnd(inspection) // 5
    context.system.failpoint('repair.after-end')
    this.#writeSmallFiles(inspection) // 6
    this.#rebuildIndexes(inspection, damaged)
    context.system.failpoint('repair.after-indexes')
    // Both slots: one of them may be damaged.
    for (const end of [endOf(context), endOf(context)]) writeRecoveryPoint(context, end) // 7
    context.system.failpoint('repair.after-recovery-point')
    const recovered = recover(context, leaderEpoch) // 8
    try {
      lock.writeState(stateAfter(context, recovered, state))
      lock.syncStatus()
    } finally {
      recovered.files.close()
    }
    return { check: found.check, rewritten, moved: this.#moved, rebuilt: this.#rebuilt, cut: recovered.quarantined }
  }

  /** Once files stand where they belong, the rest is looked at anew. */
  async #place(found: PartitionInspection): Promise<PartitionInspection> {
    const { context } = this
    this.#moved.push(...placeSegments(context, found.misplaced))
    for (const name of [
      LEADER_EPOCH_CHECKPOINT_FILE,
      LEADER_EPOCH_IDS_FILE,
      LOG_START_OFFSET_FILE,
      RECOVERY_POINT_FILE,
      KNOWN_GAPS_FILE,
      CLEANER_OFFSET_FILE,
    ]) {
      const path = `${context.directory}/${name}`
      if (oddKind(context.system.fs, path) !== undefined) this.#moved.push(moveAside(context, path))
    }
    const areGapsWrong = found.wrongFiles.has('known-gaps')
    if (areGapsWrong) this.#keepTrueGaps(found)
    if (found.misplaced.length === 0 && !areGapsWrong) return found
    return inspectPartition(this.view, { ...this.options, isOwn: true, holdsLock: true })
  }

  /** Returns the leader epoch that goes on from here; undefined when nothing knows of one. */
  #settleEpochs(inspection: PartitionInspection, isDamaged: boolean): number | undefined {
    const { context } = this
    const { epochs, wrongFiles, endOffset, state } = inspection
    const isWrong = epochs === undefined || wrongFiles.has('leader-epochs')
    const known = isWrong ? epochsOfLog(context, inspection) : epochs
    const highest = Math.max(known.at(-1)?.epoch ?? 0, state?.leaderEpoch ?? 0)
    const kept = known.filter(({ startOffset }) => !isDamaged || startOffset < endOffset)
    const leaderEpoch = isDamaged ? highest + 1 : highest
    const isNamed = kept.at(-1)?.epoch === leaderEpoch
    if (isWrong || !isNamed) {
      writeLeaderEpochs(
        context,
        isNamed ? kept : [...kept, { epoch: leaderEpoch, startOffset: endOffset, id: newEpochId(context) }],
      )
      if (isWrong) this.#rebuilt.push(`${context.directory}/${LEADER_EPOCH_CHECKPOINT_FILE}`)
    }
    return leaderEpoch
  }

  /** Without what is there after all; what is missing all the same is found by the second look. */
  #keepTrueGaps(inspection: PartitionInspection): void {
    const { context } = this
    const present = inspection.segments.flatMap(({ foundAgain }) => foundAgain ?? [])
    const isTrue = (gap: OffsetGap) => !present.some((offset) => gap.fromOffset <= offset && offset < gap.toOffset)
    writeKnownGaps(context, readKnownGaps(context).filter(isTrue))
    this.#rebuilt.push(`${context.directory}/${KNOWN_GAPS_FILE}`)
  }

  #noteGaps(inspection: PartitionInspection, damaged: readonly SegmentCheck[]): void {
    const { context } = this
    const known = readKnownGaps(context)
    const all = [...known]
    for (const gap of [
      ...inspection.gaps,
      ...damaged.flatMap((segment) => droppedOffsets(segment, limitOf(inspection, segment))),
    ]) {
      if (isKnownGap(all, gap.fromOffset, gap.toOffset)) continue
      all.splice(all.findLastIndex(({ fromOffset }) => fromOffset <= gap.fromOffset) + 1, 0, gap)
    }
    if (all.length > known.length) writeKnownGaps(context, all)
  }

  #provideEnd({ endOffset, segments }: PartitionInspection): void {
    const { context } = this
    const present = segmentBaseOffsets(context.system.fs.list(context.directory))
    const last = segments.at(-1)
    const isThere = last !== undefined && last.nextOffset >= endOffset && present.includes(last.baseOffset)
    if (isThere || present.includes(endOffset)) return
    SegmentFiles.create(context.system, context.directory, endOffset, context.ownership).close()
  }

  #writeSmallFiles(inspection: PartitionInspection): void {
    const { context } = this
    const { wrongFiles, gaps, check } = inspection
    const [first] = segmentBaseOffsets(context.system.fs.list(context.directory))
    // Nothing that is there may be hidden, and nothing that is not there promised.
    const isLater = check.findings.some(({ kind, file }) => kind === 'damage' && file === context.directory) && gaps.length > 0
    const isWrong = wrongFiles.has('log-start-offset')
    if (first !== undefined && (isWrong || (isLater && gaps.some(({ toOffset }) => toOffset === first))))
      writeLogStartOffset(context, first)
    if (isWrong) this.#rebuilt.push(`${context.directory}/${LOG_START_OFFSET_FILE}`)
    if (wrongFiles.has('recovery-point')) this.#rebuilt.push(`${context.directory}/${RECOVERY_POINT_FILE}`)
    if (wrongFiles.has('lock')) this.#rebuilt.push(`${context.directory}/${LOCK_FILE}`)
    if (wrongFiles.has('cleaner-offset')) this.#forgetCompaction()
  }

  /** Where compaction was, nobody knows: the next one begins at the start, and offsets may be missing anywhere below the end. */
  #forgetCompaction(): void {
    const { context } = this
    const active = segmentBaseOffsets(context.system.fs.list(context.directory)).at(-1) ?? 0
    writeCleanerOffsets(context, { cleanedOffset: 0, gapsOffset: active })
    this.#rebuilt.push(`${context.directory}/${CLEANER_OFFSET_FILE}`)
  }

  /** Those of the last segment are left to recovery, which walks it anyway. */
  #rebuildIndexes(inspection: PartitionInspection, damaged: readonly SegmentCheck[]): void {
    const { context } = this
    const present = segmentBaseOffsets(context.system.fs.list(context.directory))
    for (const segment of inspection.segments) {
      const { baseOffset, indexFindings } = segment
      const isDue = damaged.includes(segment) || indexFindings.length > 0
      if (!isDue || !present.includes(baseOffset)) continue
      const paths = INDEX_SUFFIXES.map((suffix) => `${context.directory}/${segmentFileName(baseOffset, suffix)}`)
      for (const path of paths) if (oddKind(context.system.fs, path) !== undefined) this.#moved.push(moveAside(context, path))
      if (baseOffset === present.at(-1)) unlinkIndexes(context, baseOffset)
      else rebuildIndexes(context, baseOffset)
      this.#rebuilt.push(...paths)
    }
  }
}

/** Whether a segment has to be rewritten. What is bad at the very end, and was never synced, is left to recovery. */
function isSyncedDamage(inspection: PartitionInspection, segment: SegmentCheck): boolean {
  if (segment.goodRanges.some(({ restored }) => restored !== undefined)) return true
  const isTailOnly = segment.badRanges.length === 1 && endsBad(segment) && isLast(inspection, segment)
  return segment.badRanges.length > 0 && !(isTailOnly && segment.nextOffset >= inspection.endOffset)
}

function isLast(inspection: PartitionInspection, segment: SegmentCheck): boolean {
  return segment === inspection.segments.at(-1)
}

/** Where the next segment begins, or the log ends. */
function limitOf({ segments, endOffset }: PartitionInspection, segment: SegmentCheck): number {
  return segments.find(({ baseOffset }) => baseOffset > segment.baseOffset)?.baseOffset ?? endOffset
}

/** The epochs that the batches name, with the ids that are known. */
function epochsOfLog(context: LogContext, { segments, epochs }: PartitionInspection): LeaderEpoch[] {
  const found: LeaderEpoch[] = []
  for (const { epoch, startOffset } of segments.flatMap((segment) => segment.epochs)) {
    if (epoch <= (found.at(-1)?.epoch ?? -1)) continue
    const id = epochs?.find((other) => other.epoch === epoch)?.id ?? newEpochId(context)
    found.push({ epoch, startOffset, id })
  }
  return found
}

/** The end of what is there now, every segment of it synced. */
function endOf(context: LogContext): { offset: number; segmentBaseOffset: number; position: number } {
  const { fs } = context.system
  const bases = segmentBaseOffsets(fs.list(context.directory))
  const segmentBaseOffset = bases.at(-1) ?? 0
  let end = { offset: segmentBaseOffset, segmentBaseOffset, position: 0 }
  for (const base of bases) {
    const fd = fs.open(`${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`, 'read-write')
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

function stateAfter(context: LogContext, recovered: ReturnType<typeof recover>, before: StateBlock | undefined): StateBlock {
  const { system } = context
  const { tail, files, leaderEpoch } = recovered
  const { device, inode } = system.fs.fileStatus(files.logFd)
  const status = before === undefined || before.status === 'sync-failed' ? 'live' : before.status
  return stateOfEnd(system, { status, leaderEpoch, syncedOffset: tail.logEndOffset, tail, device, inode }, true)
}
