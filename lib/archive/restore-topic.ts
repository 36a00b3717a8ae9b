/**
 * Brings archived segments back into a store (format-spec/archive.md, "Restoring"). They are copied to `.import-…/` in the store first,
 * each proved by the manifest, with indexes of their own; what was killed there is removed by the next change of a topic.
 *
 * A topic that is not there is created from them in one step (createTopicFrom), with the topic id that it had when it is all of what was
 * archived up to the end. For the topic itself, when it is there, they go below its log start (restore-below.ts).
 */
import { LogqError } from '../errors.js'
import { completePartition } from '../log/copied-partition.js'
import type { LeaderEpoch } from '../log/leader-epochs.js'
import type { OffsetGap } from '../log/known-gaps.js'
import { listSegments } from '../log/log-view.js'
import { readLogStartOffset } from '../log/log-start-offset-file.js'
import { SegmentFiles } from '../log/segment-files.js'
import type { CopyPlace } from '../log/segment-copy.js'
import { SegmentTail } from '../log/segment-tail.js'
import type { ArchivedSegment, Manifest } from '../store/archive/manifest.js'
import { appendContext, viewContext } from '../store/partition.js'
import { requireWritable, type Store } from '../store/store.js'
import { TopicConfig } from '../store/topic-config.js'
import type { TopicFile } from '../store/topic-file.js'
import { createTopicFrom, findTopic, listTopics, openImportDirectory } from '../store/topics.js'
import type { Location } from '../system/location/location.js'
import { openLocation } from '../system/location/open-location.js'
import { createDirectory } from '../system/durable.js'
import type { LockWait } from '../system/lock-wait.js'
import { manifestsAt, refuseMissing } from './inspect-archive.js'
import { lowerLogStartOffset, putSegmentsBelow, refuseCleaned } from './restore-below.js'
import { chooseSegments, type RestoreRange } from './restore-range.js'
import { restoreSegment } from './restore-segment.js'

/** How to wait for other processes, and: */
export interface RestoreOptions extends LockWait {
  /** Name of the topic in the store; default as in the archive. */
  readonly as?: string | undefined
  /** Where the archive has several topics of the name. */
  readonly topicId?: string | undefined
  /** Default: everything. */
  readonly range?: RestoreRange | undefined
  /** Default: all. Without it, a partition that the archive has nothing of is taken for a part that is missing. */
  readonly partitions?: ((partition: number) => boolean) | undefined
}

export interface RestoredPartition {
  readonly topic: string
  readonly partition: number
  readonly segmentCount: number
  readonly sizeBytes: number
  readonly startOffset: number
  /** Where the last segment that was restored ends. */
  readonly endOffset: number
}

/**
 * Restores one topic. Everything is on the device on return. Throws LOGQ_USAGE, LOGQ_UNKNOWN_TOPIC when the archive has none of that name,
 * LOGQ_GONE when nothing is archived in the range, LOGQ_CORRUPT (damaged, or a partition is missing), LOGQ_CONFLICT (another topic of that
 * name is there, or what is archived does not reach its log start), LOGQ_IO, LOGQ_ABORTED, or a system error; then nothing was changed but
 * partitions that are done.
 */
export async function restoreTopic(
  store: Store,
  location: string,
  topic: string,
  options: RestoreOptions = {},
): Promise<RestoredPartition[]> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const place = openLocation(store.system, location)
  try {
    const manifests = await manifestsOf(place, topic, options)
    const [first] = manifests
    if (first === undefined) return []
    refuseNothing(place, topic, manifests, options)
    const name = options.as ?? topic
    const present = findTopic(store, name)
    if (present === undefined) return await createRestored(store, place, name, manifests, options)
    if (present.topicId !== first.partition.topicId) {
      throw new LogqError('LOGQ_CONFLICT', `topic '${name}' exists, and is not the one that was archived`, {
        hint: 'restore it under another name with --as',
      })
    }
    return await restoreBelow(store, place, present, manifests, options)
  } finally {
    place.close()
  }
}

