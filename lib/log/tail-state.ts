/** The end of a log as the state block holds it, and back: append and repair write the same block (format-spec/lock.md). */
import type { System } from '../system/system.js'
import type { SegmentTail } from './segment-tail.js'
import type { PartitionStatus, StateBlock } from './state-block.js'

/** What a state block says beside the tail of the active segment. */
export interface LogEndState {
  readonly status: PartitionStatus
  readonly leaderEpoch: number
  readonly syncedOffset: number
  readonly tail: SegmentTail
  /** Of the active segment's .log. */
  readonly device: number
  readonly inode: number
}

export function stateOfEnd({ self }: Pick<System, 'self'>, end: LogEndState, valid: boolean): StateBlock {
  const { tail } = end
  return {
    status: end.status,
    valid,
    bootId: self.bootId,
    leaderEpoch: end.leaderEpoch,
    activeBaseOffset: tail.baseOffset,
    device: end.device,
    inode: end.inode,
    logBytes: tail.logBytes,
    logEndOffset: tail.logEndOffset,
    syncedOffset: end.syncedOffset,
    maxTimestampMs: tail.maxTimestampMs,
    maxTimestampOffset: tail.maxTimestampOffset,
    firstTimestampMs: tail.firstTimestampMs,
    bytesSinceIndexEntry: tail.bytesSinceIndexEntry,
    offsetIndexBytes: tail.offsetIndexBytes,
    timeIndexBytes: tail.timeIndexBytes,
    timeIndexTimestampMs: tail.timeIndexTimestampMs,
    holderPid: self.pid,
    holderStartTicks: self.startTicks,
  }
}

/** What a state block and a tail have in common. */
type TailFields = Pick<StateBlock, Exclude<keyof SegmentTail & keyof StateBlock, 'baseOffset'>>

/** Sets a tail of the same segment to what a state block, or another tail, says. */
export function copyTail(state: TailFields, tail: SegmentTail): void {
  tail.logBytes = state.logBytes
  tail.logEndOffset = state.logEndOffset
  tail.maxTimestampMs = state.maxTimestampMs
  tail.maxTimestampOffset = state.maxTimestampOffset
  tail.firstTimestampMs = state.firstTimestampMs
  tail.bytesSinceIndexEntry = state.bytesSinceIndexEntry
  tail.offsetIndexBytes = state.offsetIndexBytes
  tail.timeIndexBytes = state.timeIndexBytes
  tail.timeIndexTimestampMs = state.timeIndexTimestampMs
}
