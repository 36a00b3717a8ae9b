/**
 * What of a manifest an archive run may build on. The partition knows what it archived itself. Whatever else the manifest names is proved
 * before retention may count on it: it is read, and compared with its digest and with the log, as far as that still has it. For a store
 * may be a copy of the one that archived, and have gone its own way since.
 */
import { createHash } from 'node:crypto'
import { LogqError, isLogqError } from '../errors.js'
import { mayBeCleanedBelow } from '../log/cleaner-file.js'
import { listSegments, logEndOffset, type ViewContext } from '../log/log-view.js'
import { partitionName } from '../log/log-context.js'
import { readBatchesWhole } from '../log/read-batches.js'
import { objectPath } from '../store/archive/archive-names.js'
import { archivedFileName, readArchivedFile } from '../store/archive/archived-files.js'
import { firstEndingAbove } from '../store/archive/covered.js'
import type { ArchivedPartition, ArchivedSegment, Manifest } from '../store/archive/manifest.js'
import type { Store } from '../store/store.js'
import type { Location } from '../system/location/location.js'
import { verifyObject } from './archived-object.js'

export interface FoundArchive {
  readonly partition: ArchivedPartition
  /** At the location. */
  readonly manifest: Manifest | undefined
  /** The partition's copy of it. */
  readonly known: Manifest | undefined
  readonly takeOver: boolean
}

/** The partition's copy; one that is damaged counts as none: everything is proved again. Throws a system error. */
export function knownManifest(store: Store, topic: string, partition: number, location: string): Manifest | undefined {
  try {
    return readArchivedFile(store, topic, partition, location)
  } catch (error) {
    if (isLogqError(error, 'LOGQ_CORRUPT')) return undefined
    throw error
  }
}

/** Throws LOGQ_CONFLICT for an archive that is not this partition's, as its manifests and offsets say. */
export function refuseOther(context: ViewContext, location: Location, found: FoundArchive): void {
  const { partition, manifest, known, takeOver } = found
  const name = `'${partitionName(context)}'`
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

/**
 * The segments of the manifest that hold, and those that the partition knows of and an older manifest does not. Damage is left out where it
 * can be archived anew, from here; so is what a compaction has been over since. Throws LOGQ_CORRUPT where it is not here, LOGQ_CONFLICT for
 * a segment that holds other records than the log, LOGQ_ABORTED, or an error of the location.
 */
export async function provedSegments(
  context: ViewContext,
  location: Location,
  { partition, manifest, known }: FoundArchive,
  signal: AbortSignal | undefined,
): Promise<ArchivedSegment[]> {
  const bases = listSegments(context)
  const firstHere = bases[0] ?? 0
  const isHere = ({ baseOffset, endOffset }: ArchivedSegment) => firstHere <= baseOffset && endOffset <= (bases.at(-1) ?? 0)
  const holds = async (segment: ArchivedSegment) => {
    try {
      await verifyObject(location, partition, segment, signal)
      return true
    } catch (error) {
      if (isLogqError(error, 'LOGQ_CORRUPT') && isHere(segment)) return false
      throw error
    }
  }
  const named = new Set(manifest?.segments.map((segment) => JSON.stringify(segment)))
  const good: ArchivedSegment[] = []
  for (const segment of known?.segments ?? [])
    if (named.has(JSON.stringify(segment)) || (await holds(segment))) good.push(segment)
  const proved = [...good]
  for (const segment of manifest?.segments ?? []) {
    // Known, or an older one that the known took the place of.
    if (isOverlapped(proved, segment) || !(await holds(segment))) continue
    if (await isOfThisLog(context, segment, firstHere, signal)) good.push(segment)
    else if (segment.baseOffset >= mayBeCleanedBelow(context) || !isHere(segment))
      throw isOfOther(context, location, partition, segment)
  }
  return good.sort((a, b) => a.baseOffset - b.baseOffset)
}

function isOverlapped(segments: readonly ArchivedSegment[], { baseOffset, endOffset }: ArchivedSegment): boolean {
  return (segments[firstEndingAbove(segments, baseOffset)]?.baseOffset ?? Infinity) < endOffset
}

function isOfOther(
  context: ViewContext,
  location: Location,
  partition: ArchivedPartition,
  segment: ArchivedSegment,
): LogqError {
  const object = `${location.name}/${objectPath(partition, segment)}`
  return new LogqError('LOGQ_CONFLICT', `'${object}' does not hold what '${partitionName(context)}' has at its offsets`, {
    hint: `is this a copy of the store that archives there, or one put back from a backup? archive to another place; or, when what is here is right, remove that file`,
  })
}

/** By the bytes of all batches. What lies below the first segment that is here can only be believed; nothing here is removed for it. */
async function isOfThisLog(
  context: ViewContext,
  { baseOffset, endOffset, sha256 }: ArchivedSegment,
  firstHere: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (endOffset <= firstHere) return true
  if (baseOffset < firstHere) return false
  const hash = createHash('sha256')
  for await (const { batch } of readBatchesWhole(context, baseOffset, endOffset, signal)) hash.update(batch.bytes)
  return hash.digest('hex') === sha256
}
