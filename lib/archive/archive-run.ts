/**
 * A run over a partition, which is locked (archive-topic.ts): what of the archive holds, what is to be added, and the two files that say
 * so. Between any two steps the process may die, the partition be removed, and segments be retained or compacted.
 */
import { LogqError, isLogqError, systemErrorCode } from '../errors.js'
import { LOG_SUFFIX, segmentFileName } from '../log/file-names.js'
import { partitionName } from '../log/log-context.js'
import { listSegments, type ViewContext } from '../log/log-view.js'
import { segmentTimes, writtenMs } from '../log/segment-times.js'
import { archiveFolder } from '../store/archive/archive-names.js'
import { writeArchivedFile } from '../store/archive/archived-files.js'
import { coveredUpTo, firstEndingAbove } from '../store/archive/covered.js'
import {
  formatManifest,
  type ArchiveCodec,
  type ArchivedPartition,
  type ArchivedSegment,
  type Manifest,
} from '../store/archive/manifest.js'
import type { Store } from '../store/store.js'
import type { TopicFile } from '../store/topic-file.js'
import { ownershipOf } from '../system/durable.js'
import type { Location } from '../system/location/location.js'
import { copySegment } from './copy-segment.js'
import { knownManifest, provedSegments, refuseOther } from './proved-segments.js'
import { readManifest, writeManifest } from './read-manifest.js'

