/** --by of stat, read and shown. */
import type { GroupBy, GroupId } from '../../lib/inspect/group-table.js'
import { isLogqError } from '../../lib/errors.js'
import { usageError } from '../errors.js'
import { escapedField } from '../print/tsv.js'
import { timestampText } from '../print/timestamp.js'
import { formatDuration, parseDuration } from './units.js'

/** key, partition, header:NAME, or a duration. Throws a usage error. */
export function parseGroupBy(text: string): GroupBy {
  if (text === 'key' || text === 'partition') return { kind: text }
  if (text.startsWith('header:') && text.length > 'header:'.length)
    return { kind: 'header', name: text.slice('header:'.length) }
  try {
    return { kind: 'time', durationMs: parseDuration(text, { minimum: 1 }) }
  } catch (error) {
    if (!isLogqError(error, 'LOGQ_USAGE') || /^\d/.test(text)) throw error
    throw usageError(`nothing can be grouped by '${text}'`, 'write key, partition, header:NAME, or a duration such as 1m')
  }
}

export function formatGroupBy(by: GroupBy): string {
  if (by.kind === 'header') return `header:${by.name}`
  return by.kind === 'time' ? formatDuration(by.durationMs) : by.kind
}

/** One line, from which the bytes can be told: escapes as in tsv. A time is RFC 3339. */
export function groupText(by: GroupBy, id: GroupId): string {
  if (id === null) return '\\N'
  if (typeof id === 'number') return by.kind === 'time' ? timestampText(id, 'iso', () => 0) : String(id)
  return Buffer.from(escapedField(Buffer.from(id, 'latin1'))).toString('utf8')
}
