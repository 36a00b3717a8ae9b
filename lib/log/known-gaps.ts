/**
 * `known-gaps`: offsets that a repair dropped, so that a later check does not name them again (format-spec/recovery.md). Text, in the
 * form of Kafka's checkpoints: version 0, number of entries, one `fromOffset toOffset` a line, the end excluded.
 */
import type { LogContext } from './log-context.js'
import type { ViewContext } from './log-view.js'
import { readSmallFile, replaceFile } from '../system/durable.js'

export const KNOWN_GAPS_FILE = 'known-gaps'
const MAX_FILE_BYTES = 64 << 20

export interface OffsetGap {
  readonly fromOffset: number
  readonly toOffset: number
}

/** Empty when there is no such file, or it is damaged: then the gaps are named again, which harms nobody. */
export function readKnownGaps(context: Pick<ViewContext, 'system' | 'directory'>): OffsetGap[] {
  const bytes = readSmallFile(context.system.fs, `${context.directory}/${KNOWN_GAPS_FILE}`, MAX_FILE_BYTES)
  return bytes === undefined ? [] : (parseKnownGaps(bytes) ?? [])
}

/** Undefined when the text is damaged: wrong version, count or form, an empty range, or first offsets that fall. */
export function parseKnownGaps(bytes: Uint8Array): OffsetGap[] | undefined {
  const text = Buffer.from(bytes).toString('latin1')
  const [version, count, ...lines] = text.slice(0, -1).split('\n')
  if (version !== '0' || count !== String(lines.length) || !text.endsWith('\n')) return undefined
  const gaps: OffsetGap[] = []
  for (const line of lines) {
    const match = /^(0|[1-9]\d*) ([1-9]\d*)$/.exec(line)
    const gap = { fromOffset: Number(match?.[1]), toOffset: Number(match?.[2]) }
    const isInOrder = gap.fromOffset < gap.toOffset && gap.fromOffset >= (gaps.at(-1)?.fromOffset ?? 0)
    if (match === null || !isInOrder || !Number.isSafeInteger(gap.toOffset)) return undefined
    gaps.push(gap)
  }
  return gaps
}

export function writeKnownGaps(context: LogContext, gaps: readonly OffsetGap[]): void {
  const lines = [...gaps]
    .sort((a, b) => a.fromOffset - b.fromOffset)
    .map(({ fromOffset, toOffset }) => `${fromOffset} ${toOffset}`)
  const text = `${['0', String(lines.length), ...lines].join('\n')}\n`
  replaceFile(context.system, `${context.directory}/${KNOWN_GAPS_FILE}`, Buffer.from(text), context.ownership)
}

/** Whether every offset of [fromOffset, toOffset) lies in known gaps, which are in the order of their first offsets. */
export function isKnownGap(gaps: readonly OffsetGap[], fromOffset: number, toOffset: number): boolean {
  let place = fromOffset
  for (const gap of gaps) {
    if (place >= toOffset || gap.fromOffset > place) break
    if (gap.toOffset > place) place = gap.toOffset
  }
  return place >= toOffset
}
