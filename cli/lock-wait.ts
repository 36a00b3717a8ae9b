/** How a command waits for a lock of another process: it says so after a while, and the first signal ends it. */
import type { LockWait } from '../lib/log/partition-lock.js'
import type { Io } from './io.js'

export function lockWait(io: Io): LockWait {
  return {
    signal: io.signal,
    onLongWait: (holderPid, path) => {
      const holder = holderPid === 0 ? 'another process' : `process ${holderPid}`
      void io.warn(`waiting for '${path}', held by ${holder}`)
    },
  }
}
