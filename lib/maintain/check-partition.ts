/**
 * Checks a partition: all segments, all small files, and how they fit together. Reads only, and takes no lock: what others append
 * meanwhile is beyond the end that it looks at.
 */
import { CorruptionError, systemErrorCode } from '../errors.js'
import {
  LEADER_EPOCH_CHECKPOINT_FILE,
  LOCK_FILE,
  LOG_START_OFFSET_FILE,
  LOG_SUFFIX,
  RECOVERY_POINT_FILE,
  segmentFileName,
} from '../log/file-names.js'
import { readLeaderEpochs } from '../log/leader-epoch-file.js'
import { readLogStartOffset } from '../log/log-start-offset-file.js'
import { listSegments, readStateBlock, type ViewContext } from '../log/log-view.js'
import { readRecoveryPoint } from '../log/recovery-point-file.js'
import { checkSegment, type SegmentCheck, type SegmentExpectations } from './check-segment.js'
import type { Finding } from './finding.js'
import { isKnownGap, readKnownGaps } from './known-gaps.js'

export interface PartitionCheck {
  readonly topic: string
  readonly partition: number
  readonly segmentCount: number
  readonly batchCount: number
  readonly recordCount: number
  /** Bytes of whole batches. */
  readonly sizeBytes: number
  readonly findings: readonly Finding[]
  readonly segments: readonly SegmentCheck[]
}

export interface CheckOptions {
  /** Offsets may be missing: the topic is compacted, or Kafka wrote it. */
  readonly gapsAreNormal: boolean
  /** The first segment must begin at the log start offset, as logq's own do. */
  readonly startsAtLogStart: boolean
  readonly signal?: AbortSignal
}

const IN_FLIGHT_LOOK_MS = 30

/** Throws a system error when the directory cannot be read at all. */
export async function checkPartition(context: ViewContext, options: CheckOptions): Promise<PartitionCheck> {
  const bases = listSegments(context)
  const findings: Finding[] = []
  const segments = await checkSegments(context, bases, options, findings)
  checkStart(context, bases, options, findings)
  checkEnd(context, segments, findings)
  checkEpochs(context, segments, findings)
  checkState(context, findings)
  const sum = (of: (check: SegmentCheck) => number) => segments.reduce((total, check) => total + of(check), 0)
  return {
    topic: context.topic,
    partition: context.partition,
    segmentCount: segments.length,
    batchCount: sum((check) => check.batchCount),
    recordCount: sum((check) => check.recordCount),
    sizeBytes: sum((check) => check.position),
    findings,
    segments,
  }
}

async function checkSegments(
  context: ViewContext,
  bases: readonly number[],
  options: CheckOptions,
  findings: Finding[],
): Promise<SegmentCheck[]> {
  const gaps = readKnownGaps(context)
  const mayMiss = (fromOffset: number, toOffset: number) => options.gapsAreNormal || isKnownGap(gaps, fromOffset, toOffset)
  const segments: SegmentCheck[] = []
  let expectedOffset = bases[0] ?? 0
  let previousEpoch = 0
  for (const [n, base] of bases.entries()) {
    const file = pathOf(context, base)
    const endsBad = segments.at(-1)?.badRanges.at(-1)?.toOffset === undefined && (segments.at(-1)?.badRanges.length ?? 0) > 0
    if (base > expectedOffset && !endsBad && !mayMiss(expectedOffset, base)) {
      const message = `offsets ${expectedOffset} to ${base - 1} are missing before this segment`
      findings.push({ kind: 'damage', file, offset: expectedOffset, message })
    }
    if (base < expectedOffset) {
      const message = `the segment before it ends at offset ${expectedOffset}, above this segment's base`
      findings.push({ kind: 'damage', file, position: 0, offset: base, message })
    }
    const expected = { expectedOffset: Math.max(expectedOffset, base), previousEpoch, limitOffset: bases[n + 1], mayMiss }
    const check = await checkOne(context, base, expected, options.signal)
    if (check === undefined) continue
    segments.push(check)
    nameBadRanges(context, check, bases[n + 1] === undefined, findings)
    findings.push(...check.indexFindings)
    expectedOffset = Math.max(expectedOffset, check.nextOffset)
    previousEpoch = check.epochs.at(-1)?.epoch ?? previousEpoch
  }
  return segments
}

