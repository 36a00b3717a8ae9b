/** --hard-limit: a size or a duration, told apart by the unit, which it must have. */
import { usageError } from '../errors.js'
import { parseDuration, parseSize } from './units.js'

export type HardLimit = { readonly kind: 'size'; readonly bytes: number } | { readonly kind: 'age'; readonly ms: number }

export function parseHardLimit(text: string): HardLimit {
  if (/^\d+(ms|s|m|h|d|w)$/.test(text)) return { kind: 'age', ms: parseDuration(text) }
  if (/^\d+[a-zA-Z]*B$/.test(text)) return { kind: 'size', bytes: parseSize(text) }
  throw usageError(`invalid limit '${text}'`, 'a limit has a unit: a size such as 10GiB, or an age such as 90d')
}
