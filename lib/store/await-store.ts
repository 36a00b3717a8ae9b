/** Waiting for a store that another process is about to create. */
import { isLogqError } from '../errors.js'
import type { System } from '../system/system.js'
import { canBecomeStore, openStore, type Store } from './store.js'

/** There may be no directory to be watched yet. */
const LOOK_MS = 50

/**
 * Opens a store, once it exists; undefined when the signal aborts before. `onAbsent` is called once if there is something to wait for.
 * Throws what openStore() throws; LOGQ_UNKNOWN_STORE only where something stands that will not become a store.
 */
export async function awaitStore(
  system: System,
  path: string,
  onAbsent: () => Promise<void>,
  signal: AbortSignal,
): Promise<Store | undefined> {
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      return openStore(system, path)
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_UNKNOWN_STORE') || !canBecomeStore(system, path)) throw error
    }
    if (isFirst) await onAbsent()
    await system.clock.sleep(LOOK_MS, signal)
  }
  return undefined
}
