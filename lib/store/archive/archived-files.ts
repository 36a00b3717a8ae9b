/**
 * What a partition knows of its archives: `archived-<8 hex>`, one file for each place that it was archived to (format-spec/archive.md).
 * It is a copy of the manifest there as it was when everything in it had been verified, and the first line also names the place.
 *
 * `archivedUpTo` is the promise that retention goes by.
 */
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { LogqError, isLogqError, systemErrorCode } from '../../errors.js'
import { ARCHIVED_PREFIX } from '../../log/file-names.js'
import { listSegments, logStartOffset } from '../../log/log-view.js'
import { readSmallFile, replaceFile, type Ownership } from '../../system/durable.js'
import type { System } from '../../system/system.js'
import { checkedLines, formatCheckedLine } from '../group/checked-line.js'
import { viewContext } from '../partition.js'
import type { Store } from '../store.js'
import { TopicConfig } from '../topic-config.js'
import type { TopicFile } from '../topic-file.js'
import { partitionDirectory } from '../topics.js'
import { coveredUpTo } from './covered.js'
import { formatManifest, parseManifest, type Manifest } from './manifest.js'

/** A manifest of a hundred thousand segments, compressed ones too, is far smaller. */
export const MAX_MANIFEST_BYTES = 256 << 20

/**
 * The offset below which every record of the local log is archived, and was read back from there: whole segments that end at or below it
 * may be removed. The log start offset when nothing is. With `archive.location` only what is there counts; else the place that has
 * most. A file that is damaged counts as nothing, until `logq archive` runs again. Throws a system error, or LOGQ_TOPIC_REMOVED.
 */
export function archivedUpTo(store: Store, topic: TopicFile, partition: number): number {
  const context = viewContext(store, topic.topic, partition)
  const start = logStartOffset(context, listSegments(context))
  const location = new TopicConfig(topic.config).text('archive.location')
  const { fs } = store.system
  const names =
    location === ''
      ? fs.list(context.directory).filter((name) => name.startsWith(ARCHIVED_PREFIX))
      : [archivedFileName(location)]
  return names.reduce((upTo, name) => {
    const known = readQuietly(store.system, `${context.directory}/${name}`)
    if (known?.manifest.partition.topicId !== topic.topicId || known.manifest.partition.partition !== partition) return upTo
    return Math.max(upTo, coveredUpTo(known.manifest.segments, start))
  }, start)
}

export interface KnownArchive {
  readonly location: string
  readonly manifest: Manifest
}

/** Undefined where nothing was archived to that place. Throws LOGQ_CORRUPT, LOGQ_NEWER_FORMAT, or a system error. */
export function readArchivedFile(store: Store, topic: string, partition: number, location: string): Manifest | undefined {
  const path = `${partitionDirectory(store, topic, partition)}/${archivedFileName(location)}`
  const known = read(store.system, path)
  if (known === undefined || known.location === normalLocation(location)) return known?.manifest
  throw new LogqError('LOGQ_CORRUPT', `'${path}' is of '${known.location}'`, { hint: AGAIN })
}

/** The same for who goes on reading: the file is read anew when it is another one than before. */
export class CurrentManifest {
  #read: { readonly file: string; readonly manifest: Manifest | undefined } | undefined

  constructor(
    private readonly store: Store,
    private readonly topic: TopicFile,
    private readonly partition: number,
    private readonly location: string,
  ) {}

  /** Undefined where nothing of this very topic was archived to that place. Throws as readArchivedFile. */
  get(): Manifest | undefined {
    const { store, topic, partition, location } = this
    const path = `${partitionDirectory(store, topic.topic, partition)}/${archivedFileName(location)}`
    // Before the file is read: what replaces it meanwhile is noticed the next time.
    const status = store.system.fs.pathStatus(path)
    const file = `${status?.inode} ${status?.modifiedMs} ${status?.sizeBytes}`
    if (this.#read?.file !== file) {
      const manifest = status === undefined ? undefined : readArchivedFile(store, topic.topic, partition, location)
      this.#read = { file, manifest: manifest?.partition.topicId === topic.topicId ? manifest : undefined }
    }
    return this.#read.manifest
  }
}

/** Durable on return. */
export function writeArchivedFile(
  system: System,
  directory: string,
  { location, manifest }: KnownArchive,
  ownership: Ownership,
): void {
  const content = Buffer.concat([formatCheckedLine({ location: normalLocation(location) }), formatManifest(manifest)])
  for (let tries = 1; ; tries += 1) {
    try {
      replaceFile(system, `${directory}/${archivedFileName(location)}`, content, ownership)
      return
    } catch (error) {
      // Who compacts or recovers the log sweeps temporary files, under the append lock; that is not held here.
      const isSwept = systemErrorCode(error) === 'ENOENT' && system.fs.pathStatus(directory) !== undefined
      if (!isSwept || tries === SWEPT_TRIES) throw error
    }
  }
}

const SWEPT_TRIES = 5

/** The name says no more of the location than which of several it is. */
export function archivedFileName(location: string): string {
  return ARCHIVED_PREFIX + createHash('sha256').update(normalLocation(location)).digest('hex').slice(0, 8)
}

/** One text for one place, as far as its text says: without what `/` at the end, `//`, `.` and `..` add. */
export function normalLocation(location: string): string {
  const [, scheme = '', path = ''] = /^(s3:\/\/)?(.*)$/s.exec(location) ?? []
  return scheme + posix.normalize(path).replace(/(?<=.)\/+$/, '')
}

/** The file's content, by its page. Throws LOGQ_CORRUPT, or LOGQ_NEWER_FORMAT. */
export function parseArchivedFile(bytes: Uint8Array, path: string): KnownArchive {
  const [first] = checkedLines(bytes)
  const location = first?.content?.['location']
  if (first === undefined || typeof location !== 'string')
    throw new LogqError('LOGQ_CORRUPT', `'${path}' cannot be used: its first line is damaged`, { hint: AGAIN })
  return { location, manifest: parseManifest(bytes.subarray(first.sizeBytes), path) }
}

const AGAIN = "'logq archive' writes it anew"

function read(system: System, path: string): KnownArchive | undefined {
  const bytes = readSmallFile(system.fs, path, MAX_MANIFEST_BYTES)
  return bytes === undefined ? undefined : parseArchivedFile(bytes, path)
}

function readQuietly(system: System, path: string): KnownArchive | undefined {
  try {
    return read(system, path)
  } catch (error) {
    if (isLogqError(error)) return undefined
    throw error
  }
}
