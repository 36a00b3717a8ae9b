/**
 * How to read a partition with what is archived of it: the `archive.location` of its topic, or an archive alone. Segments that are here
 * are read here; those below them come from the archive, where they reach the log without a gap.
 */
import { systemErrorCode } from '../../errors.js'
import { mayBeCleanedBelow } from '../../log/cleaner-file.js'
import { segmentBaseOffsets } from '../../log/file-names.js'
import { logStartOffset, type ViewContext } from '../../log/log-view.js'
import { loadCodec } from '../../record/compression.js'
import type { System } from '../../system/system.js'
import { viewContext, type ViewOptions } from '../partition.js'
import type { Store } from '../store.js'
import { TopicConfig } from '../topic-config.js'
import { findTopic } from '../topics.js'
import { ArchiveFileSystem } from './archive-file-system.js'
import { archiveFolder } from './archive-names.js'
import { CurrentManifest, normalLocation } from './archived-files.js'
import { coveredUpTo } from './covered.js'
import { storedObjects } from './stored-objects.js'
import { ARCHIVE_CODECS, type ArchivedSegment, type Manifest } from './manifest.js'

/** Archived offsets that are not read with the log, the end excluded: deleted keys would come back. */
export interface LeftOut {
  readonly location: string
  readonly fromOffset: number
  readonly toOffset: number
}

export interface ReadingOptions extends ViewOptions {
  /** Told, at once, of what is archived and would adjoin the log, had that not been compacted since. */
  readonly onLeftOut?: ((leftOut: LeftOut) => void) | undefined
}

/** As `viewContext`, with the segments of `archive.location`. Throws LOGQ_CORRUPT for a damaged copy of the manifest. */
export async function readingContext(
  store: Store,
  topic: string,
  partition: number,
  options: ReadingOptions = {},
): Promise<ViewContext> {
  const here = viewContext(store, topic, partition, options)
  const file = store.kind === 'logq' ? (options.file ?? findTopic(store, topic)) : undefined
  const location = file === undefined ? '' : new TopicConfig(file.config).text('archive.location')
  if (file === undefined || location === '') return here
  // Whichever of them is used: others may archive while this is read, also the first segments, and with another codec than before.
  for (const codec of ARCHIVE_CODECS) await loadCodec(codec)
  const current = new CurrentManifest(store, file, partition, location)
  const joined = joining(here, () => current.get())
  const archived = () => joined().manifest
  const { leftOut } = joined()
  if (leftOut !== undefined) options.onLeftOut?.({ location: normalLocation(location), ...leftOut })
  const { directory } = here
  const fs = new ArchiveFileSystem(here.system.fs, {
    directory,
    objects: storedObjects(store.system, normalLocation(location)),
    archived,
    isAlone: false,
  })
  return withFileSystem(here, fs)
}

interface Joined {
  readonly manifest: Manifest | undefined
  readonly leftOut?: Omit<LeftOut, 'location'> | undefined
}

/**
 * What of an archive adjoins the segments that are here: looked for anew each time, and found anew when something has changed. In this
 * order: the directory, the log start, the manifest. Retention moves the log start before it removes anything.
 */
function joining(here: ViewContext, manifestNow: () => Manifest | undefined): () => Joined {
  let known: Joined & { readonly of?: Manifest; readonly place: string } = { manifest: undefined, place: '' }
  return () => {
    const bases = segmentsHere(here)
    const start = logStartOffset(here, bases)
    // Those before it are about to be removed.
    const first = bases.findLast((base) => base <= start) ?? bases[0]
    const cleaned = mayBeCleanedBelow(here)
    const of = manifestNow()
    if (of === undefined || first === undefined) return { manifest: undefined }
    const place = `${first} ${start} ${cleaned}`
    if (known.of !== of || known.place !== place) known = { of, place, ...join(of, first, start, cleaned) }
    return known
  }
}

/**
 * A pass of compaction may have removed the tombstones of keys that are in the archive as they were before it. So nothing is joined that a
 * pass has been over, or could have been, were it still here; nor what lies below that.
 */
function join({ partition, segments }: Manifest, firstHere: number, start: number, cleaned: number): Joined {
  const found = adjoining(segments, firstHere, start)
  const cut = found.findIndex(({ baseOffset }) => baseOffset >= cleaned)
  const [left, joined] = cut < 0 ? [found, []] : [found.slice(0, cut), found.slice(cut)]
  const [lowest, highest] = [left[0], left.at(-1)]
  return {
    manifest: { partition, segments: joined },
    leftOut:
      lowest === undefined || highest === undefined
        ? undefined
        : { fromOffset: lowest.baseOffset, toOffset: highest.endOffset },
  }
}

/** None where the directory is gone. */
function segmentsHere({ system, directory }: ViewContext): number[] {
  try {
    return segmentBaseOffsets(system.fs.list(directory))
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** An archive by itself. `options` as of a partition that is here. */
export async function archiveContext(
  system: System,
  location: string,
  manifest: Manifest,
  options: ViewOptions = {},
): Promise<ViewContext> {
  for (const codec of new Set(manifest.segments.map((segment) => segment.codec))) await loadCodec(codec)
  const { topic, partition, config } = manifest.partition
  const directory = `${location}/${archiveFolder(manifest.partition)}/segments`
  const isContiguous = !new TopicConfig(config).choice('cleanup.policy').includes('compact')
  const fs = new ArchiveFileSystem(system.fs, {
    directory,
    objects: storedObjects(system, location),
    archived: () => manifest,
    isAlone: true,
  })
  return { system: { ...system, fs }, directory, topic, partition, isContiguous, archived: hintsOf(fs), ...options }
}

/** The segments below the first one that counts here, from the last gap on; none where they do not reach the log start. */
function adjoining(segments: readonly ArchivedSegment[], firstHere: number, start: number): readonly ArchivedSegment[] {
  if (start > firstHere && coveredUpTo(segments, firstHere) < start) return []
  const below = segments.filter(({ baseOffset }) => baseOffset < firstHere)
  const gap = below.findLastIndex(({ endOffset }, n) => endOffset !== (below[n + 1]?.baseOffset ?? firstHere))
  return below.slice(gap + 1)
}

/** `isContiguous` is a getter, which is to stay one. */
function withFileSystem(context: ViewContext, fs: ArchiveFileSystem): ViewContext {
  const system = { value: { ...context.system, fs }, enumerable: true }
  const archived = { value: hintsOf(fs), enumerable: true }
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(context), system, archived }) as ViewContext
}

function hintsOf(fs: ArchiveFileSystem): NonNullable<ViewContext['archived']> {
  return (baseOffset) => fs.hintOf(baseOffset)
}
