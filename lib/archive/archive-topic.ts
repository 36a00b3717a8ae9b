/**
 * Archives the closed segments of a topic (format-spec/archive.md). For each partition, under the kernel lock on its `archived.lock`:
 *
 * 1 the manifest is read, and what the partition does not know of is verified; 2 segments that compaction merged with others are taken out
 * of the partition's copy, and then out of the manifest; 3 each segment that is not archived is checked, written, and read back;
 * 4 the manifest is replaced; 5 the partition's copy is replaced: retention counts on it from here on.
 *
 * Killed before 4: the objects are written again. Killed before 5: the next run verifies what the copy does not name, and goes on. 4 and 5
 * are done again and again while a long run is under way.
 */
import { LogqError, isLogqError } from '../errors.js'
import { ARCHIVE_LOCK_FILE } from '../log/file-names.js'
import { selectPartitions, viewContext } from '../store/partition.js'
import { requireWritable, type Store } from '../store/store.js'
import type { TopicFile } from '../store/topic-file.js'
import { getTopic, partitionDirectory } from '../store/topics.js'
import { ownershipOf } from '../system/durable.js'
import { withFileLock } from '../system/file-lock.js'
import type { Location } from '../system/location/location.js'
import { openLocation } from '../system/location/open-location.js'
import type { LockWait } from '../system/lock-wait.js'
import { ArchiveRun, type ArchiveRunOptions, type PartitionArchived } from './archive-run.js'
import { knownManifest } from './proved-segments.js'
import { readManifest } from './read-manifest.js'

/** How to wait for another run that is at work on a partition, and: */
export interface ArchiveOptions extends LockWait, ArchiveRunOptions {
  /** Default: all. */
  readonly partitions?: readonly number[] | undefined
  /** Told of each partition, also of one with nothing to do. */
  readonly onPartition?: ((done: PartitionArchived) => void | Promise<void>) | undefined
  /** Told of a partition that is damaged or in conflict, and not archived as a whole; the others go on. Without it, thrown. */
  readonly onFailure?: ((error: LogqError) => void | Promise<void>) | undefined
}

/**
 * Archives what is closed and not archived yet, to a directory (an absolute path) or `s3://BUCKET/PREFIX`. Everything is on the device, or
 * with the server, and was read back, on return. Throws LOGQ_USAGE, LOGQ_UNKNOWN_TOPIC, LOGQ_CORRUPT (damage is not archived),
 * LOGQ_CONFLICT (the archive is of another store, or not the one that was there), LOGQ_BUSY, LOGQ_ABORTED, LOGQ_IO, or a system error;
 * what was archived before stays so.
 */
export async function archiveTopic(
  store: Store,
  topic: string,
  location: string,
  options: ArchiveOptions = {},
): Promise<PartitionArchived[]> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const file = getTopic(store, topic)
  const place = openLocation(store.system, location, true)
  const done: PartitionArchived[] = []
  try {
    const wanted = new Set(selectPartitions(store, file, options.partitions))
    for (const partition of selectPartitions(store, file, undefined)) {
      if (!wanted.has(partition)) {
        await declarePartition(store, file, partition, place, options)
        continue
      }
      try {
        const one = await archivePartition(store, file, partition, place, options)
        done.push(one)
        await options.onPartition?.(one)
      } catch (error) {
        const isOfPartition = isLogqError(error, 'LOGQ_CORRUPT') || isLogqError(error, 'LOGQ_CONFLICT')
        if (options.onFailure === undefined || !isOfPartition) throw error
        await options.onFailure(error)
      }
    }
  } finally {
    place.close()
  }
  return done
}

/** A partition that is not wanted, and was never archived: it gets a manifest without segments, so that it is not missing. */
async function declarePartition(
  store: Store,
  file: TopicFile,
  partition: number,
  location: Location,
  options: ArchiveOptions,
): Promise<void> {
  const { topic, topicId } = file
  if ((await readManifest(location, { topic, topicId, partition }, options.signal)) !== undefined) return
  if (knownManifest(store, topic, partition, location.name) !== undefined) return
  // One that cannot be read is no obstacle for the others.
  if (store.system.fs.pathStatus(partitionDirectory(store, topic, partition)) === undefined) return
  await withRun(store, file, partition, location, options, async (run) => {
    await run.save()
  })
}

async function archivePartition(
  store: Store,
  file: TopicFile,
  partition: number,
  location: Location,
  options: ArchiveOptions,
): Promise<PartitionArchived> {
  const archive = async (run: ArchiveRun) => {
    try {
      await run.archiveSegments()
    } catch (error) {
      // What is whole counts, also when the disk is full by now.
      await run.save().catch(() => undefined)
      throw error
    }
    await run.save()
    return run.report
  }
  return await withRun(store, file, partition, location, options, archive)
}

async function withRun<Result>(
  store: Store,
  file: TopicFile,
  partition: number,
  location: Location,
  options: ArchiveOptions,
  use: (run: ArchiveRun) => Promise<Result>,
): Promise<Result> {
  const context = viewContext(store, file.topic, partition)
  const { system, directory } = context
  const status = system.fs.pathStatus(directory)
  if (status === undefined)
    throw new LogqError('LOGQ_TOPIC_REMOVED', `'${directory}' was removed`, { hint: 'see logq topic ls' })
  const work = async (checkLock: () => void) =>
    await use(await ArchiveRun.begin(store, file, { context, location, options, checkLock }))
  return await withFileLock(system, `${directory}/${ARCHIVE_LOCK_FILE}`, ownershipOf(status), work, options)
}
