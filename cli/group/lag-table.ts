/** Lag, as columns for people and as JSON lines for programs. */
import type { PartitionLag } from '../../lib/consume/group/lag.js'
import { table } from '../table.js'

export function lagTable(lags: readonly PartitionLag[]): string[] {
  const rows = lags.map((lag) => [
    lag.group,
    lag.topic,
    String(lag.partition),
    lag.currentOffset === undefined ? '-' : String(lag.currentOffset),
    String(lag.logEndOffset),
    String(lag.lagRecords),
    String(lag.lagBytes),
    seconds(lag.lagMs),
    lag.member ?? '-',
  ])
  const head = [
    'GROUP',
    'TOPIC',
    'PARTITION',
    'CURRENT-OFFSET',
    'LOG-END-OFFSET',
    'LAG',
    'LAG-BYTES',
    'LAG-SECONDS',
    'CONSUMER-ID',
  ]
  return table(head, rows, { lastIsText: true })
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
