/** What a user is told of the records that an append that failed left behind. */
import { isLogqError } from '../../lib/errors.js'
import type { RecordTaker } from '../../lib/produce/producer.js'
import type { InputProgress } from '../input/input-progress.js'
import type { Io } from '../io.js'

/** What was taken and is not in the log has to be named: nobody else knows. */
export async function nameUnwritten(producer: RecordTaker, progress: InputProgress, error: unknown, io: Io): Promise<void> {
  const unwritten = producer.unwritten()
  const { itemCount, badCount } = progress
  const settledCount = producer.appendedCount + producer.duplicateCount + badCount
  // The item that was being taken when it failed is the last one read, and may be in no batch yet.
  const first = unwritten[0]?.firstTag ?? itemCount
  const appended = `${producer.appendedCount} records were appended before`
  if (itemCount === 0) return
  if (unwritten.length === 0 && settledCount >= itemCount) {
    // A removed topic may be noticed between two items: then the place where reading stopped is what is to be known.
    if (isLogqError(error, 'LOGQ_TOPIC_REMOVED'))
      await io.warn(`records from ${progress.place(itemCount + 1)} on were not written; ${appended}`)
    return
  }
  if (isLogqError(error, 'LOGQ_SYNC_FAILED')) {
    await io.warn(`records from ${progress.place(first)} on were not written, others may be lost; ${appended}`)
  } else if (unwritten.some(({ mayBeWritten }) => mayBeWritten === true)) {
    await io.warn(`records from ${progress.place(first)} on may not have been written; ${appended}`)
  } else if (progress.unit === 'batch' || settledCount === first - 1) {
    await io.warn(`records from ${progress.place(first)} on were not written; ${appended}`)
  } else {
    const count = itemCount - settledCount
    await io.warn(
      `${count} records from ${progress.place(first)} on were not written, nor what follows ${progress.place(itemCount)}; ${appended}`,
    )
  }
}
