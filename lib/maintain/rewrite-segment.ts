/** The two ways in which a repair writes a segment anew: the .log without what is bad in it, and the indexes. */
import { BatchPlaces } from '../log/batch-places.js'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName } from '../log/file-names.js'
import type { LogContext } from '../log/log-context.js'
import { quarantine } from '../log/recovery.js'
import { SegmentTail } from '../log/segment-tail.js'
import { stampBatch } from '../record/batch.js'
import { readUpTo, replaceFileInPieces } from '../system/durable.js'
import type { SegmentCheck } from './check-segment.js'
import type { OffsetGap } from '../log/known-gaps.js'
import { moveAside, unlinkIndexes } from './move-files.js'
import { oddKind } from './odd-file.js'

export interface RewrittenSegment {
  readonly file: string
  /** The whole segment as it was. */
  readonly quarantine: string
  readonly droppedBytes: number
  /** Offsets whose records are gone, as ranges without their ends. */
  readonly droppedOffsets: readonly OffsetGap[]
  /** Batches whose base offset or leader epoch was put right. */
  readonly restoredBatches: number
}

/** `limitOffset`: where the next segment begins, or the log ends. */
export function droppedOffsets({ badRanges }: SegmentCheck, limitOffset: number): OffsetGap[] {
  return badRanges.flatMap(({ fromOffset, toOffset = limitOffset }) =>
    toOffset > fromOffset ? [{ fromOffset, toOffset }] : [],
  )
}

/**
 * Copies a segment to quarantine/, and replaces it by its good batches, or removes it when there are none and others follow. One
 * atomic step: there is the old file or the new one.
 */
export function rewriteSegment(
  context: LogContext,
  check: SegmentCheck,
  limitOffset: number,
  isNeeded: boolean,
): RewrittenSegment {
  const { system } = context
  const { baseOffset, goodRanges, badRanges } = check
  const copy = quarantine(context, baseOffset, 0, baseOffset)
  const file = pathOf(context, baseOffset)
  unlinkIndexes(context, baseOffset)
  if (goodRanges.length === 0 && !isNeeded) {
    system.fs.unlink(file)
    system.fs.syncDirectory(context.directory)
  } else {
    const fd = system.fs.open(file, 'read')
    try {
      replaceFileInPieces(system, file, goodPieces(context, fd, check), context.ownership)
    } finally {
      system.fs.close(fd)
    }
  }
  return {
    file,
    quarantine: copy.path,
    droppedBytes: badRanges.reduce((sum, { from, to }) => sum + to - from, 0),
    droppedOffsets: droppedOffsets(check, limitOffset),
    restoredBatches: goodRanges.filter(({ restored }) => restored !== undefined).length,
  }
}

const PIECE_BYTES = 1 << 20

function* goodPieces(context: LogContext, fd: number, { goodRanges }: SegmentCheck): Iterable<Uint8Array> {
  for (const { from, to, restored } of goodRanges) {
    if (restored !== undefined) {
      const batch = readUpTo(context.system.fs, fd, from, to - from)
      stampBatch(batch, restored.baseOffset, restored.leaderEpoch)
      yield batch
      continue
    }
    for (let position = from; position < to; position += PIECE_BYTES) {
      yield readUpTo(context.system.fs, fd, position, Math.min(PIECE_BYTES, to - position))
    }
  }
}

/** Builds both indexes of a closed segment from its .log, each in one atomic step. Returns their paths. */
export function rebuildIndexes(context: LogContext, baseOffset: number): string[] {
  const { system, directory, ownership } = context
  const entries = { offset: [] as Uint8Array[], time: [] as Uint8Array[] }
  const sink = {
    writeOffsetEntry: (bytes: Uint8Array) => entries.offset.push(bytes) > 0,
    writeTimeEntry: (bytes: Uint8Array) => entries.time.push(bytes) > 0,
  }
  const tail = new SegmentTail(baseOffset)
  const fd = system.fs.open(pathOf(context, baseOffset), 'read')
  try {
    const { indexIntervalBytes } = context.config()
    for (const place of new BatchPlaces(system.fs, fd).from(0)) tail.advance(place, indexIntervalBytes, sink)
  } finally {
    system.fs.close(fd)
  }
  tail.finish(sink)
  return (
    [
      [OFFSET_INDEX_SUFFIX, entries.offset],
      [TIME_INDEX_SUFFIX, entries.time],
    ] as const
  ).map(([suffix, content]) => {
    const path = `${directory}/${segmentFileName(baseOffset, suffix)}`
    if (oddKind(system.fs, path) !== undefined) moveAside(context, path)
    replaceFileInPieces(system, path, content, ownership)
    return path
  })
}

function pathOf(context: LogContext, baseOffset: number): string {
  return `${context.directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`
}
