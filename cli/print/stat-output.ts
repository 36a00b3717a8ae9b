/** What stat prints of a topic: a table for people and awk, or JSON. */
import { isUtf8 } from 'node:buffer'
import type { RecordGroups } from '../../lib/inspect/group-records.js'
import type { GroupBy, GroupId } from '../../lib/inspect/group-table.js'
import type { GroupTally, RecordPlace } from '../../lib/inspect/tally.js'
import { formatGroupBy, groupText } from '../values/group-by.js'
import type { OutputWriter } from '../output.js'
import { timestampText } from './timestamp.js'

export interface TopicGroups extends RecordGroups {
  readonly topic: string
  readonly by: GroupBy
}

/** A line for each group, then one for all of them together. */
export async function printTable(found: TopicGroups, withHead: boolean, output: OutputWriter): Promise<void> {
  const { by } = found
  const head = ['TOPIC', 'RECORDS', 'BYTES', 'SHARE', 'RECORDS/S', 'BYTES/S', 'FIRST', 'LAST', 'FIRST-AT', 'LAST-AT']
  const widths = head.map((title) => title.length)
  for (const cells of rows(found))
    cells.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)))
  const print = async (cells: readonly string[]): Promise<void> => {
    const line = cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')
    const wait = output.writeLine(line)
    if (wait !== undefined) await wait
  }
  widths[head.length] = 0
  if (withHead) await print([...head, by.kind === 'header' ? formatGroupBy(by) : by.kind.toUpperCase()])
  for (const cells of rows(found)) await print(cells)
}

/** Made anew for each walk: there may be a hundred thousand. The last cell is the group. */
function* rows({ topic, by, groups, total }: TopicGroups): Generator<string[], void, undefined> {
  for (const { id, tally } of groups) yield [topic, ...cellsOf(by, tally, total, false), groupText(by, id)]
  yield [topic, ...cellsOf(by, total, total, true), 'total']
}

function cellsOf(by: GroupBy, tally: GroupTally, total: GroupTally, isTotal: boolean): string[] {
  const { recordCount, sizeBytes, firstTimestampMs, lastTimestampMs } = tally
  const seconds = secondsOf(by, tally, isTotal)
  const perSecond = (count: number): string => (seconds === undefined ? '-' : (count / seconds).toFixed(2))
  const iso = (ms: number): string => timestampText(ms, 'iso', () => 0)
  const place = (at: RecordPlace | undefined): string => (at === undefined ? '-' : `${at.partition}@${at.offset}`)
  return [
    String(recordCount),
    String(sizeBytes),
    `${(100 * shareOf(tally, total)).toFixed(1)}%`,
    perSecond(recordCount),
    perSecond(sizeBytes),
    iso(firstTimestampMs),
    iso(lastTimestampMs),
    place(tally.first),
    place(tally.last),
  ]
}

/** A line for each group, then one for all of them together. */
export async function printJson({ topic, by, groups, groupCount, total }: TopicGroups, output: OutputWriter): Promise<void> {
  const print = async (fields: object, tally: GroupTally, isTotal: boolean): Promise<void> => {
    const line = { topic, by: formatGroupBy(by), ...fields, ...numbersOf(by, tally, total, isTotal) }
    const wait = output.writeLine(JSON.stringify(line))
    if (wait !== undefined) await wait
  }
  for (const { id, tally } of groups) await print(groupFields(id), tally, false)
  await print({ total: true, groupCount }, total, true)
}

function groupFields(id: GroupId): object {
  if (typeof id === 'number' || id === null) return { group: id }
  const bytes = Buffer.from(id, 'latin1')
  return isUtf8(bytes) ? { group: bytes.toString('utf8') } : { group: bytes.toString('base64'), groupEncoding: 'base64' }
}

function numbersOf(by: GroupBy, tally: GroupTally, total: GroupTally, isTotal: boolean): object {
  const { recordCount, sizeBytes, firstTimestampMs, lastTimestampMs, first, last } = tally
  const seconds = secondsOf(by, tally, isTotal)
  const perSecond = (count: number): number | null => (seconds === undefined ? null : count / seconds)
  return {
    recordCount,
    sizeBytes,
    share: shareOf(tally, total),
    recordsPerSecond: perSecond(recordCount),
    bytesPerSecond: perSecond(sizeBytes),
    firstTimestampMs,
    lastTimestampMs,
    firstPartition: first?.partition ?? null,
    firstOffset: first?.offset ?? null,
    lastPartition: last?.partition ?? null,
    lastOffset: last?.offset ?? null,
  }
}

/** What rates are taken over: the stretch of time of the group, or from its first to its last record; undefined when that is no time. */
function secondsOf(by: GroupBy, { firstTimestampMs, lastTimestampMs }: GroupTally, isTotal: boolean): number | undefined {
  if (firstTimestampMs === -1) return undefined
  if (by.kind === 'time' && !isTotal) return by.durationMs / 1000
  return lastTimestampMs > firstTimestampMs ? (lastTimestampMs - firstTimestampMs) / 1000 : undefined
}

function shareOf(tally: GroupTally, total: GroupTally): number {
  return total.recordCount === 0 ? 0 : tally.recordCount / total.recordCount
}
