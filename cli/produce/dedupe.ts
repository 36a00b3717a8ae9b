/** --dedupe-by and --dedupe-window: what a duplicate is, and what is said of those that were found. */
import type { DedupeBy } from '../../lib/produce/dedupe-id.js'
import type { DedupeOptions } from '../../lib/produce/deduplication.js'
import type { RecordTaker } from '../../lib/produce/producer.js'
import { usageError } from '../errors.js'
import type { Io } from '../io.js'

const HEADER_PREFIX = 'header:'

/** `key`, `value` or `header:NAME`. */
export function parseDedupeBy(text: string): DedupeBy {
  if (text === 'key' || text === 'value') return { field: text }
  const name = text.startsWith(HEADER_PREFIX) ? text.slice(HEADER_PREFIX.length) : ''
  if (name !== '') return { field: 'header', name }
  throw usageError(
    `'${text}' is not what records can be recognised by`,
    'it is key, value, or header: and a name, such as header:id',
  )
}

/** Throws a usage error for what does not go with it. */
export function checkDedupe(options: DedupeArguments & OtherArguments): void {
  const { dedupeBy, dedupeWindow, format, expectOffset, expectKeyOffset } = options
  if (dedupeWindow !== undefined && dedupeBy === undefined) throw usageError('--dedupe-window goes with --dedupe-by')
  if (dedupeBy !== undefined && format.kind === 'batch')
    throw usageError('--dedupe-by does not go with --format batch', 'its records are copied as they are')
  if (dedupeBy !== undefined && (expectOffset !== undefined || expectKeyOffset !== undefined))
    throw usageError(
      '--dedupe-by does not go with an expectation',
      'what is expected of the log says already whether the records were appended',
    )
}

interface OtherArguments {
  readonly format: { readonly kind: string }
  readonly expectOffset: unknown
  readonly expectKeyOffset: unknown
}

interface DedupeArguments {
  readonly dedupeBy: DedupeBy | undefined
  readonly dedupeWindow: number | undefined
}

/** Undefined when duplicates are not looked for. */
export function dedupeOf({ dedupeBy, dedupeWindow }: DedupeArguments): DedupeOptions | undefined {
  if (dedupeBy === undefined) return undefined
  return dedupeWindow === undefined ? { by: dedupeBy } : { by: dedupeBy, windowMs: dedupeWindow }
}

export async function sayDuplicates({ appendedCount, duplicateCount }: RecordTaker, io: Io): Promise<void> {
  if (duplicateCount === 0) return
  const recordCount = appendedCount + duplicateCount
  if (duplicateCount === 1) await io.say(`1 duplicate of ${recordCount} records was not appended`)
  else await io.say(`${duplicateCount} duplicates of ${recordCount} records were not appended`)
}
