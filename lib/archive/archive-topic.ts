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
import { LogqError, isLogqError, systemErrorCode } from '../errors.js'
import { BatchPlaces } from '../log/batch-places.js'
import { ARCHIVE_LOCK_FILE, LOG_SUFFIX, segmentFileName } from '../log/file-names.js'
import { listSegments, logEndOffset, type ViewContext } from '../log/log-view.js'
import { archiveFolder } from '../store/archive/archive-names.js'
import { archivedFileName, coveredUpTo, readArchivedFile, writeArchivedFile } from '../store/archive/archived-files.js'
import type { ArchiveCodec, ArchivedPartition, ArchivedSegment, Manifest } from '../store/archive/manifest.js'
import { selectPartitions, viewContext } from '../store/partition.js'
import { requireWritable, type Store } from '../store/store.js'
import type { TopicFile } from '../store/topic-file.js'
import { getTopic } from '../store/topics.js'
import { ownershipOf } from '../system/durable.js'
import type { Location } from '../system/location/location.js'
import { openLocation } from '../system/location/open-location.js'
import { withFileLock } from '../system/file-lock.js'
import type { LockWait } from '../system/lock-wait.js'
import { verifyObject } from './archived-object.js'
import { copySegment } from './copy-segment.js'
import { readManifest, writeManifest } from './read-manifest.js'

/** How to wait for another run that is at work on a partition, and: */
export interface ArchiveOptions extends LockWait {
  /** Only segments of which every record is older. */
  readonly olderMs?: number | undefined
  /** Default 'none'. */
  readonly codec?: ArchiveCodec | undefined
  /** Default: all. */
  readonly partitions?: readonly number[] | undefined
  /** Go on with what another store archived. */
  readonly takeOver?: boolean
  /** Called after each segment. */
  readonly onProgress?: ((partition: number, doneBytes: number, totalBytes: number) => void) | undefined
  /** Told of each partition, also of one with nothing to do. */
  readonly onPartition?: ((done: PartitionArchived) => void | Promise<void>) | undefined
  /** Told of a partition that is damaged or in conflict, and not archived as a whole; the others go on. Without it, thrown. */
  readonly onFailure?: ((error: LogqError) => void | Promise<void>) | undefined
}