/** Of one topic, and of all partitions that are wanted. */
async function manifestsOf(location: Location, topic: string, options: RestoreOptions): Promise<Manifest[]> {
  const { topicId, signal, partitions = () => true } = options
  const manifests: Manifest[] = []
  for await (const manifest of manifestsAt(location, { topics: (name) => name === topic, signal })) {
    if (topicId === undefined || manifest.partition.topicId === topicId) manifests.push(manifest)
  }
  const ids = new Set(manifests.map(({ partition }) => partition.topicId))
  if (ids.size === 0)
    throw new LogqError('LOGQ_UNKNOWN_TOPIC', `nothing of '${topic}' is archived at '${location.name}'`, {
      hint: `see 'logq archive --list ${location.name}'`,
    })
  if (ids.size > 1)
    throw new LogqError('LOGQ_USAGE', `'${location.name}' has ${ids.size} topics named '${topic}'`, {
      hint: `choose one with --topic-id: ${[...ids].join(' ')}`,
    })
  refuseMissing(location.name, manifests, partitions)
  return manifests.filter(({ partition }) => partitions(partition.partition))
}

function refuseNothing(
  location: Location,
  topic: string,
  manifests: readonly Manifest[],
  { range, partitions }: RestoreOptions,
): void {
  const isAsked = partitions !== undefined || Object.values(range ?? {}).some((end) => end !== undefined)
  if (!isAsked || manifests.some(({ segments }) => chooseSegments(segments, range ?? {}) !== undefined)) return
  throw new LogqError('LOGQ_GONE', `nothing of that range of '${topic}' is archived at '${location.name}'`, {
    hint: `see 'logq archive --list ${location.name}'`,
  })
}

/** Whether the log would go on in other places than the one that was archived: then it is another topic. */
function isCut(manifests: readonly Manifest[], partitions: number, range: RestoreRange): boolean {
  if (manifests.length < partitions) return true
  return manifests.some(({ segments }) => segments.at(-1) !== chooseSegments(segments, range)?.segments.at(-1))
}

async function createRestored(
  store: Store,
  location: Location,
  topic: string,
  manifests: readonly Manifest[],
  options: RestoreOptions,
): Promise<RestoredPartition[]> {
  const [first] = manifests
  if (first === undefined) return []
  const newest = manifests.reduce((a, b) => (b.partition.partitions > a.partition.partitions ? b : a), first).partition
  const { topicId, partitioner, config } = newest
  const isTaken = listTopics(store).some((name) => findTopic(store, name)?.topicId === topicId)
  const isOther = isTaken || isCut(manifests, newest.partitions, options.range ?? {})
  const settings = new TopicConfig(config)
  const place = await openImportDirectory(store, options)
  try {
    const restored: RestoredPartition[] = []
    const directories: string[] = []
    for (let partition = 0; partition < newest.partitions; partition += 1) {
      const directory = `${place.path}/${partition}`
      createDirectory(store.system, directory, store.ownership)
      directories.push(directory)
      const manifest = manifests.find((one) => one.partition.partition === partition)
      const chosen = manifest === undefined ? undefined : chooseSegments(manifest.segments, options.range ?? {})
      const copy = { directory, ownership: store.ownership, indexIntervalBytes: settings.number('index.interval.bytes') }
      const copied = await copySegments(
        store,
        location,
        manifest ?? { partition: newest },
        chosen?.segments ?? [],
        copy,
        options.signal,
      )
      const { endOffset, tail } = emptyEnd(store, copy, copied.endOffset)
      const startOffset = chosen?.startOffset ?? endOffset
      const isCompacted = settings.choice('cleanup.policy').includes('compact')
      const gaps = isCompacted ? [] : copied.gaps.filter(({ toOffset }) => toOffset > startOffset)
      completePartition(store.system, directory, store.ownership, {
        tail,
        logStartOffset: startOffset,
        epochs: copied.epochs,
        gaps,
      })
      const { segmentCount, sizeBytes } = copied
      restored.push({ topic, partition, segmentCount, sizeBytes, startOffset, endOffset })
      store.system.failpoint('restore.after-partition')
    }
    const { signal, onLongWait, wait } = options
    const waiting = { signal, onLongWait, ...(wait === undefined ? {} : { wait }) }
    await createTopicFrom(store, topic, directories, {
      ...waiting,
      config,
      partitioner,
      topicId: isOther ? undefined : topicId,
    })
    return restored
  } finally {
    place.close()
  }
}

