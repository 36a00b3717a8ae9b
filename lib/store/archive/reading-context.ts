/**
 * How to read a partition with what is archived of it: the `archive.location` of its topic, or an archive alone. Segments that are here
 * are read here; those below them come from the archive, where they reach the log without a gap. Archives in directories only: what is on
 * S3 has to be restored.
 */
import { systemErrorCode } from '../../errors.js'
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
import { ARCHIVE_CODECS, type ArchivedSegment, type Manifest } from './manifest.js'

/** As `viewContext`, with the segments of `archive.location`. Throws LOGQ_CORRUPT for a damaged copy of the manifest. */
export async function readingContext(
  store: Store,
  topic: string,
  partition: number,
  options: ViewOptions = {},
): Promise<ViewContext> {
  const here = viewContext(store, topic, partition, options)
  const file = store.kind === 'logq' ? (options.file ?? findTopic(store, topic)) : undefined
  const location = file === undefined ? '' : new TopicConfig(file.config).text('archive.location')
  if (file === undefined || !location.startsWith('/')) return here
  // Whichever of them is used: others may archive while this is read, also the first segments, and with another codec than before.
  for (const codec of ARCHIVE_CODECS) await loadCodec(codec)
  const current = new CurrentManifest(store, file, partition, location)
  const archived = joinedManifest(here, () => current.get())
  archived()
  const { directory } = here
  const fs = new ArchiveFileSystem(here.system.fs, {
    directory,
    location: normalLocation(location),
    archived,
    isAlone: false,
  })
  return withFileSystem(here, fs)
}

/**
 * What of an archive adjoins the segments that are here: looked for anew each time, and found anew when something has changed. In this
 * order: the directory, the log start, the manifest. Retention moves the log start before it removes anything.
 */
function joinedManifest(here: ViewContext, manifestNow: () => Manifest | undefined): () => Manifest | undefined {
  let known: { readonly of: Manifest; readonly first: number; readonly start: number; readonly joined: Manifest } | undefined
  return () => {
    const bases = segmentsHere(here)
    const start = logStartOffset(here, bases)
    // Those before it are about to be removed.
    const first = bases.findLast((base) => base <= start) ?? bases[0]
    const of = manifestNow()
    if (of === undefined || first === undefined) return undefined
    if (known?.of !== of || known.first !== first || known.start !== start) {
      const { partition, segments } = of
      known = { of, first, start, joined: { partition, segments: adjoining(segments, first, start) } }
    }
    return known.joined
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

/** An archive by itself, in a directory. `options` as of a partition that is here. */
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
    location,
    archived: () => manifest,
    isAlone: true,
  })
  const context = { system: { ...system, fs }, directory, topic, partition, isContiguous, ...options }
  return context
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
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(context), system }) as ViewContext
}
