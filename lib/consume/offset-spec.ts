/**
 * Where to begin and where to end, as a value, and what it comes to in one partition. A specification holds for each partition
 * by itself, and ends are excluded.
 */
import { isSurelyStable, readEndOffset, tellHeldBack } from '../log/last-stable-offset.js'
import { listSegments, logEndOffset, logStartOffset, offsetForTimestamp, type ViewContext } from '../log/log-view.js'

export type Point =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'offset'; readonly offset: number }
  /** The record `count` before the log end offset; 0 is the end. */
  | { readonly kind: 'before-end'; readonly count: number }
  /** The record `count` after the log start offset; 0 is the start. */
  | { readonly kind: 'after-start'; readonly count: number }

export type TimePoint =
  | { readonly kind: 'absolute'; readonly timestampMs: number }
  /** From now, or, at the end of a range whose start is absolute, from that start. Negative is the past. */
  | { readonly kind: 'relative'; readonly ms: number }

export type OffsetSpec =
  | { readonly kind: 'point'; readonly point: Point }
  | { readonly kind: 'range'; readonly from: Point | undefined; readonly to: Point | undefined }
  | { readonly kind: 'time'; readonly time: TimePoint }
  | { readonly kind: 'time-range'; readonly from: TimePoint | undefined; readonly to: TimePoint | undefined }

/** What a specification comes to in one partition, at the moment of asking. */
export interface OffsetRange {
  readonly fromOffset: number
  /** Excluded. Where the specification has no end, that of what can be read. */
  readonly toOffset: number
  /** Whether the specification itself has an end, so that following would be in vain. */
  readonly hasEnd: boolean
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** What was asked for, when it lies below the log start offset and was clamped. */
  readonly clampedFrom: number | undefined
}

/**
 * Reads the offsets of the partition and, for times, its indexes. `nowMs` is what relative times count from. Where records of open
 * transactions are not read, the end is the last stable offset; it is looked up only when the specification counts from the end, or
 * `needsEnd` says that the range must not go beyond it: a reader that goes forwards finds it by itself.
 */
export async function resolveOffsets(
  context: ViewContext,
  spec: OffsetSpec,
  nowMs: number,
  needsEnd = false,
  signal?: AbortSignal,
): Promise<OffsetRange> {
  const segments = listSegments(context)
  const start = logStartOffset(context, segments)
  const logEnd = logEndOffset(context, segments)
  const within = (end: number) => ends(context, segments, spec, nowMs, start, end, signal)
  const asked = await within(logEnd)
  const isLookedUp = needsEnd || countsFromEnd(spec) || !isSurelyStable(context, asked.from ?? start)
  const end = isLookedUp ? readEndOffset(context, segments, logEnd) : logEnd
  const { from, to } = end < logEnd ? await within(end) : asked
  const fromOffset = Math.max(from ?? start, start)
  if (end < logEnd) tellHeldBack(context, end, Math.min(asked.to ?? logEnd, logEnd))
  return {
    fromOffset,
    toOffset: Math.min(to ?? end, end),
    hasEnd: to !== undefined,
    logStartOffset: start,
    logEndOffset: logEnd,
    clampedFrom: from !== undefined && from < start ? from : undefined,
  }
}

function countsFromEnd(spec: OffsetSpec): boolean {
  const isEnd = (point: Point | undefined) => point?.kind === 'end' || point?.kind === 'before-end'
  return spec.kind === 'point' ? isEnd(spec.point) : spec.kind === 'range' && (isEnd(spec.from) || isEnd(spec.to))
}

async function ends(
  context: ViewContext,
  segments: readonly number[],
  spec: OffsetSpec,
  nowMs: number,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<{ from: number | undefined; to: number | undefined }> {
  const at = (point: Point | undefined) => (point === undefined ? undefined : pointOffset(point, start, end))
  const when = async (timestampMs: number | undefined) =>
    timestampMs === undefined ? undefined : ((await offsetForTimestamp(context, segments, timestampMs, signal)) ?? end)
  switch (spec.kind) {
    case 'point':
      return { from: at(spec.point), to: undefined }
    case 'range':
      return { from: at(spec.from), to: at(spec.to) }
    case 'time':
    case 'time-range': {
      const { fromMs, toMs } = resolveTimes(spec, nowMs)
      const found = await when(fromMs)
      // A time is no promise that what it names is still there.
      const from = found === undefined ? undefined : Math.max(found, start)
      const to = await when(toMs)
      return { from, to: to ?? (spec.kind === 'time-range' && toMs !== undefined ? end : undefined) }
    }
  }
}

function pointOffset(point: Point, start: number, end: number): number {
  switch (point.kind) {
    case 'start':
      return start
    case 'end':
      return end
    case 'offset':
      return point.offset
    case 'before-end':
      // Fewer records than asked for is no reason to speak of clamping.
      return Math.max(start, end - point.count)
    case 'after-start':
      return start + point.count
  }
}

/** The times of a specification in ms since the Unix epoch; an absent end of a range stays undefined. */
export function resolveTimes(
  spec: Extract<OffsetSpec, { readonly kind: 'time' | 'time-range' }>,
  nowMs: number,
): { readonly fromMs: number | undefined; readonly toMs: number | undefined } {
  if (spec.kind === 'time') return { fromMs: absolute(spec.time, nowMs), toMs: undefined }
  const fromMs = spec.from === undefined ? undefined : absolute(spec.from, nowMs)
  const toBaseMs = spec.from?.kind === 'absolute' ? spec.from.timestampMs : nowMs
  return { fromMs, toMs: spec.to === undefined ? undefined : absolute(spec.to, toBaseMs) }
}

function absolute(time: TimePoint, baseMs: number): number {
  return time.kind === 'absolute' ? time.timestampMs : baseMs + time.ms
}