/** Undefined when the segment was retained away meanwhile. A batch that is half-way in gets the time to get in. */
async function checkOne(
  context: ViewContext,
  base: number,
  expected: SegmentExpectations,
  signal: AbortSignal | undefined,
): Promise<SegmentCheck | undefined> {
  try {
    const check = await checkSegment(context, base, expected, signal)
    if (check.badRanges.length === 0 || expected.limitOffset !== undefined) return check
    await context.system.clock.sleep(IN_FLIGHT_LOOK_MS, signal)
    return await checkSegment(context, base, expected, signal)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Damage, except at the end of the active segment above the recovery point. */
function nameBadRanges(context: ViewContext, check: SegmentCheck, isActive: boolean, findings: Finding[]): void {
  const point = readRecoveryPoint(context)
  const file = pathOf(context, check.baseOffset)
  for (const { from, to, fromOffset, toOffset, reason } of check.badRanges) {
    const isSynced = point?.segmentBaseOffset === check.baseOffset ? from < point.position : fromOffset < (point?.offset ?? 0)
    if (isActive && !isSynced && toOffset === undefined) {
      const isLogq = context.system.fs.pathStatus(`${context.directory}/${LOCK_FILE}`) !== undefined
      const what = isLogq ? 'above what was synced; the next append cuts it off' : 'the log ends here'
      findings.push({ kind: 'note', file, position: from, offset: fromOffset, message: `${reason} (${what})` })
    } else {
      const until = toOffset === undefined ? 'nothing after it can be read' : `reading goes on at offset ${toOffset}`
      findings.push({
        kind: 'damage',
        file,
        position: from,
        offset: fromOffset,
        message: `${reason}: ${to - from} bytes; ${until}`,
      })
    }
  }
}

function checkStart(context: ViewContext, bases: readonly number[], options: CheckOptions, findings: Finding[]): void {
  const start = checkLogStartOffset(context, findings) ?? 0
  const first = bases[0] ?? 0
  if (!options.startsAtLogStart || first <= start) return
  const message = `the segments before offset ${first} are missing`
  findings.push({ kind: 'damage', file: context.directory, offset: start, message })
}

/** Everything below the recovery point was on the device once. */
function checkEnd(context: ViewContext, segments: readonly SegmentCheck[], findings: Finding[]): void {
  const point = readRecoveryPoint(context)
  const last = segments.at(-1)
  const nextOffset = last?.nextOffset ?? 0
  if (point === undefined || nextOffset >= point.offset || (last?.badRanges.length ?? 0) > 0) return
  const message = `the log ends at offset ${nextOffset}, but everything below ${point.offset} was synced`
  findings.push({ kind: 'damage', file: `${context.directory}/${RECOVERY_POINT_FILE}`, offset: nextOffset, message })
}

function checkEpochs(context: ViewContext, segments: readonly SegmentCheck[], findings: Finding[]): void {
  const file = `${context.directory}/${LEADER_EPOCH_CHECKPOINT_FILE}`
  const inLog = segments.flatMap(({ epochs }) => epochs)
  const checkpoint = readLeaderEpochs(context)
  if (checkpoint === undefined) {
    if (inLog.length > 0)
      findings.push({ kind: 'cache', file, message: 'the checkpoint of leader epochs is missing or damaged' })
    return
  }
  for (const { epoch, startOffset } of inLog) {
    if (checkpoint.some((entry) => entry.epoch === epoch && entry.startOffset <= startOffset)) continue
    findings.push({
      kind: 'cache',
      file,
      offset: startOffset,
      message: `leader epoch ${epoch}, which begins by offset ${startOffset}, is not in it`,
    })
    return
  }
}

function checkState(context: ViewContext, findings: Finding[]): void {
  const file = `${context.directory}/${LOCK_FILE}`
  if (context.system.fs.pathStatus(file) === undefined) return
  const state = readStateBlock(context)
  if (state === undefined) {
    findings.push({ kind: 'note', file, position: 0, message: 'the state block is damaged; the next append scans' })
  } else if (state.status === 'sync-failed') {
    findings.push({
      kind: 'damage',
      file,
      offset: state.syncedOffset,
      message: `an fsync failed: records from offset ${state.syncedOffset} on may be lost`,
    })
  }
}

function checkLogStartOffset(context: ViewContext, findings: Finding[]): number | undefined {
  try {
    return readLogStartOffset(context)
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    findings.push({
      kind: 'damage',
      file: `${context.directory}/${LOG_START_OFFSET_FILE}`,
      position: 0,
      message: 'the log start offset cannot be read',
    })
    return undefined
  }
}

function pathOf(context: ViewContext, base: number): string {
  return `${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`
}
