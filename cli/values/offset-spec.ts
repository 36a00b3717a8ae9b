/**
 * Where to begin and where to end, as -o has it:
 *
 *     POINT   start  end  (earliest, latest)   N   -N (before the end)   +N (after the start)
 *     SPEC    POINT   [POINT]:[POINT]   @TIME   @[TIME]:[TIME]
 *     TIME    13 digits (ms)   10 digits (s)   YYYY-MM-DD (UTC)   RFC 3339 with a zone   ±DURATION from now
 *
 * A spec holds for each partition by itself, and ends are excluded.
 */
import type { OffsetSpec, Point, TimePoint } from '../../lib/consume/offset-spec.js'
import { usageError } from '../errors.js'
import { parseDuration, parseWholeNumber } from './units.js'

/** What seek, trim and consume take: one place, not a range. */
export type OffsetPlace = Extract<OffsetSpec, { readonly kind: 'point' | 'time' }>

export function parseOffsetSpec(text: string): OffsetSpec {
  if (text.startsWith('@')) return parseTimes(text)
  const colon = text.indexOf(':')
  if (colon === -1) return { kind: 'point', point: parsePoint(text, text) }
  const [from, to] = [text.slice(0, colon), text.slice(colon + 1)]
  return {
    kind: 'range',
    from: from === '' ? undefined : parsePoint(from, text),
    to: to === '' ? undefined : parsePoint(to, text),
  }
}

export function parseOffsetPlace(text: string): OffsetPlace {
  const spec = parseOffsetSpec(text)
  if (spec.kind === 'range' || spec.kind === 'time-range') {
    throw usageError(`'${text}' is a range`, 'one place is wanted here, such as start, end, 42, -10 or @2026-11-20')
  }
  return spec
}

function parsePoint(text: string, spec: string): Point {
  if (text === 'start' || text === 'earliest') return { kind: 'start' }
  if (text === 'end' || text === 'latest') return { kind: 'end' }
  if (/^-(0|[1-9]\d*)$/.test(text)) return { kind: 'before-end', count: parseWholeNumber(text.slice(1)) }
  if (/^\+(0|[1-9]\d*)$/.test(text)) return { kind: 'after-start', count: parseWholeNumber(text.slice(1)) }
  if (/^(0|[1-9]\d*)$/.test(text)) return { kind: 'offset', offset: parseWholeNumber(text) }
  if (looksLikeTime(text)) throw usageError(`invalid offset '${spec}'`, `a time is written with an @: @${spec}`)
  throw usageError(
    `invalid offset '${spec}'`,
    'an offset is start, end, 42, -10 (before the end), +10 (after the start), a range such as 10:20, or a time such as @2026-11-20 or @-1h:',
  )
}

function looksLikeTime(text: string): boolean {
  return /^\d{4}-\d\d/.test(text) || /^[+-]\d+(ms|s|m|h|d|w)$/.test(text)
}

function parseTimes(text: string): OffsetSpec {
  const first = readTime(text, 1)
  if (first.end === text.length) {
    if (first.time === undefined) throw invalidTime(text)
    return { kind: 'time', time: first.time }
  }
  if (text[first.end] !== ':') throw invalidTime(text)
  const second = readTime(text, first.end + 1)
  if (second.end !== text.length) throw invalidTime(text)
  return { kind: 'time-range', from: first.time, to: second.time }
}

/**
 * The form decides where a time ends, since RFC 3339 has colons of its own: the longest form that is followed by the end of the
 * text or by a colon.
 */
const timeForms: readonly { readonly pattern: RegExp; readonly parse: (match: RegExpExecArray) => TimePoint | undefined }[] = [
  {
    pattern: /(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)(?=:|$)/y,
    parse: (match) => fromMs(rfc3339Ms(match)),
  },
  { pattern: /(\d{4})-(\d\d)-(\d\d)(?=:|$)/y, parse: (match) => fromMs(dateMs(match)) },
  { pattern: /\d{13}(?=:|$)/y, parse: ([digits]) => fromMs(Number(digits)) },
  { pattern: /\d{10}(?=:|$)/y, parse: ([digits]) => fromMs(Number(digits) * 1000) },
  {
    pattern: /([+-])((?:0|[1-9]\d*)(?:ms|s|m|h|d|w))(?=:|$)/y,
    parse: ([, sign, duration]) => ({ kind: 'relative', ms: (sign === '-' ? -1 : 1) * parseDuration(duration ?? '') || 0 }),
  },
]

function readTime(text: string, start: number): { readonly time: TimePoint | undefined; readonly end: number } {
  if (start === text.length || text[start] === ':') return { time: undefined, end: start }
  for (const { pattern, parse } of timeForms) {
    pattern.lastIndex = start
    const match = pattern.exec(text)
    if (match === null) continue
    const time = parse(match)
    if (time === undefined) throw usageError(`invalid time '${text}'`, `there is no ${match[0]}`)
    return { time, end: start + match[0].length }
  }
  throw invalidTime(text)
}

function invalidTime(text: string): Error {
  if (/^@.*\d\d:\d\d:\d\d(\.\d+)?$/.test(text))
    return usageError(`invalid time '${text}'`, 'a time of day needs a zone: Z, or one such as +02:00')
  return usageError(
    `invalid time '${text}'`,
    'a time is 13 digits (ms), 10 digits (s), 2026-11-20, 2026-11-20T14:30:00Z, or a duration from now such as -1h',
  )
}

function fromMs(timestampMs: number | undefined): TimePoint | undefined {
  return timestampMs === undefined ? undefined : { kind: 'absolute', timestampMs }
}

function dateMs([, year, month, day]: RegExpExecArray): number | undefined {
  return civilMs(Number(year), Number(month), Number(day))
}

function rfc3339Ms([, year, month, day, hour, minute, second, fraction, zone]: RegExpExecArray): number | undefined {
  const days = civilMs(Number(year), Number(month), Number(day))
  const zoneMs = zoneOffsetMs(zone ?? 'Z')
  const [h, m, s] = [Number(hour), Number(minute), Number(second)]
  if (days === undefined || zoneMs === undefined || h > 23 || m > 59 || s > 59) return undefined
  const ms = Number((fraction ?? '').slice(0, 3).padEnd(3, '0'))
  return days + h * 3_600_000 + m * 60_000 + s * 1000 + ms - zoneMs
}

function zoneOffsetMs(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))]
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

/** Midnight UTC of a day that exists, else undefined: Date turns 30 February into a day in March. */
function civilMs(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const same = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return same ? date.getTime() : undefined
}

/** ms since the Unix epoch of one RFC 3339 time with a zone; undefined when it is not one. */
export function parseRfc3339(text: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/.exec(text)
  return match === null ? undefined : rfc3339Ms(match)
}

/**
 * One time as `--timestamp` takes it, without the `@` that -o has: any TIME. The relative forms are resolved against `nowMs`.
 */
export function parseTime(text: string): TimePoint {
  const { time, end } = text.startsWith(':') ? { time: undefined, end: 0 } : readTime(text, 0)
  if (time === undefined || end !== text.length) throw invalidTime(text)
  return time
}
