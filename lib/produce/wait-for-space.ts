/**
 * A producer that waits while the disk is full, as a pipe waits for its reader: the append is made again about once a second, until it
 * fits or the signal comes. An append that failed left nothing behind, and holds no lock.
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

/** What `append` gives, once it does not fail of a full disk any more. When the signal ends the wait: throws what it last failed of. */
export async function appendWhenThereIsSpace<Result>(
  append: () => Promise<Result>,
  { clock, signal, onFull }: SpaceWait,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await append()
    } catch (error) {
      if (!isDiskFull(error)) throw error
      if (attempt === 1) onFull?.()
      await clock.sleep(RETRY_MS, signal)
      if (signal?.aborted === true) throw error
    }
  }
}

/** No space, or none within the quota; and it is certain that nothing was appended. */
function isDiskFull(error: unknown): boolean {
  if (error instanceof UncertainAppendError) return false
  const code = systemErrorCode(isLogqError(error, 'LOGQ_IO') ? error.cause : error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}
