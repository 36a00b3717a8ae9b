/**
 * Checks a partition: all segments, all small files, and how they fit together. Reads only, and takes no lock: what others append
 * meanwhile is beyond the end that it looks at.
 */
import { systemErrorCode } from '../errors.js'
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
import { CorruptionError } from '../errors.js'
import { checkSegment, type SegmentCheck } from './check-segment.js'
import type { Finding } from './finding.js'

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
  const segments: SegmentCheck[] = []
  const start = checkLogStartOffset(context, findings)
  let expectedOffset = bases[0] ?? 0
  if (options.startsAtLogStart && expectedOffset > (start ?? 0)) {
    findings.push({
      kind: 'damage',
      file: context.directory,
      offset: start ?? 0,
      message: `the segments before offset ${expectedOffset} are missing`,
    })
  }
  let previousEpoch = 0
  for (const base of bases) {
    const isActive = base === bases.at(-1)
    if (base > expectedOffset && !options.gapsAreNormal) {
      findings.push({
        kind: 'damage',
        file: pathOf(context, base),
        offset: expectedOffset,
        message: `offsets ${expectedOffset} to ${base - 1} are missing before this segment`,
      })
    }
    const check = await checkOne(
      context,
      base,
      { expectedOffset: Math.max(expectedOffset, base), previousEpoch, contiguous: !options.gapsAreNormal, isActive },
      options.signal,
    )
    if (check === undefined) continue
    if (base < expectedOffset) {
      findings.push({
        kind: 'damage',
        file: pathOf(context, base),
        position: 0,
        offset: base,
        message: `the segment before it ends at offset ${expectedOffset}, above this segment's base`,
      })
    }
    segments.push(check)
    findings.push(...check.findings)
    expectedOffset = Math.max(expectedOffset, check.nextOffset)
    previousEpoch = check.epochs.at(-1)?.epoch ?? previousEpoch
  }
  checkEnds(context, segments, findings)
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

/** Undefined when the segment was retained away meanwhile. A batch that is half-way in gets the time to get in. */
async function checkOne(
  context: ViewContext,
  base: number,
  expected: Parameters<typeof checkSegment>[2],
  signal: AbortSignal | undefined,
): Promise<SegmentCheck | undefined> {
  try {
    const check = await checkSegment(context, base, expected, signal)
    if (check.stop === undefined || !expected.isActive) return check
    await context.system.clock.sleep(IN_FLIGHT_LOOK_MS, signal)
    return await checkSegment(context, base, expected, signal)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Where segments stop before their end: damage, except above the recovery point of the active one. */
function checkEnds(context: ViewContext, segments: readonly SegmentCheck[], findings: Finding[]): void {
  const point = readRecoveryPoint(context)
  const isLogq = context.system.fs.pathStatus(`${context.directory}/${LOCK_FILE}`) !== undefined
  for (const check of segments) {
    if (check.stop === undefined) continue
    const { position, reason } = check.stop
    const isActive = check === segments.at(-1)
    const isSynced =
      point?.segmentBaseOffset === check.baseOffset ? position < point.position : check.nextOffset < (point?.offset ?? 0)
    const file = pathOf(context, check.baseOffset)
    if (isActive && !isSynced) {
      const what = isLogq ? 'above what was synced; the next append cuts it off' : 'the log ends here'
      findings.push({ kind: 'note', file, position, offset: check.nextOffset, message: `${reason} (${what})` })
    } else {
      findings.push({ kind: 'damage', file, position, offset: check.nextOffset, message: reason })
    }
  }
  const last = segments.at(-1)
  if (point !== undefined && (last === undefined || last.nextOffset < point.offset) && last?.stop === undefined) {
    const message = `the log ends at offset ${last?.nextOffset ?? 0}, but everything below ${point.offset} was synced`
    findings.push({
      kind: 'damage',
      file: `${context.directory}/${RECOVERY_POINT_FILE}`,
      offset: last?.nextOffset ?? 0,
      message,
    })
  }
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
