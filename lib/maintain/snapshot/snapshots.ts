/** The snapshots of a store: their names, what each takes on disk, and their removal (format-spec/store.md, "Snapshots"). */
import { LogqError, systemErrorCode } from '../../errors.js'
import { markPartitionDeleted, removePartitionDirectory } from '../../log/create-partition.js'
import { LOCK_FILE } from '../../log/file-names.js'
import { NAME_RULE, STORE_FILE, STORE_LOCK_FILE, isLegalName, partitionsInListing } from '../../store/names.js'
import { isAbandoned, listTopics, partitionDirectory } from '../../store/topics.js'
import { openStore, parseJsonObject, requireWritable, withStoreLock, type Store } from '../../store/store.js'
import { readSmallFile } from '../../system/durable.js'
import type { FileSystem } from '../../system/file-system.js'
import type { LockWait } from '../../system/lock-wait.js'

export const SNAPSHOTS_DIRECTORY = 'snapshots'
/** Followed by 12 hexadecimal digits: one that is being made, or removed. No snapshot's name begins with a dot. */
export const UNFINISHED_PREFIX = '.new-'
const REMOVED_PREFIX = '.removed-'

export interface Snapshot {
  readonly name: string
  /** Opens as a store. */
  readonly path: string
  /** In ms since the Unix epoch; undefined where its logq.json does not say. */
  readonly takenMs: number | undefined
  readonly topics: readonly string[]
  readonly partitionCount: number
  /** Of all files in it. */
  readonly sizeBytes: number
  /** Of these, what no other directory has: about what its removal frees. */
  readonly unsharedBytes: number
}

export function snapshotsDirectory(store: Pick<Store, 'path'>): string {
  return `${store.path}/${SNAPSHOTS_DIRECTORY}`
}

export function snapshotPath(store: Pick<Store, 'path'>, name: string): string {
  return `${snapshotsDirectory(store)}/${name}`
}

/** Throws LOGQ_USAGE with the rule for a name that a snapshot cannot have. */
export function checkSnapshotName(name: string): void {
  if (isLegalName(name) && !name.startsWith('.')) return
  const { hint } = NAME_RULE
  throw new LogqError('LOGQ_USAGE', `'${name}' cannot be the name of a snapshot`, { hint: `${hint}, nor '.'` })
}

/** Throws LOGQ_CONFLICT when something has the name. */
export function refuseExisting(store: Store, name: string): void {
  if (store.system.fs.pathStatus(snapshotPath(store, name)) === undefined) return
  throw new LogqError('LOGQ_CONFLICT', `there is a snapshot '${name}' already`, {
    hint: `choose another name, or remove it: logq snapshot rm ${name}`,
  })
}

/** All snapshots, by name. Throws LOGQ_CORRUPT or LOGQ_NEWER_FORMAT for one whose logq.json cannot be read, or a system error. */
export function listSnapshots(store: Store): Snapshot[] {
  return snapshotNames(store).flatMap((name) => {
    try {
      return [describeSnapshot(store, name)]
    } catch (error) {
      // Removed since the listing.
      if (store.system.fs.pathStatus(snapshotPath(store, name)) === undefined) return []
      throw error
    }
  })
}

/**
 * Removes a snapshot. 1 renamed aside: it is gone from here on; 2 its partitions are marked as deleted, for those who have it open; 3 its
 * files are unlinked, which takes nothing from other directories that have them. Killed after 1, the next change of snapshots goes on.
 * Throws LOGQ_USAGE for a name that cannot be one, LOGQ_GONE when there is no such snapshot, LOGQ_READ_ONLY_STORE, LOGQ_BUSY,
 * LOGQ_ABORTED, or a system error.
 */
export async function removeSnapshot(store: Store, name: string, wait: LockWait = {}): Promise<void> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const path = requireSnapshot(store, name)
  const { system } = store
  const aside = `${snapshotsDirectory(store)}/${REMOVED_PREFIX}${Buffer.from(system.random.bytes(6)).toString('hex')}`
  await withStoreLock(
    store,
    () => {
      requireSnapshot(store, name)
      system.fs.rename(path, aside) // 1
      system.fs.syncDirectory(snapshotsDirectory(store))
    },
    wait,
  )
  system.failpoint('snapshot-rm.after-rename')
  for (const { topic, partition } of partitionsInListing(system.fs.list(aside))) {
    const directory = partitionDirectory({ ...store, path: aside }, topic, partition)
    if (system.fs.pathStatus(`${directory}/${LOCK_FILE}`) !== undefined) await markPartitionDeleted(system, directory, wait) // 2
  }
  removePartitionDirectory(system, aside) // 3
}

/** The path of a snapshot that is there. Throws LOGQ_USAGE, or LOGQ_GONE. */
export function requireSnapshot(store: Store, name: string): string {
  checkSnapshotName(name)
  const path = snapshotPath(store, name)
  if (store.system.fs.pathStatus(`${path}/${STORE_FILE}`) !== undefined) return path
  throw new LogqError('LOGQ_GONE', `there is no snapshot '${name}' in store '${store.path}'`, {
    hint: "see 'logq snapshot ls'",
  })
}

/** Removes what killed processes left. The caller holds the store's lock. */
export function sweepSnapshots(store: Store): void {
  const { fs } = store.system
  for (const name of fs.list(snapshotsDirectory(store))) {
    const path = `${snapshotsDirectory(store)}/${name}`
    const isUnfinished = name.startsWith(UNFINISHED_PREFIX) && isAbandoned(store, `${path}/${STORE_LOCK_FILE}`)
    if (isUnfinished || name.startsWith(REMOVED_PREFIX)) removePartitionDirectory(store.system, path)
  }
}

export function snapshotNames(store: Store): string[] {
  try {
    const names = store.system.fs.list(snapshotsDirectory(store))
    return names.filter(
      (name) => !name.startsWith('.') && store.system.fs.pathStatus(`${snapshotPath(store, name)}/${STORE_FILE}`) !== undefined,
    )
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Throws LOGQ_CORRUPT, LOGQ_NEWER_FORMAT, or a system error. */
export function describeSnapshot(store: Store, name: string): Snapshot {
  const { fs } = store.system
  const path = snapshotPath(store, name)
  const file = `${path}/${STORE_FILE}`
  const { snapshotTaken } = parseJsonObject(readSmallFile(fs, file) ?? new Uint8Array(0), file)
  const takenMs = typeof snapshotTaken === 'string' ? Date.parse(snapshotTaken) : NaN
  return {
    name,
    path,
    takenMs: Number.isNaN(takenMs) ? undefined : takenMs,
    topics: listTopics(openStore(store.system, path)),
    partitionCount: partitionsInListing(fs.list(path)).length,
    ...bytesIn(fs, path),
  }
}

function bytesIn(fs: FileSystem, directory: string): Pick<Snapshot, 'sizeBytes' | 'unsharedBytes'> {
  let sizeBytes = 0
  let unsharedBytes = 0
  for (const name of fs.list(directory)) {
    const path = `${directory}/${name}`
    const status = fs.pathStatus(path)
    if (status?.kind === 'directory') {
      const inner = bytesIn(fs, path)
      sizeBytes += inner.sizeBytes
      unsharedBytes += inner.unsharedBytes
    } else if (status?.kind === 'file') {
      sizeBytes += status.sizeBytes
      if (status.links === 1) unsharedBytes += status.sizeBytes
    }
  }
  return { sizeBytes, unsharedBytes }
}