export interface PartitionArchived {
  readonly topic: string
  readonly partition: number
  /** Of this run. */
  readonly segmentCount: number
  readonly sizeBytes: number
  readonly storedBytes: number
  /** Everything below is archived, from the log start on. */
  readonly archivedUpTo: number
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
    for (const partition of selectPartitions(store, file, options.partitions)) {
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

async function archivePartition(
  store: Store,
  file: TopicFile,
  partition: number,
  location: Location,
  options: ArchiveOptions,
): Promise<PartitionArchived> {
  const context = viewContext(store, file.topic, partition)
  const { system, directory } = context
  const status = system.fs.pathStatus(directory)
  if (status === undefined)
    throw new LogqError('LOGQ_TOPIC_REMOVED', `'${directory}' was removed`, { hint: 'see logq topic ls' })
  const work = async () => {
    const run = await ArchiveRun.begin(store, file, context, location, options)
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
  return await withFileLock(system, `${directory}/${ARCHIVE_LOCK_FILE}`, ownershipOf(status), work, options)
}

/** Often enough that little is done twice after a kill, and seldom enough that a long manifest costs little. */
const SAVE_MS = 2_000

class ArchiveRun {
  #segments: readonly ArchivedSegment[]
  #isSaved: boolean
  #savedMs: number
  readonly #counts = { segmentCount: 0, sizeBytes: 0, storedBytes: 0 }

  private constructor(
    private readonly store: Store,
    private readonly partition: ArchivedPartition,
    private readonly context: ViewContext,
    private readonly location: Location,
    private readonly options: ArchiveOptions,
    segments: readonly ArchivedSegment[],
    isSaved: boolean,
  ) {
    this.#segments = segments
    this.#isSaved = isSaved
    this.#savedMs = store.system.clock.monotonicMs()
  }

  static async begin(
    store: Store,
    file: TopicFile,
    context: ViewContext,
    location: Location,
    options: ArchiveOptions,
  ): Promise<ArchiveRun> {
    const { topic, topicId, partitions, partitioner, config } = file
    const { partition: number } = context
    const partition = { topic, topicId, storeId: store.storeId ?? '', partition: number, partitions, partitioner, config }
    location.sweep(archiveFolder(partition))
    const manifest = await readManifest(location, partition, options.signal)
    const known = knownManifest(store, file.topic, number, location.name)
    refuse(context, location, { partition, manifest, known, takeOver: options.takeOver === true })
    const segments = await provedSegments(context, location, { partition, manifest, known }, options.signal) // 1
    const isOurs = manifest === undefined || manifest.partition.storeId === store.storeId
    const isSaved = isOurs && isSame(segments, known?.segments ?? []) && isSame(segments, manifest?.segments ?? [])
    return new ArchiveRun(store, partition, context, location, options, segments, isSaved)
  }

  get report(): PartitionArchived {
    const { topic, partition } = this.context
    const [first] = listSegments(this.context)
    return { topic, partition, ...this.#counts, archivedUpTo: coveredUpTo(this.#segments, first ?? 0) }
  }

  async archiveSegments(): Promise<void> {
    const { context, options, store } = this
    const bases = listSegments(context)
    const isDue = (n: number) => coveredUpTo(this.#segments, bases[n] ?? 0) < (bases[n + 1] ?? 0)
    const totalBytes = bases.reduce((sum, base, n) => sum + (isDue(n) ? sizeOf(context, base) : 0), 0)
    for (const [n, baseOffset] of bases.slice(0, -1).entries()) {
      if (!isDue(n)) continue
      const endOffset = bases[n + 1] ?? baseOffset
      if (options.olderMs !== undefined) {
        const youngestMs = largestTimestamp(context, baseOffset)
        if (youngestMs === undefined) continue
        // A later one may be older, but what is archived is to have no gap.
        if (youngestMs > store.system.clock.nowMs() - options.olderMs) return
      }
      await this.#drop(baseOffset, endOffset)
      try {
        const source = { context, partition: this.partition, baseOffset, endOffset }
        const copied = await copySegment(this.location, source, options.codec ?? 'none', options.signal) // 3
        store.system.failpoint('archive.after-object')
        this.#add(copied)
        options.onProgress?.(context.partition, this.#counts.sizeBytes, totalBytes)
      } catch (error) {
        // Retention or compaction was quicker; the next run sees what is there then.
        if (isLogqError(error, 'LOGQ_GONE') || !listSegments(context).includes(baseOffset)) return
        throw error
      }
      if (store.system.clock.monotonicMs() - this.#savedMs >= SAVE_MS) await this.save()
    }
  }

  /** 4 and 5. */
  async save(): Promise<void> {
    if (this.#isSaved) return
    await writeManifest(this.location, this.#manifest, this.options.signal?.aborted === true ? undefined : this.options.signal) // 4
    this.store.system.failpoint('archive.after-manifest')
    this.#writeCopy() // 5
    this.#isSaved = true
    this.#savedMs = this.store.system.clock.monotonicMs()
  }

  get #manifest(): Manifest {
    return { partition: this.partition, segments: this.#segments }
  }

  #writeCopy(): void {
    const { system } = this.store
    const { directory } = this.context
    const status = system.fs.pathStatus(directory)
    const ownership = status === undefined ? this.store.ownership : ownershipOf(status)
    writeArchivedFile(system, directory, { location: this.location.name, manifest: this.#manifest }, ownership)
  }

  #add(segment: ArchivedSegment): void {
    this.#segments = [...this.#segments, segment].sort((a, b) => a.baseOffset - b.baseOffset)
    this.#isSaved = false
    this.#counts.segmentCount += 1
    this.#counts.sizeBytes += segment.sizeBytes
    this.#counts.storedBytes += segment.storedBytes
  }

  /** Segments that a merged one replaces: nobody may count on them, or look for them, while they are replaced. */
  async #drop(baseOffset: number, endOffset: number): Promise<void> {
    const isKept = (one: ArchivedSegment) => one.endOffset <= baseOffset || one.baseOffset >= endOffset
    if (this.#segments.every(isKept)) return
    this.#segments = this.#segments.filter(isKept)
    this.#writeCopy() // 2
    this.store.system.failpoint('archive.after-drop')
    await writeManifest(this.location, this.#manifest, this.options.signal)
    this.#isSaved = true
  }
}

interface Found {
  readonly partition: ArchivedPartition
  readonly manifest: Manifest | undefined
  readonly known: Manifest | undefined
  readonly takeOver: boolean
}

function refuse(context: ViewContext, location: Location, { partition, manifest, known, takeOver }: Found): void {
  const name = `'${context.topic}-${context.partition}'`
  if (manifest === undefined) {
    if (known === undefined || known.segments.length === 0) return
    throw new LogqError('LOGQ_CONFLICT', `what was archived of ${name} is no longer at '${location.name}'`, {
      hint: `is its file system mounted? to begin anew, remove '${context.directory}/${archivedFileName(location.name)}'`,
    })
  }
  if (manifest.partition.storeId !== partition.storeId && !takeOver) {
    throw new LogqError(
      'LOGQ_CONFLICT',
      `another store archives ${name} at '${location.name}': store id ${manifest.partition.storeId}`,
      {
        hint: 'archive to another place, or give --take-over when that store is no more',
      },
    )
  }
  const end = logEndOffset(context, listSegments(context))
  const archivedEnd = manifest.segments.at(-1)?.endOffset ?? 0
  if (archivedEnd <= end) return
  throw new LogqError('LOGQ_CONFLICT', `the archive of ${name} reaches offset ${archivedEnd}, and its log ends at ${end}`, {
    hint: `was the store put back from a backup? archive to another place, or see 'logq restore'`,
  })
}

/** A copy that is damaged counts as none: everything is verified again. */
function knownManifest(store: Store, topic: string, partition: number, location: string): Manifest | undefined {
  try {
    return readArchivedFile(store, topic, partition, location)
  } catch (error) {
    if (isLogqError(error, 'LOGQ_CORRUPT')) return undefined
    throw error
  }
}

/** Those of the manifest that the partition knows, or that hold when they are read. What does not is archived anew, if it is here. */
async function provedSegments(
  context: ViewContext,
  location: Location,
  { partition, manifest, known }: Omit<Found, 'takeOver'>,
  signal: AbortSignal | undefined,
): Promise<ArchivedSegment[]> {
  const proved = new Set(known?.segments.map((segment) => JSON.stringify(segment)))
  const bases = new Set(listSegments(context))
  const good: ArchivedSegment[] = []
  for (const segment of manifest?.segments ?? []) {
    try {
      if (!proved.has(JSON.stringify(segment))) await verifyObject(location, partition, segment, signal)
      good.push(segment)
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_CORRUPT') || !bases.has(segment.baseOffset) || !bases.has(segment.endOffset)) throw error
    }
  }
  return good
}

function isSame(some: readonly ArchivedSegment[], others: readonly ArchivedSegment[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others)
}

function sizeOf({ system, directory }: ViewContext, baseOffset: number): number {
  return system.fs.pathStatus(`${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`)?.sizeBytes ?? 0
}

/** By the headers of its batches; -1 when it has none, undefined when it is gone. */
function largestTimestamp({ system, directory }: ViewContext, baseOffset: number): number | undefined {
  const { fs } = system
  let fd: number
  try {
    fd = fs.open(`${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`, 'read')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    let largestMs = -1
    for (const { maxTimestampMs } of new BatchPlaces(fs, fd).from(0)) largestMs = Math.max(largestMs, maxTimestampMs)
    return largestMs
  } finally {
    fs.close(fd)
  }
}
