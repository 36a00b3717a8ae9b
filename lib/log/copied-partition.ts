/**
 * The small files of a partition whose segments were copied into a directory that is in no store yet: what createPartition writes
 * for an empty log. The order does not matter, since nobody knows the directory; everything is durable on return, but its name.
 */
import { writeFully, openOrCreateFile, type Ownership } from '../system/durable.js'
import type { System } from '../system/system.js'
import { LOCK_FILE, LOG_SUFFIX, segmentFileName } from './file-names.js'
import { writeKnownGaps, type OffsetGap } from './known-gaps.js'
import { newEpochId, writeLeaderEpochs } from './leader-epoch-file.js'
import type { LeaderEpoch } from './leader-epochs.js'
import type { LogContext } from './log-context.js'
import { writeLogStartOffset } from './log-start-offset-file.js'
import { writeRecoveryPoint } from './recovery-point-file.js'
import type { SegmentTail } from './segment-tail.js'
import { encodeStateBlock } from './state-block.js'
import { stateOfEnd } from './tail-state.js'

export interface CopiedLog {
  /** Of the last segment, which is on the device like those before it. */
  readonly tail: SegmentTail
  readonly logStartOffset: number
  /** Those that the batches name; a new one begins at the end. */
  readonly epochs: readonly LeaderEpoch[]
  /** Offsets above the log start that no batch has. */
  readonly gaps: readonly OffsetGap[]
}

export function completePartition(system: System, directory: string, ownership: Ownership, log: CopiedLog): void {
  const config = () => ({ segmentBytes: 0, segmentMs: 0, indexIntervalBytes: 0 })
  const context: LogContext = { system, directory, topic: '', partition: 0, ownership, config }
  const { tail, logStartOffset, epochs, gaps } = log
  // Without the file a log starts at 0, and what is not there is a loss.
  if (logStartOffset > 0) writeLogStartOffset(context, logStartOffset)
  if (gaps.length > 0) writeKnownGaps(context, gaps)
  // Two logs may have an epoch of this number: what is appended here from now on belongs to one of its own.
  const leaderEpoch = (epochs.at(-1)?.epoch ?? -1) + 1
  writeLeaderEpochs(context, [...epochs, { epoch: leaderEpoch, startOffset: tail.logEndOffset, id: newEpochId(context) }])
  writeRecoveryPoint(context, { offset: tail.logEndOffset, segmentBaseOffset: tail.baseOffset, position: tail.logBytes })
  writeStateBlock(system, directory, ownership, tail, leaderEpoch)
  system.fs.syncDirectory(directory)
}

function writeStateBlock(
  system: System,
  directory: string,
  ownership: Ownership,
  tail: SegmentTail,
  leaderEpoch: number,
): void {
  const { fs } = system
  const log = fs.pathStatus(`${directory}/${segmentFileName(tail.baseOffset, LOG_SUFFIX)}`)
  const path = `${directory}/${LOCK_FILE}`
  const fd = openOrCreateFile(system, path, ownership)
  try {
    const { device = 0, inode = 0 } = log ?? {}
    const end = { status: 'live', leaderEpoch, syncedOffset: tail.logEndOffset, tail, device, inode } as const
    writeFully(fs, fd, encodeStateBlock(stateOfEnd(system, end, log !== undefined)), 0, path)
    fs.fdatasyncBlocking(fd)
  } finally {
    fs.close(fd)
  }
}
