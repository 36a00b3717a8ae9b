/** -H NAME=VALUE: one header for every record. */
import type { Header } from '../../lib/record/record.js'
import { usageError } from '../errors.js'

/** The value begins after the first `=`; a name without one has a null value. */
export function parseHeader(text: string): Header {
  const equals = text.indexOf('=')
  const key = equals === -1 ? text : text.slice(0, equals)
  if (key === '') throw usageError(`the header '${text}' has no name`, 'a header is written as NAME=VALUE')
  return { key, value: equals === -1 ? null : Buffer.from(text.slice(equals + 1), 'utf8') }
}
