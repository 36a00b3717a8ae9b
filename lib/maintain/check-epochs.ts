/** Checks the leader epoch files against the batches of the log. The rules are those of format-spec/leader-epoch-checkpoint.md. */
import { LEADER_EPOCH_CHECKPOINT_FILE, LEADER_EPOCH_IDS_FILE } from '../log/file-names.js'
import { readLeaderEpochs } from '../log/leader-epoch-file.js'
import { formatLeaderEpochCheckpoint, type LeaderEpoch } from '../log/leader-epochs.js'
import type { ViewContext } from '../log/log-view.js'
import type { EpochRun } from './check-segment.js'
import { readSmallFile } from '../system/durable.js'
import type { Finding } from './finding.js'
import { oddKind } from './odd-file.js'

/** What the checkpoint says; undefined when it is missing, damaged or no file. */
export function epochsOf(context: ViewContext): LeaderEpoch[] | undefined {
  for (const name of [LEADER_EPOCH_CHECKPOINT_FILE, LEADER_EPOCH_IDS_FILE]) {
    if (oddKind(context.system.fs, `${context.directory}/${name}`) !== undefined) return undefined
  }
  return readLeaderEpochs(context)
}

/** The epoch of an offset; undefined below the first one. */
export function epochAt(epochs: readonly LeaderEpoch[] | undefined, offset: number): number | undefined {
  return epochs?.findLast(({ startOffset }) => startOffset <= offset)?.epoch
}

export interface EpochEvidence {
  readonly runs: readonly EpochRun[]
  /** The log end offset. */
  readonly endOffset: number
  /** As the state block has it, when it can be read. */
  readonly stateEpoch: number | undefined
  /** A partition of logq's own has a checkpoint from the beginning. */
  readonly isOwn: boolean
}

/** At most one finding: whatever is wrong, the files are written anew as a whole. */
export function checkEpochs(
  context: ViewContext,
  epochs: readonly LeaderEpoch[] | undefined,
  evidence: EpochEvidence,
): Finding | undefined {
  const { fs } = context.system
  const wrong = (name: string, message: string): Finding => ({ kind: 'cache', file: `${context.directory}/${name}`, message })
  for (const name of [LEADER_EPOCH_CHECKPOINT_FILE, LEADER_EPOCH_IDS_FILE]) {
    const odd = oddKind(fs, `${context.directory}/${name}`)
    if (odd !== undefined) return wrong(name, `${odd} stands in place of the file`)
  }
  if (epochs === undefined) {
    if (evidence.runs.length === 0 && !evidence.isOwn) return undefined
    return wrong(LEADER_EPOCH_CHECKPOINT_FILE, 'the checkpoint of leader epochs is missing or damaged')
  }
  const written = readSmallFile(fs, `${context.directory}/${LEADER_EPOCH_CHECKPOINT_FILE}`)
  if (written !== undefined && Buffer.compare(written, formatLeaderEpochCheckpoint(epochs)) !== 0)
    return wrong(LEADER_EPOCH_CHECKPOINT_FILE, 'the checkpoint of leader epochs has not the form that it should have')
  const contradiction = contradictionOf(epochs, evidence)
  if (contradiction !== undefined) return wrong(LEADER_EPOCH_CHECKPOINT_FILE, contradiction)
  const ids = readSmallFile(fs, `${context.directory}/${LEADER_EPOCH_IDS_FILE}`)
  return ids === undefined || idsFit(ids, epochs)
    ? undefined
    : wrong(LEADER_EPOCH_IDS_FILE, 'the ids of leader epochs are damaged, or one is missing')
}

function contradictionOf(
  epochs: readonly LeaderEpoch[],
  { runs, endOffset, stateEpoch, isOwn }: EpochEvidence,
): string | undefined {
  // Kafka lets the first epoch begin at the log start offset, and may keep the segment that this lies in.
  const first = isOwn ? 0 : (epochs[0]?.startOffset ?? 0)
  for (const { epoch, startOffset, endOffset: runEnd } of runs) {
    for (const offset of [startOffset, runEnd - 1]) {
      if (offset >= first && epochAt(epochs, offset) !== epoch)
        return `it does not have offset ${offset} in leader epoch ${epoch}, as the log has it`
    }
  }
  const beyond = epochs.find(({ startOffset }) => startOffset > endOffset)
  if (beyond !== undefined)
    return `leader epoch ${beyond.epoch} begins at offset ${beyond.startOffset}, behind the end of the log`
  const highest = epochs.at(-1)?.epoch
  if (stateEpoch === undefined || highest === stateEpoch) return undefined
  return `the last leader epoch is ${String(highest)}, the state block has ${stateEpoch}`
}

/** Kafka began epochs that have no ids, before a partition was handed over; the later ones all have one. */
function idsFit(file: Uint8Array, epochs: readonly LeaderEpoch[]): boolean {
  const text = Buffer.from(file).toString('latin1')
  const [version, count, ...lines] = text.slice(0, -1).split('\n')
  if (version !== '0' || count !== String(lines.length) || !text.endsWith('\n')) return false
  const named = lines.map((line) => Number(/^(0|[1-9]\d*) [0-9a-f]{16}$/.exec(line)?.[1] ?? NaN))
  if (named.some((epoch, n) => Number.isNaN(epoch) || epoch <= (named[n - 1] ?? -1))) return false
  const [first] = named
  if (first === undefined) return true
  const own = epochs.filter(({ epoch }) => epoch >= first)
  return own.length > 0 && own.every(({ id }) => id !== undefined)
}
