/** Times as they stand in cells: every TIME of the command line, and the forms that databases and spreadsheets write. */
import { LogqError, isLogqError } from '../../lib/errors.js'
import { parseRfc3339, parseTime } from '../values/offset-spec.js'

/** Date and time of day with `-` or `/`, `T` or a space, perhaps without seconds or zone. */
const dateAndTime =
  /^(\d{4})([-/])(\d\d)\2(\d\d)(?:[Tt]| )(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?([Zz]|UTC|[+-]\d\d(?::?\d\d)?)?$/

/** ms since 1970. A time without a zone is UTC. Throws LOGQ_INVALID_RECORD. */
export function parseColumnTime(text: string): number {
  const match = dateAndTime.exec(text)
  const timestampMs = match === null ? plainTime(text) : parseRfc3339(rfc3339Of(match))
  if (timestampMs === undefined) {
    throw new LogqError('LOGQ_INVALID_RECORD', `'${text}' is not a time`, {
      hint: 'a time is 13 digits (ms), 10 digits (s), 2026-11-20, or 2026-11-20 14:30:00, with a zone if it is not UTC',
    })
  }
  return timestampMs
}

function rfc3339Of([, year, , month, day, hour, minute, second, fraction, zone]: RegExpExecArray): string {
  return `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? '00'}.${fraction ?? '0'}${zoneOf(zone)}`
}

function zoneOf(zone: string | undefined): string {
  if (zone === undefined || zone === 'UTC') return 'Z'
  const match = /^([+-]\d\d):?(\d\d)?$/.exec(zone)
  return match === null ? zone : `${match[1] ?? ''}:${match[2] ?? '00'}`
}

function plainTime(text: string): number | undefined {
  try {
    const time = parseTime(text.replace(/^(\d{4})\/(\d\d)\/(\d\d)$/, '$1-$2-$3'))
    return time.kind === 'absolute' ? time.timestampMs : undefined
  } catch (error) {
    if (isLogqError(error, 'LOGQ_USAGE')) return undefined
    throw error
  }
}
