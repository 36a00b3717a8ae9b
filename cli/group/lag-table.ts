/** Lag, as columns for people and as JSON lines for programs. */
import type { PartitionLag } from '../../lib/consume/group/lag.js'
import { table } from '../table.js'

const OFFSET_COLUMNS = ['TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG']

/** Of any number of groups. */
export function lagTable(lags: readonly PartitionLag[]): string[] {
  const rows = lags.map((lag) => [lag.group, ...cellsOf(lag), lag.member ?? '-'])
  return table(['GROUP', ...OFFSET_COLUMNS, 'LAG-BYTES', 'LAG-SECONDS', 'CONSUMER-ID'], rows, { lastIsText: true })
}

/** Of one group, which is named above it: within 80 columns for names of an ordinary length. `memberName` shortens those of members. */
export function lagTableOfGroup(lags: readonly PartitionLag[], memberName: (member: string) => string): string[] {
  const rows = lags.map((lag) => [...cellsOf(lag), lag.member === undefined ? '-' : memberName(lag.member)])
  return table([...OFFSET_COLUMNS, 'BYTES', 'SECONDS', 'CONSUMER-ID'], rows, { lastIsText: true, isNarrow: true })
}

function cellsOf({ topic, partition, currentOffset, logEndOffset, lagRecords, lagBytes, lagMs }: PartitionLag): string[] {
  const numbers = [partition, currentOffset ?? '-', logEndOffset, lagRecords, lagBytes]
  return [topic, ...numbers.map(String), seconds(lagMs)]
}

export function lagJson(lag: PartitionLag): string {
  const {
    group,
    topic,
    partition,
    currentOffset,
    logStartOffset,
    logEndOffset,
    lagRecords,
    lagBytes,
    lagMs,
    member,
    committedAtMs,
  } = lag
  const line = {
    group,
    topic,
    partition,
    currentOffset: currentOffset ?? null,
    logStartOffset,
    logEndOffset,
    lagRecords,
    lagBytes,
    lagMs,
    member: member ?? null,
    committedAtMs: committedAtMs ?? null,
  }
  return JSON.stringify(line)
}

/** To the millisecond, without digits that say nothing. */
function seconds(ms: number): string {
  return String(ms / 1000)
}
