/** What is in an archive, and whether it is whole. Nothing is changed. */
import { LogqError, isLogqError } from '../errors.js'
import type { OffsetGap } from '../log/known-gaps.js'
import { archiveFolder, objectPath, MANIFEST_FILE } from '../store/archive/archive-names.js'
import type { ArchivedSegment, Manifest } from '../store/archive/manifest.js'
import type { Location } from '../system/location/location.js'
import { openLocation } from '../system/location/open-location.js'
import type { System } from '../system/system.js'
import { verifyObject } from './archived-object.js'
import { listArchived, readManifest } from './read-manifest.js'

export interface ArchivedPartitionSummary {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly storeId: string
  readonly segmentCount: number
  /** Of the first segment; 0 when there is none. */
  readonly startOffset: number
  /** Where the last segment ends. */
  readonly endOffset: number
  /** Of the first batch of all, and the largest of all; null where nothing has one. */
  readonly firstTimestampMs: number | null
  readonly largestTimestampMs: number | null
  readonly sizeBytes: number
  readonly storedBytes: number
  /** Offsets between the segments that no segment has, the end excluded: they were deleted before they were archived, or are lost. */
  readonly gaps: readonly OffsetGap[]
}

export interface InspectArchiveOptions {
  /** Default: all. */
  readonly topics?: ((topic: string) => boolean) | undefined
  readonly signal?: AbortSignal | undefined
  /** Told of a partition, or when verifying of a segment, that is damaged or in conflict; the others go on. Without it, thrown. */
  readonly onFailure?: ((error: LogqError) => void | Promise<void>) | undefined
}

/**
 * The partitions in an archive, sorted. Throws LOGQ_USAGE, LOGQ_CORRUPT, LOGQ_CONFLICT, LOGQ_NEWER_FORMAT, LOGQ_IO, LOGQ_ABORTED, or a
 * system error.
 */
export async function* listArchive(
  system: System,
  location: string,
  options: InspectArchiveOptions = {},
): AsyncGenerator<ArchivedPartitionSummary, void, undefined> {
  const place = openLocation(system, location)
  try {
    for await (const manifest of manifestsAt(place, options)) yield summaryOf(manifest)
  } finally {
    place.close()
  }
}

/** The same, each partition after everything in it was read and compared with the manifest. Throws the same. */
export async function* verifyArchive(
  system: System,
  location: string,
  options: InspectArchiveOptions = {},
): AsyncGenerator<ArchivedPartitionSummary & { readonly strayFiles: readonly string[] }, void, undefined> {
  const place = openLocation(system, location)
  const perTopic = new Map<string, Manifest[]>()
  try {
    for await (const manifest of manifestsAt(place, options)) {
      const { topicId } = manifest.partition
      const ofTopic = perTopic.get(topicId) ?? []
      ofTopic.push({ ...manifest, segments: [] })
      perTopic.set(topicId, ofTopic)
      for (const segment of manifest.segments) {
        await tolerate(options, () => verifyObject(place, manifest.partition, segment, options.signal))
      }
      yield { ...summaryOf(manifest), strayFiles: await strayFiles(place, manifest, options.signal) }
    }
    for (const manifests of perTopic.values()) {
      await tolerate(options, () => {
        refuseMissing(place.name, manifests)
      })
    }
  } finally {
    place.close()
  }
}

/** The manifests of an archive, of the topics that are wanted. */
export async function* manifestsAt(
  location: Location,
  options: InspectArchiveOptions,
): AsyncGenerator<Manifest, void, undefined> {
  for (const identity of await listArchived(location, options.signal)) {
    if (options.topics?.(identity.topic) === false) continue
    const manifest = await tolerate(options, () => readManifest(location, identity, options.signal))
    if (manifest !== undefined) yield manifest
  }
}

/**
 * Throws LOGQ_CORRUPT for a partition of a topic that is not among its manifests: each has one as soon as the topic was archived, also when
 * there was nothing to archive of it.
 */
export function refuseMissing(
  location: string,
  manifests: readonly Manifest[],
  isWanted: (partition: number) => boolean = () => true,
): void {
  const present = new Set(manifests.map(({ partition }) => partition.partition))
  const topic = manifests[0]?.partition.topic ?? ''
  const partitions = Math.max(0, ...manifests.map(({ partition }) => partition.partitions))
  for (let partition = 0; partition < partitions; partition += 1) {
    if (present.has(partition) || !isWanted(partition)) continue
    throw new LogqError(
      'LOGQ_CORRUPT',
      `partition ${partition} of '${topic}' is missing at '${location}': the topic has ${partitions}`,
      { hint: 'was the archive copied as a whole? the other partitions can be had by their numbers, with -p' },
    )
  }
}

async function tolerate<Result>(
  { onFailure }: InspectArchiveOptions,
  look: () => Result | Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await look()
  } catch (error) {
    const isOfOne = ['LOGQ_CORRUPT', 'LOGQ_CONFLICT', 'LOGQ_NEWER_FORMAT'] as const
    if (onFailure === undefined || !isLogqError(error) || !isOfOne.some((code) => code === error.code)) throw error
    await onFailure(error)
    return undefined
  }
}

function summaryOf({ partition: { topic, topicId, partition, storeId }, segments }: Manifest): ArchivedPartitionSummary {
  const sum = (one: 'sizeBytes' | 'storedBytes') => segments.reduce((total, segment) => total + segment[one], 0)
  const known = (timestampMs: number | undefined) => (timestampMs === undefined || timestampMs < 0 ? null : timestampMs)
  const largest = segments.reduce((ms, { largestTimestampMs }) => Math.max(ms, largestTimestampMs), -1)
  return {
    topic,
    topicId,
    partition,
    storeId,
    segmentCount: segments.length,
    startOffset: segments[0]?.baseOffset ?? 0,
    endOffset: segments.at(-1)?.endOffset ?? 0,
    firstTimestampMs: known(segments.find(({ firstTimestampMs }) => firstTimestampMs >= 0)?.firstTimestampMs),
    largestTimestampMs: known(largest),
    sizeBytes: sum('sizeBytes'),
    storedBytes: sum('storedBytes'),
    gaps: gapsBetween(segments),
  }
}

function gapsBetween(segments: readonly ArchivedSegment[]): OffsetGap[] {
  return segments.flatMap(({ baseOffset }, n) => {
    const fromOffset = segments[n - 1]?.endOffset ?? baseOffset
    return fromOffset < baseOffset ? [{ fromOffset, toOffset: baseOffset }] : []
  })
}

/** What the manifest does not name: the rest of runs that were killed, until the next one writes over it. */
async function strayFiles(location: Location, manifest: Manifest, signal: AbortSignal | undefined): Promise<string[]> {
  const folder = archiveFolder(manifest.partition)
  const named = new Set(manifest.segments.map((segment) => objectPath(manifest.partition, segment)))
  const files = await location.list(folder, signal)
  return files.filter((path) => !named.has(path) && path !== `${folder}/${MANIFEST_FILE}`)
}
