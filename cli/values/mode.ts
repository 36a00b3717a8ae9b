/** --mode: permissions in octal. */
import { usageError } from '../errors.js'

export function parseMode(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return parseInt(text, 8)
  throw usageError(`'${text}' is not a mode`, 'three octal digits, such as 700 or 750')
}