async function restoreBelow(
  store: Store,
  location: Location,
  file: TopicFile,
  manifests: readonly Manifest[],
  options: RestoreOptions,
): Promise<RestoredPartition[]> {
  const { topic } = file
  const config = new TopicConfig(file.config)
  const restored: RestoredPartition[] = []
  for (const manifest of manifests) {
    const { partition } = manifest.partition
    if (partition >= file.partitions) continue
    const context = appendContext(store, topic, partition, () => config)
    const [firstHere = 0] = listSegments(viewContext(store, topic, partition))
    const chosen = chooseSegments(manifest.segments, options.range ?? {})
    if (chosen === undefined) continue
    const { startOffset } = chosen
    // From where is asked; to where is where the log begins.
    const segments = manifest.segments.filter(({ baseOffset, endOffset }) => baseOffset < firstHere && endOffset > startOffset)
    if (segments.length === 0) {
      if (startOffset < firstHere || startOffset >= (readLogStartOffset(context) ?? 0)) continue
      await lowerLogStartOffset(context, startOffset, options)
      restored.push({ topic, partition, segmentCount: 0, sizeBytes: 0, startOffset, endOffset: firstHere })
      continue
    }
    refuseGaps(topic, partition, segments, firstHere)
    refuseCleaned(context, segments[0]?.baseOffset ?? firstHere, firstHere)
    const place = await openImportDirectory(store, options)
    try {
      const { ownership } = context
      const indexIntervalBytes = config.number('index.interval.bytes')
      const copy = { directory: place.path, ownership, indexIntervalBytes }
      const { epochs, segmentCount, sizeBytes } = await copySegments(store, location, manifest, segments, copy, options.signal)
      store.system.fs.syncDirectory(place.path)
      const baseOffsets = segments.map(({ baseOffset }) => baseOffset)
      const below = { directory: place.path, baseOffsets, endOffset: firstHere, startOffset, epochs }
      await putSegmentsBelow(context, below, options)
      restored.push({ topic, partition, segmentCount, sizeBytes, startOffset, endOffset: firstHere })
    } finally {
      place.close()
    }
  }
  return restored
}

/** Offsets that were neither deleted nor restored would be taken for a loss. */
function refuseGaps(topic: string, partition: number, segments: readonly ArchivedSegment[], firstHere: number): void {
  for (const [n, { endOffset }] of segments.entries()) {
    const next = segments[n + 1]?.baseOffset ?? firstHere
    if (endOffset === next) continue
    throw new LogqError(
      'LOGQ_CONFLICT',
      `'${topic}-${partition}' is archived up to offset ${endOffset}, and goes on at ${next}`,
      { hint: 'what is between is nowhere; restore under another name with --as' },
    )
  }
}

interface CopiedSegments {
  readonly segmentCount: number
  readonly sizeBytes: number
  readonly endOffset: number
  readonly gaps: readonly OffsetGap[]
  readonly epochs: readonly LeaderEpoch[]
}

async function copySegments(
  store: Store,
  location: Location,
  { partition }: Pick<Manifest, 'partition'>,
  segments: readonly ArchivedSegment[],
  place: CopyPlace,
  signal: AbortSignal | undefined,
): Promise<CopiedSegments> {
  const gaps: OffsetGap[] = []
  const epochs: LeaderEpoch[] = []
  let sizeBytes = 0
  let endOffset: number | undefined
  for (const segment of segments) {
    const { baseOffset } = segment
    if (endOffset !== undefined && baseOffset > endOffset) gaps.push({ fromOffset: endOffset, toOffset: baseOffset })
    const restored = await restoreSegment(store.system, location, partition, segment, place, signal)
    gaps.push(...restored.gaps)
    for (const epoch of restored.epochs) if (epoch.epoch > (epochs.at(-1)?.epoch ?? -1)) epochs.push(epoch)
    sizeBytes += segment.sizeBytes
    endOffset = segment.endOffset
    store.system.failpoint('restore.after-segment')
  }
  return { segmentCount: segments.length, sizeBytes, endOffset: endOffset ?? 0, gaps, epochs }
}

/** The log goes on in a segment of its own, so that what was archived stays as it was. */
function emptyEnd(
  store: Store,
  { directory, ownership }: CopyPlace,
  endOffset: number,
): { endOffset: number; tail: SegmentTail } {
  SegmentFiles.create(store.system, directory, endOffset, ownership).close()
  return { endOffset, tail: new SegmentTail(endOffset) }
}
