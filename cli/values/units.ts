/** Numbers, sizes and durations as they are typed and as they are shown. One way to write each; anything else is a usage error. */
import { BYTES_PER_UNIT, MS_PER_UNIT } from '../../lib/bytes/units.js'
import { usageError } from '../errors.js'

const wholeNumber = /^(0|[1-9]\d*)$/
const numberWithUnit = /^(0|[1-9]\d*)([a-zA-Z]*)$/

export interface Range {
  readonly minimum?: number
  readonly maximum?: number
}

/** A whole number in decimal digits without sign or leading zeros, at most 2^53-1. */
export function parseWholeNumber(text: string, range: Range = {}): number {
  if (!wholeNumber.test(text))
    throw usageError(`invalid number '${text}'`, 'a number is written in decimal digits: 0, 42, 1000')
  return checkRange(Number(text), text, range, String)
}

/** Bytes from `4096`, `64KiB`, `10MB` … */
export function parseSize(text: string, range: Range = {}): number {
  const bytes = withUnit(text, BYTES_PER_UNIT)
  if (bytes === undefined)
    throw usageError(`invalid size '${text}'`, 'a size is written as 4096, 64KiB, 1MiB, 2GiB, or 10kB, 10MB')
  return checkRange(bytes, text, range, formatSize)
}

/** Milliseconds from `500ms`, `5s`, `10m`, `2h`, `1d`, `1w`; a bare number is milliseconds. */
export function parseDuration(text: string, range: Range = {}): number {
  const ms = withUnit(text, MS_PER_UNIT)
  if (ms === undefined) throw usageError(`invalid duration '${text}'`, 'a duration is written as 500ms, 5s, 10m, 2h, 1d or 1w')
  return checkRange(ms, text, range, formatDuration)
}

/** The shortest exact way to write a size: `64KiB`, `4097`. */
export function formatSize(bytes: number): string {
  return inLargestUnit(bytes, BYTES_PER_UNIT, ['TiB', 'GiB', 'MiB', 'KiB']) ?? String(bytes)
}

/** The shortest exact way to write a duration: `1d`, `1500ms`. */
export function formatDuration(ms: number): string {
  return inLargestUnit(ms, MS_PER_UNIT, ['d', 'h', 'm', 's']) ?? `${ms}ms`
}

/** For people, in the largest unit of which there is one: `3d`, `5h`, `0ms`. Rounded down. */
export function roundDuration(ms: number): string {
  const unit = [MS_PER_UNIT['d'], MS_PER_UNIT['h'], MS_PER_UNIT['m'], MS_PER_UNIT['s']].find((one = Infinity) => ms >= one) ?? 1
  return formatDuration(Math.floor(ms / unit) * unit)
}

/** For people, to three digits or so: `0B`, `1023B`, `1.5KiB`, `12GiB`. */
export function roundSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let n = 0
  let size = bytes
  for (; size >= 1024 && n < units.length - 1; n += 1) size /= 1024
  // 1023.96 would be shown as 1024.
  if (n < units.length - 1 && n > 0 && Math.round(size) === 1024) return `1${units[n + 1] ?? ''}`
  const digits = n > 0 && size < 9.95 ? size.toFixed(1).replace(/\.0$/, '') : size.toFixed(0)
  return `${digits}${units[n] ?? ''}`
}

function withUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit] = numberWithUnit.exec(text) ?? []
  if (digits === undefined || unit === undefined || !Object.hasOwn(units, unit)) return undefined
  return Number(digits) * (units[unit] ?? 1)
}

function checkRange(value: number, text: string, range: Range, format: (value: number) => string): number {
  const minimum = range.minimum ?? 0
  const maximum = range.maximum ?? Number.MAX_SAFE_INTEGER
  if (value > maximum || value > Number.MAX_SAFE_INTEGER)
    throw usageError(`'${text}' is too large`, `the largest value is ${format(maximum)}`)
  if (value < minimum) throw usageError(`'${text}' is too small`, `the smallest value is ${format(minimum)}`)
  return value
}

function inLargestUnit(value: number, units: Readonly<Record<string, number>>, names: readonly string[]): string | undefined {
  for (const name of names) {
    const factor = units[name] ?? 1
    if (value >= factor && value % factor === 0) return `${value / factor}${name}`
  }
  return undefined
}
