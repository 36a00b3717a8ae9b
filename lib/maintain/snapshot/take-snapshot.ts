/**
 * Snapshots: a store inside a store, `snapshots/NAME/`, with the records that topics had at one moment (format-spec/store.md,
 * "Snapshots").
 *
 *  1. `snapshots/.new-…/`, marked as in use by a kernel lock on the lock file that it has as a store.
 *  2. What groups have committed, then each topic: its file, its partitions (log/share-partition.ts).
 *  3. `logq.json`; everything in it is on the device.
 *  4. Renamed to its name: the snapshot exists from here on. `snapshots/` is synced.
 *
 * Killed before 4, there is no snapshot, and the next change of snapshots removes what is left.
 */
import { isLogqError } from '../../errors.js'
import { removePartitionDirectory } from '../../log/create-partition.js'
import type { Commit } from '../../store/group/committed-offsets.js'
import { GroupFiles } from '../../store/group/group-files.js'
import { listGroups } from '../../store/group/group-paths.js'
import { STORE_FILE, STORE_LOCK_FILE, TOPICS_DIRECTORY } from '../../store/names.js'
import { makeDirectory, parseJsonObject, requireWritable, withStoreLock, type Store } from '../../store/store.js'
import { makeUnfinishedDirectory, type UnfinishedDirectory } from '../../store/unfinished-directory.js'
import { formatTopicFile, type TopicFile } from '../../store/topic-file.js'
import { findTopic, getTopic, listTopics, partitionDirectory, topicPath } from '../../store/topics.js'
import { readSmallFile, replaceFile } from '../../system/durable.js'
import type { LockWait } from '../../system/lock-wait.js'
import { shareTopic, type SharedTopic } from './share-topic.js'
import {
  UNFINISHED_PREFIX,
  checkSnapshotName,
  refuseExisting,
  snapshotPath,
  snapshotsDirectory,
  sweepSnapshots,
} from './snapshots.js'

/** And how to wait for other processes. */
export interface SnapshotOptions extends LockWait {
  /** Default: all. */
  readonly topics?: readonly string[]
  /** Called after each topic. */
  readonly onTopic?: (done: SharedTopic) => Promise<void>
}

/**
 * Makes a snapshot: each partition up to its end as it is when the snapshot comes to it; others may append meanwhile. What consumer groups
 * had committed of these topics is in it, too. A topic that is removed meanwhile is left out, unless it was asked for by name. All is on
 * the device on return. Returns the path, which opens as a store. Throws LOGQ_USAGE for a name that cannot be one, LOGQ_CONFLICT when
 * there is such a snapshot, LOGQ_UNKNOWN_TOPIC, LOGQ_TOPIC_REMOVED, LOGQ_SYNC_FAILED, LOGQ_CORRUPT, LOGQ_READ_ONLY_STORE, LOGQ_BUSY,
 * LOGQ_ABORTED, or a system error; then there is no snapshot.
 */
export async function takeSnapshot(store: Store, name: string, options: SnapshotOptions = {}): Promise<string> {
  requireWritable(store, { allowNetworkFileSystem: true })
  checkSnapshotName(name)
  const { system } = store
  const named = options.topics?.map((topic) => getTopic(store, topic))
  const place = await begin(store, name, options) // 1
  try {
    const copy: Store = { ...store, path: place.path }
    const files = named ?? listTopics(store).flatMap((topic) => findTopic(store, topic) ?? [])
    await copyCommits(store, copy, files, options) // 2
    for (const file of files) await addTopic(store, copy, file, named !== undefined, options)
    writeStoreFile(store, copy) // 3
    system.failpoint('snapshot.before-rename')
    await withStoreLock(
      store,
      () => {
        refuseExisting(store, name)
        system.fs.rename(place.path, snapshotPath(store, name)) // 4
        system.fs.syncDirectory(snapshotsDirectory(store))
      },
      options,
    )
    return snapshotPath(store, name)
  } finally {
    place.close()
  }
}

async function begin(store: Store, name: string, wait: LockWait): Promise<UnfinishedDirectory> {
  const { system, ownership } = store
  const id = Buffer.from(system.random.bytes(6)).toString('hex')
  const path = `${snapshotsDirectory(store)}/${UNFINISHED_PREFIX}${id}`
  return await withStoreLock(
    store,
    () => {
      makeDirectory(system, snapshotsDirectory(store), ownership)
      system.fs.syncDirectory(store.path)
      sweepSnapshots(store)
      refuseExisting(store, name)
      const place = makeUnfinishedDirectory(system, path, STORE_LOCK_FILE, ownership)
      makeDirectory(system, `${path}/${TOPICS_DIRECTORY}`, ownership)
      return place
    },
    wait,
  )
}

async function addTopic(store: Store, copy: Store, file: TopicFile, isNamed: boolean, options: SnapshotOptions): Promise<void> {
  const { system, ownership } = store
  try {
    const shared = await shareTopic(store, file, (partition) => partitionDirectory(copy, file.topic, partition), options)
    replaceFile(system, topicPath(copy, file.topic), formatTopicFile(file), ownership)
    system.failpoint('snapshot.after-topic')
    await options.onTopic?.(shared)
  } catch (error) {
    const isGone = isLogqError(error, 'LOGQ_TOPIC_REMOVED') || isLogqError(error, 'LOGQ_UNKNOWN_TOPIC')
    if (isNamed || !isGone) throw error
    for (let partition = 0; partition < file.partitions; partition += 1)
      removePartitionDirectory(system, partitionDirectory(copy, file.topic, partition))
  }
}

/**
 * Before the records: what is committed here is in the log that is copied afterwards. Throws LOGQ_CORRUPT where commits that were promised
 * cannot be read.
 */
async function copyCommits(store: Store, copy: Store, files: readonly TopicFile[], wait: LockWait): Promise<void> {
  const ids = new Set(files.map(({ topicId }) => topicId))
  for (const group of listGroups(store)) {
    const commits = commitsOf(store, group)
      .map((commit) => ({ ...commit, topics: commit.topics.filter(({ topicId }) => ids.has(topicId)) }))
      .filter(({ topics }) => topics.length > 0)
    if (commits.length === 0) continue
    const target = GroupFiles.openOrCreate(copy, group)
    try {
      await target.change(({ commit }) => {
        for (const one of commits) commit(one)
      }, wait)
      await target.sync()
      store.system.fs.syncDirectory(target.directory)
    } finally {
      target.close()
    }
  }
}

function commitsOf(store: Store, group: string): Commit[] {
  try {
    const files = GroupFiles.open(store, group)
    try {
      return files.readSurely().offsets.commits()
    } finally {
      files.close()
    }
  } catch (error) {
    // Removed since the listing.
    if (isLogqError(error, 'LOGQ_UNKNOWN_GROUP')) return []
    throw error
  }
}

function writeStoreFile(store: Store, copy: Store): void {
  const { system, path, ownership } = store
  const file = `${path}/${STORE_FILE}`
  const content = parseJsonObject(readSmallFile(system.fs, file) ?? new Uint8Array(0), file)
  const taken = new Date(system.clock.nowMs()).toISOString()
  const text = `${JSON.stringify({ ...content, snapshotTaken: taken }, undefined, 2)}\n`
  replaceFile(system, `${copy.path}/${STORE_FILE}`, Buffer.from(text), ownership)
}
