/**
 * A directory in the store in which something is put together before it gets its name: partitions that are imported, a snapshot. A kernel
 * lock on a file in it says that somebody is at work; without its holder the next change of its kind removes it (isAbandoned, topics.ts).
 */
import { removePartitionDirectory } from '../log/create-partition.js'
import { openOrCreateFile, type Ownership } from '../system/durable.js'
import type { System } from '../system/system.js'
import { makeDirectory } from './store.js'

export interface UnfinishedDirectory {
  readonly path: string
  /** Removes what is left under that path: nothing, once it was renamed. */
  close(): void
}

/** The caller holds the store's lock: nobody takes it for abandoned before its own lock is held. */
export function makeUnfinishedDirectory(
  system: System,
  path: string,
  lockFile: string,
  ownership: Ownership,
): UnfinishedDirectory {
  makeDirectory(system, path, ownership)
  const fd = openOrCreateFile(system, `${path}/${lockFile}`, ownership)
  system.locks.tryLock(fd, false)
  return {
    path,
    close() {
      removePartitionDirectory(system, path)
      system.locks.unlock(fd)
      system.fs.close(fd)
    },
  }
}
