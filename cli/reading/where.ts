/**
 * -w: which records are wanted. An expression that fails on a record is no match; that it failed is said once, at the end. A record
 * that is too large for the expression is named at once, and makes the exit status 1.
 *
 *     const where = await compileWhere(args.options.where, io)   // before anything is read
 *     try { … where?.matches(topic, partition, record) … } finally { await where?.report() }
 */
import { isLogqError } from '../../lib/errors.js'
import { compileRecordFilter } from '../../lib/record/expression.js'
import { predicateOf, type RecordPredicate } from '../../lib/record/record-predicate.js'
import type { Io } from '../io.js'

export interface Where {
  readonly matches: RecordPredicate
  /** The same for records that `matches` is, or was, asked about too: says nothing of failures, and does not count them. */
  readonly matchesAgain: RecordPredicate
  /** Says on how many records the expression failed, and why on the first. To be called once, at the end. */
  report(): Promise<void>
}

/** Throws a usage error for what is no expression over records. */
export async function compileWhere(text: string, io: Io): Promise<Where>
export async function compileWhere(text: string | undefined, io: Io): Promise<Where | undefined>
export async function compileWhere(text: string | undefined, io: Io): Promise<Where | undefined> {
  if (text === undefined) return undefined
  const filter = await compileRecordFilter(text)
  const matches = predicateOf(filter)
  const again = predicateOf(await compileRecordFilter(text))
  let said: Promise<void> = Promise.resolve()
  return {
    matches(topic, partition, record) {
      try {
        return matches(topic, partition, record)
      } catch (error) {
        if (!isLogqError(error, 'LOGQ_RECORD_TOO_LARGE')) throw error
        const { message, hint } = error
        io.merge('failed')
        said = said.then(() => io.failItem(`${topic}:${partition}@${record.offset}: ${message}`, hint))
        // It is thrown where it is waited for; until then nobody listens.
        said.catch(() => undefined)
        return false
      }
    },
    matchesAgain(topic, partition, record) {
      try {
        return again(topic, partition, record)
      } catch (error) {
        if (!isLogqError(error, 'LOGQ_RECORD_TOO_LARGE')) throw error
        return false
      }
    },
    async report() {
      await said
      const { failedCount, firstFailure } = filter
      if (failedCount === 0) return
      const records = failedCount === 1 ? 'a record' : `${failedCount} records`
      await io.warn(
        `-w failed on ${records}, which do${failedCount === 1 ? 'es' : ''} not match; the first was ${firstFailure}`,
      )
    },
  }
}
