/** Brings one segment back from an archive, with its indexes, into a directory that is in no store yet. */
import { CorruptionError } from '../errors.js'
import { indexableTimestamp } from '../log/batch-places.js'
import { BatchScanner, misfit } from '../log/batch-scanner.js'
import type { OffsetGap } from '../log/known-gaps.js'
import { SegmentFiles } from '../log/segment-files.js'
import type { CopyPlace } from '../log/segment-copy.js'
import { SegmentTail, type IndexSink } from '../log/segment-tail.js'
import type { ArchivedEpoch, ArchivedPartition, ArchivedSegment } from '../store/archive/manifest.js'
import { shortWriteError, writeFully } from '../system/durable.js'
import type { Location } from '../system/location/location.js'
import type { System } from '../system/system.js'
import { readObject } from './archived-object.js'

export interface RestoredSegment {
  readonly tail: SegmentTail
  /** Offsets between base and end that no batch has. */
  readonly gaps: readonly OffsetGap[]
  readonly epochs: readonly ArchivedEpoch[]
}

/**
 * The files are on the device on return; their names are the caller's to sync. Throws CorruptionError for an object that is not what the
 * manifest says, or is no segment; or an error of the location or the system.
 */
export async function restoreSegment(
  system: System,
  location: Location,
  partition: ArchivedPartition,
  segment: ArchivedSegment,
  { directory, ownership, indexIntervalBytes }: CopyPlace,
  signal?: AbortSignal,
): Promise<RestoredSegment> {
  const files = SegmentFiles.create(system, directory, segment.baseOffset, ownership)
  try {
    let position = 0
    for await (const piece of readObject(location, partition, segment, signal)) {
      writeFully(system.fs, files.logFd, piece, position, files.logPath)
      position += piece.length
    }
    const restored = indexSegment(system, files, partition, segment, indexIntervalBytes)
    const { offsetIndexFd, timeIndexFd } = files.indexDescriptors
    for (const fd of [files.logFd, offsetIndexFd, timeIndexFd]) await system.fs.fdatasync(fd)
    return restored
  } finally {
    files.close()
  }
}

function indexSegment(
  system: System,
  files: SegmentFiles,
  partition: ArchivedPartition,
  { baseOffset, endOffset }: ArchivedSegment,
  indexIntervalBytes: number,
): RestoredSegment {
  const tail = new SegmentTail(baseOffset)
  const failed = (bytes: Uint8Array): never => {
    throw shortWriteError(files.logPath.replace(/\.log$/, '.index'), 0, bytes.length)
  }
  const sink: IndexSink = {
    writeOffsetEntry: (bytes, position) => files.writeOffsetEntry(bytes, position) || failed(bytes),
    writeTimeEntry: (bytes, position) => files.writeTimeEntry(bytes, position) || failed(bytes),
  }
  const gaps: OffsetGap[] = []
  const epochs: ArchivedEpoch[] = []
  const scanner = new BatchScanner(system.fs, files.logFd, 0, { checkCrc: true })
  for (let step = scanner.next(); step.kind !== 'end'; step = scanner.next()) {
    const { position } = step
    const wrong = (what: string) =>
      new CorruptionError(
        `what was archived of '${partition.topic}-${partition.partition}' is damaged: ${what},`,
        { topic: partition.topic, partition: partition.partition, offset: tail.logEndOffset, file: files.logPath, position },
        { hint: 'nothing was restored of the partition; choose a range without it with -o' },
      )
    if (step.kind !== 'batch') throw wrong(step.reason)
    const { batch } = step
    const reason = misfit(batch, tail.logEndOffset, epochs.at(-1)?.epoch ?? 0, false)
    if (reason !== undefined) throw wrong(reason)
    if (batch.nextOffset > endOffset) throw wrong(`a batch ends at offset ${batch.lastOffset}, where the next segment begins`)
    if (batch.baseOffset > tail.logEndOffset) gaps.push({ fromOffset: tail.logEndOffset, toOffset: batch.baseOffset })
    const epoch = batch.partitionLeaderEpoch
    if (epoch > (epochs.at(-1)?.epoch ?? -1)) epochs.push({ epoch, startOffset: batch.baseOffset })
    const { lastOffset, sizeBytes } = batch
    tail.advance({ lastOffset, sizeBytes, maxTimestampMs: indexableTimestamp(batch) }, indexIntervalBytes, sink)
  }
  if (endOffset > tail.logEndOffset) gaps.push({ fromOffset: tail.logEndOffset, toOffset: endOffset })
  tail.finish(sink)
  return { tail, gaps, epochs }
}
