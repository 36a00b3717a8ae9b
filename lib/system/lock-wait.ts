/**
 * Waiting for a kernel lock that another process holds: ended by a signal, and spoken of when it takes long. Whoever holds it may be
 * stopped, and never let go.
 */
import { LogqError } from '../errors.js'
import type { System } from './system.js'

const LONG_WAIT_MS = 5_000

export interface LockWait {
  /** 'no' gives LOGQ_BUSY at once when another process holds the lock. */
  readonly wait?: 'yes' | 'no'
  readonly signal?: AbortSignal | undefined
  /** Called once for a lock, after 5 s of waiting, with the pid of the holder (0 when unknown) and the path of the lock file. */
  readonly onLongWait?: ((holderPid: number, path: string) => void) | undefined
}

/** A lock file that is open. */
export interface WaitedLock {
  readonly path: string
  readonly readHolderPid: () => number
}

/**
 * Waits for the exclusive lock on `fd`. Throws LOGQ_ABORTED, or what the wait failed of. It then closes `fd`, at once or, since
 * the wait of the kernel cannot be cancelled, when the lock comes too late.
 */
export async function waitForLock(system: System, fd: number, lock: WaitedLock, options: LockWait): Promise<void> {
  const granted = system.locks.waitForLock(fd, false)
  const close = () => {
    system.fs.close(fd)
  }
  const outcome = await race(system, granted, lock, options).catch((error: unknown) => {
    close()
    throw error
  })
  if (outcome === 'granted') return
  granted.then(close, close)
  throw new LogqError('LOGQ_ABORTED', `stopped while waiting for '${lock.path}'`)
}

export function lockIsBusy({ path, readHolderPid }: WaitedLock): LogqError {
  const holder = readHolderPid()
  const whom = holder === 0 ? 'another process' : `process ${holder}`
  return new LogqError('LOGQ_BUSY', `'${path}' is locked by ${whom}`, { hint: 'try again' })
}

async function race(
  system: System,
  granted: Promise<void>,
  lock: WaitedLock,
  options: LockWait,
): Promise<'granted' | 'aborted'> {
  const stop = new AbortController()
  const { signal } = options
  const onAbort = () => {
    stop.abort()
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) stop.abort()
  const longWait = system.clock.sleep(LONG_WAIT_MS, stop.signal).then(() => {
    if (!stop.signal.aborted) options.onLongWait?.(lock.readHolderPid(), lock.path)
  })
  const aborted = new Promise<'aborted'>((resolve) => {
    const give = () => {
      if (signal?.aborted === true) resolve('aborted')
    }
    stop.signal.addEventListener('abort', give, { once: true })
    if (stop.signal.aborted) give()
  })
  try {
    return await Promise.race([granted.then(() => 'granted' as const), aborted])
  } finally {
    stop.abort()
    signal?.removeEventListener('abort', onAbort)
    await longWait
  }
}
