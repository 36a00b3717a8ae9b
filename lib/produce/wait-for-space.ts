/**
 * A producer that waits while the disk is full, as a pipe waits for its reader: the append is made again about once a second, until it
 * fits or the signal comes. An append that failed left nothing behind, and holds no lock; nor does a topic that could not be made.
 */
import { isLogqError, systemErrorCode } from '../errors.js'
import { UncertainAppendError } from '../log/log.js'
import type { Clock } from '../system/system.js'

const RETRY_MS = 1_000

export interface SpaceWait {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** Called once, when the wait begins. */
  readonly onFull?: (() => void) | undefined
}

/** What `attempt` gives, once it does not fail of a full disk any more. When the signal ends the wait: throws what it last failed of. */
export async function whenThereIsSpace<Result>(
  attempt: () => Promise<Result>,
  { clock, signal, onFull }: SpaceWait,
): Promise<Result> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!isDiskFull(error)) throw error
      if (count === 1) onFull?.()
      await clock.sleep(RETRY_MS, signal)
      if (signal?.aborted === true) throw error
    }
  }
}

/** No space, or none within the quota; and it is certain that nothing was appended. */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof UncertainAppendError) return false
  const code = systemErrorCode(isLogqError(error, 'LOGQ_IO') ? error.cause : error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}
