/** A size of free space as it is typed: bytes, or a share of the file system. */
import { usageError } from '../errors.js'
import { parseSize, roundSize } from './units.js'

export interface FreeSpace {
  readonly kind: 'bytes' | 'percent'
  readonly amount: number
  /** For people: `10GiB`, `5%`. */
  readonly text: string
}

/** `10GiB`, or `5%`: a whole number or one with decimals, at most 100. */
export function parseFreeSpace(text: string): FreeSpace {
  if (!text.endsWith('%')) {
    const amount = parseSize(text)
    return { kind: 'bytes', amount, text: roundSize(amount) }
  }
  const amount = Number(text.slice(0, -1))
  if (!/^\d+(\.\d+)?%$/.test(text) || amount > 100)
    throw usageError(`invalid share '${text}'`, 'a share of the file system is written as 5% or 2.5%')
  return { kind: 'percent', amount, text }
}

/** Bytes, of a file system of that size. */
export function bytesOf({ kind, amount }: FreeSpace, totalBytes: number): number {
  return kind === 'bytes' ? amount : Math.ceil((totalBytes * amount) / 100)
}
