/** Reads and writes `leader-epoch-checkpoint` and `leader-epoch-ids`. Writers hold the append lock. */
import { readSmallFile, replaceFile } from '../system/durable.js'
import { LEADER_EPOCH_CHECKPOINT_FILE, LEADER_EPOCH_IDS_FILE } from './file-names.js'
import { formatLeaderEpochCheckpoint, formatLeaderEpochIds, parseLeaderEpochs, type LeaderEpoch } from './leader-epochs.js'
import type { LogContext } from './log-context.js'

/** Undefined when the checkpoint is missing or damaged. */
export function readLeaderEpochs(context: Pick<LogContext, 'system' | 'directory'>): LeaderEpoch[] | undefined {
  const { fs } = context.system
  const checkpoint = readSmallFile(fs, `${context.directory}/${LEADER_EPOCH_CHECKPOINT_FILE}`)
  if (checkpoint === undefined) return undefined
  return parseLeaderEpochs(checkpoint, readSmallFile(fs, `${context.directory}/${LEADER_EPOCH_IDS_FILE}`))
}

/** Ids first: an id without an epoch is harmless, an epoch without an id would be taken for one that Kafka began. */
export function writeLeaderEpochs(context: LogContext, epochs: readonly LeaderEpoch[]): void {
  const { system, directory, ownership } = context
  replaceFile(system, `${directory}/${LEADER_EPOCH_IDS_FILE}`, formatLeaderEpochIds(epochs), ownership)
  replaceFile(system, `${directory}/${LEADER_EPOCH_CHECKPOINT_FILE}`, formatLeaderEpochCheckpoint(epochs), ownership)
}

export function newEpochId(context: LogContext): string {
  return Buffer.from(context.system.random.bytes(8)).toString('hex')
}
