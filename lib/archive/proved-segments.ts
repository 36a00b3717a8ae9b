/**
 * What of a manifest an archive run may build on. The partition knows what it archived itself. Whatever else the manifest names is proved
 * before retention may count on it: it is read, and compared with its digest and with the log, as far as that still has it. For a store
 * may be a copy of the one that archived, and have gone its own way since.
 */
import { createHash } from 'node:crypto'
import { LogqError, isLogqError } from '../errors.js'
import { listSegments, logEndOffset, type ViewContext } from '../log/log-view.js'
import { partitionName } from '../log/log-context.js'
import { readBatchesWhole } from '../log/read-batches.js'
import { objectPath } from '../store/archive/archive-names.js'
import { archivedFileName, readArchivedFile } from '../store/archive/archived-files.js'
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
 * The segments of the manifest that hold. Damage is left out where it can be archived anew, from here. Throws LOGQ_CORRUPT
 * where it is not, LOGQ_CONFLICT for a segment that holds other records than the log, LOGQ_ABORTED, or an error of the location.
 */
export async function provedSegments(
  context: ViewContext,
  location: Location,
  { partition, manifest, known }: FoundArchive,
  signal: AbortSignal | undefined,
): Promise<ArchivedSegment[]> {
  const proved = new Set(known?.segments.map((segment) => JSON.stringify(segment)))
  const bases = listSegments(context)
  const here = new Set(bases)
  const good: ArchivedSegment[] = []
  for (const segment of manifest?.segments ?? []) {
    if (proved.has(JSON.stringify(segment))) {
      good.push(segment)
      continue
    }
    try {
      await verifyObject(location, partition, segment, signal)
    } catch (error) {
      if (isLogqError(error, 'LOGQ_CORRUPT') && here.has(segment.baseOffset) && here.has(segment.endOffset)) continue
      throw error
    }
    if (!(await isOfThisLog(context, segment, bases[0] ?? 0, signal))) {
      const object = `${location.name}/${objectPath(partition, segment)}`
      throw new LogqError('LOGQ_CONFLICT', `'${object}' does not hold what '${partitionName(context)}' has at its offsets`, {
        hint: `is this a copy of the store that archives there, or one put back from a backup? archive to another place; or, when what is here is right, remove that file`,
      })
    }
    good.push(segment)
  }
  return good
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