/** What of it, and how. */
export interface ArchiveRunOptions {
  /** Only segments of which every record is older. */
  readonly olderMs?: number | undefined
  /** Default 'none'. */
  readonly codec?: ArchiveCodec | undefined
  /** Go on with what another store archived. */
  readonly takeOver?: boolean
  /** Called after each segment. */
  readonly onProgress?: ((partition: number, doneBytes: number, totalBytes: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
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

export interface ArchiveWork {
  readonly context: ViewContext
  readonly location: Location
  readonly options: ArchiveRunOptions
  /** Throws LOGQ_TOPIC_REMOVED once the partition is no longer the one that was locked. */
  readonly checkLock: () => void
}

/** Often enough that little is done twice after a kill, and seldom enough that a long manifest costs little. */
const SAVE_MS = 2_000
/** Compaction replaces a segment once a run. Where it seems to do so again and again, something else is wrong. */
const MOST_TRIES = 5

export class ArchiveRun {
  readonly #segments: ArchivedSegment[]
  /** What the location is expected to have: nobody else is to write there. */
  #atLocation: Manifest | undefined
  #isSaved: boolean
  #savedMs: number
  readonly #counts = { segmentCount: 0, sizeBytes: 0, storedBytes: 0 }

  private constructor(
    private readonly store: Store,
    private readonly partition: ArchivedPartition,
    private readonly work: ArchiveWork,
    segments: ArchivedSegment[],
    atLocation: Manifest | undefined,
    isSaved: boolean,
  ) {
    this.#segments = segments
    this.#atLocation = atLocation
    this.#isSaved = isSaved
    this.#savedMs = store.system.clock.monotonicMs()
  }

  static async begin(store: Store, file: TopicFile, work: ArchiveWork): Promise<ArchiveRun> {
    const { context, location, options } = work
    const { topic, topicId, partitions, partitioner, config } = file
    const { partition: number } = context
    const partition = { topic, topicId, storeId: store.storeId ?? '', partition: number, partitions, partitioner, config }
    location.sweep(archiveFolder(partition))
    const manifest = await readManifest(location, partition, options.signal)
    const known = knownManifest(store, file.topic, number, location.name)
    const found = { partition, manifest, known, takeOver: options.takeOver === true }
    refuseOther(context, location, found)
    const segments = await provedSegments(context, location, found, options.signal) // 1
    // An empty manifest is written, too: a partition without one is missing from the archive.
    const isOurs = manifest !== undefined && manifest.partition.storeId === store.storeId
    const isSaved = isOurs && isSame(segments, known?.segments ?? []) && isSame(segments, manifest.segments)
    return new ArchiveRun(store, partition, work, segments, manifest, isSaved)
  }

  get report(): PartitionArchived {
    const { context } = this.work
    const { topic, partition } = context
    const [first] = listSegments(context)
    return { topic, partition, ...this.#counts, archivedUpTo: coveredUpTo(this.#segments, first ?? 0) }
  }

  async archiveSegments(): Promise<void> {
    const { context, options } = this.work
    // What does not hold is not to be named while it is written anew.
    if (this.#segments.length < (this.#atLocation?.segments.length ?? 0)) await this.save()
    let due = this.#due()
    const totalBytes = due.reduce((sum, { baseOffset }) => sum + sizeOf(context, baseOffset), 0)
    let tries = 0
    for (let n = 0; n < due.length;) {
      const next = due[n]
      if (next === undefined || this.#isTooYoung(next.baseOffset)) return
      try {
        const isReplaced = await this.#drop(next.baseOffset, next.endOffset)
        await this.#archive(next)
        options.onProgress?.(context.partition, this.#counts.sizeBytes, totalBytes)
        tries = 0
        n += 1
        if (!isReplaced) continue
      } catch (error) {
        // Retention or compaction was quicker: what is there now?
        tries += 1
        if (!isLogqError(error, 'LOGQ_GONE') || tries === MOST_TRIES) throw error
      }
      due = this.#due()
      n = 0
    }
  }

  /** The closed segments that are not archived, or not as they are delimited now. */
  #due(): { baseOffset: number; endOffset: number }[] {
    const bases = listSegments(this.work.context)
    return bases.slice(0, -1).flatMap((baseOffset, n) => {
      const endOffset = bases[n + 1] ?? baseOffset
      return coveredUpTo(this.#segments, baseOffset, endOffset) < endOffset ? [{ baseOffset, endOffset }] : []
    })
  }

  /** Later ones may be older, but what is archived is to have no gap. */
  #isTooYoung(baseOffset: number): boolean {
    const { context, options } = this.work
    if (options.olderMs === undefined) return false
    try {
      const times = segmentTimes(context, baseOffset, 'surely')
      // What is damaged is not waited for: whoever copies it says so.
      return !times.isDamaged && writtenMs(times) > this.store.system.clock.nowMs() - options.olderMs
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false
      throw error
    }
  }

  async #archive({ baseOffset, endOffset }: { baseOffset: number; endOffset: number }): Promise<void> {
    const { context, location, options, checkLock } = this.work
    const source = { context, partition: this.partition, baseOffset, endOffset }
    const copied = await copySegment(location, source, options.codec ?? 'none', options.signal) // 3
    // The files were opened by their paths.
    checkLock()
    this.store.system.failpoint('archive.after-object')
    this.#segments.splice(firstEndingAbove(this.#segments, baseOffset), 0, copied)
    this.#isSaved = false
    this.#counts.segmentCount += 1
    this.#counts.sizeBytes += copied.sizeBytes
    this.#counts.storedBytes += copied.storedBytes
    if (this.store.system.clock.monotonicMs() - this.#savedMs >= SAVE_MS) await this.save()
  }

  /** 4 and 5. */
  async save(): Promise<void> {
    if (this.#isSaved) return
    await this.#writeManifest() // 4
    this.store.system.failpoint('archive.after-manifest')
    this.#writeCopy() // 5
    this.#isSaved = true
    this.#savedMs = this.store.system.clock.monotonicMs()
  }

  /** What is whole is also written down when the run is being stopped. */
  async #writeManifest(): Promise<void> {
    const { location, options, checkLock } = this.work
    const signal = options.signal?.aborted === true ? undefined : options.signal
    const present = await readManifest(location, this.partition, signal)
    if (!isSameManifest(present, this.#atLocation)) {
      throw new LogqError(
        'LOGQ_CONFLICT',
        `another process archives '${partitionName(this.work.context)}' at '${location.name}'`,
        {
          hint: 'is there a copy of the store that archives there, too? archive to another place',
        },
      )
    }
    checkLock()
    const manifest = { partition: this.partition, segments: [...this.#segments] }
    await writeManifest(location, manifest, signal)
    this.#atLocation = manifest
  }

  #writeCopy(): void {
    const { system } = this.store
    const { context, location, checkLock } = this.work
    checkLock()
    const status = system.fs.pathStatus(context.directory)
    const ownership = status === undefined ? this.store.ownership : ownershipOf(status)
    const manifest = { partition: this.partition, segments: this.#segments }
    writeArchivedFile(system, context.directory, { location: location.name, manifest }, ownership)
  }

  /**
   * Segments that a merged one replaces: nobody may count on them, or look for them, while they are replaced. Whether there were any: they
   * may have reached beyond it.
   */
  async #drop(baseOffset: number, endOffset: number): Promise<boolean> {
    const first = firstEndingAbove(this.#segments, baseOffset)
    let end = first
    while ((this.#segments[end]?.baseOffset ?? Infinity) < endOffset) end += 1
    if (first === end) return false
    // The copy is not to name what the manifest does not.
    await this.save()
    this.#segments.splice(first, end - first)
    this.#writeCopy() // 2
    this.store.system.failpoint('archive.after-drop')
    await this.#writeManifest()
    this.#isSaved = true
    return true
  }
}

function isSameManifest(one: Manifest | undefined, other: Manifest | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return Buffer.compare(formatManifest(one), formatManifest(other)) === 0
}

function isSame(some: readonly ArchivedSegment[], others: readonly ArchivedSegment[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others)
}

function sizeOf({ system, directory }: ViewContext, baseOffset: number): number {
  return system.fs.pathStatus(`${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`)?.sizeBytes ?? 0
}
