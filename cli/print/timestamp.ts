/**
 * A record's timestamp as text. A record without one has -1, in every form. A time outside of the years 0 to 9999 is its number of
 * ms, in every form.
 */
import type { LogRecord } from '../../lib/record/record.js'

/** --time: ms since 1970; RFC 3339 in UTC with ms; or how long before now (-2m3s), or after it (+5s). */
export const TIME_FORMS = ['ms', 'iso', 'rel'] as const
export type TimeForm = (typeof TIME_FORMS)[number]

export function timestampText(timestampMs: LogRecord['timestampMs'], form: TimeForm, nowMs: () => number): string {
  const ms = Number(timestampMs)
  if (form === 'ms' || ms === -1 || ms < YEAR_0_MS || ms > YEAR_9999_END_MS) return String(timestampMs)
  return form === 'iso' ? new Date(ms).toISOString() : relativeText(ms - nowMs())
}

const YEAR_0_MS = -62_167_219_200_000
const YEAR_9999_END_MS = 253_402_300_799_999

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

/**
 * The largest unit that fits and the next smaller one when that is not zero, the rest cut off: -3d4h, -2m3s, -12s. Below one second
 * in ms; the present is -0ms.
 */
function relativeText(differenceMs: number): string {
  const sign = differenceMs > 0 ? '+' : '-'
  const ms = Math.abs(differenceMs)
  const at = units.findIndex(([, size]) => ms >= size)
  const [name, size] = units[at] ?? ['ms', 1]
  const text = `${sign}${Math.floor(ms / size)}${name}`
  const [nextName, nextSize] = units[at + 1] ?? ['ms', 1]
  const rest = nextName === 'ms' ? 0 : Math.floor((ms % size) / nextSize)
  return rest === 0 ? text : `${text}${rest}${nextName}`
}
