/**
 * How to read a partition with what is archived of it: the `archive.location` of its topic, or an archive alone. Segments that are here
 * are read here; those below them come from the archive, where they reach the log without a gap. Archives in directories only: what is on
 * S3 has to be restored.
 */
import { segmentBaseOffsets } from '../../log/file-names.js'
import { listSegments, logStartOffset, type ViewContext } from '../../log/log-view.js'
import { loadCodec } from '../../record/compression.js'
import type { System } from '../../system/system.js'
import { viewContext, type ViewOptions } from '../partition.js'
import type { Store } from '../store.js'
import { TopicConfig } from '../topic-config.js'
import { findTopic } from '../topics.js'
import { ArchiveFileSystem } from './archive-file-system.js'
import { normalLocation, readArchivedFile } from './archived-files.js'
import { archiveFolder } from './archive-names.js'
import { coveredUpTo } from './covered.js'
import type { ArchivedSegment, Manifest } from './manifest.js'

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
  const manifest = readArchivedFile(store, topic, partition, location)
  if (manifest === undefined || manifest.partition.topicId !== file.topicId) return here
  await loadCodecs(manifest)
  const start = () => logStartOffset(here, listSegments(here))
  const fs = new ArchiveFileSystem(here.system.fs, {
    directory: here.directory,
    location: normalLocation(location),
    manifest: () => manifest,
    joined: (segments) => adjoining(segments, segmentBaseOffsets(here.system.fs.list(here.directory))[0], start()),
    isAlone: false,
  })
  return withFileSystem(here, fs)
}

/** An archive by itself, in a directory. `options` as of a partition that is here. */
export async function archiveContext(
  system: System,
  location: string,
  manifest: Manifest,
  options: ViewOptions = {},
): Promise<ViewContext> {
  await loadCodecs(manifest)
  const { topic, partition, config } = manifest.partition
  const directory = `${location}/${archiveFolder(manifest.partition)}/segments`
  const isContiguous = !new TopicConfig(config).choice('cleanup.policy').includes('compact')
  const fs = new ArchiveFileSystem(system.fs, {
    directory,
    location,
    manifest: () => manifest,
    joined: (segments) => segments,
    isAlone: true,
  })
  const context = { system: { ...system, fs }, directory, topic, partition, isContiguous, ...options }
  return context
}

/** The segments below the first one that is here, from the last gap on; none where they do not reach the log. */
function adjoining(
  segments: readonly ArchivedSegment[],
  firstHere: number | undefined,
  start: number,
): readonly ArchivedSegment[] {
  if (firstHere === undefined || coveredUpTo(segments, Math.max(0, firstHere - 1)) < start) return []
  let end = firstHere
  const found: ArchivedSegment[] = []
  for (const segment of [...segments].reverse()) {
    if (segment.baseOffset >= firstHere) continue
    if (segment.endOffset !== end) break
    found.unshift(segment)
    end = segment.baseOffset
  }
  return found
}

async function loadCodecs({ segments }: Manifest): Promise<void> {
  for (const codec of new Set(segments.map((segment) => segment.codec))) await loadCodec(codec)
}

/** `isContiguous` is a getter, which is to stay one. */
function withFileSystem(context: ViewContext, fs: ArchiveFileSystem): ViewContext {
  const system = { value: { ...context.system, fs }, enumerable: true }
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(context), system }) as ViewContext
}
