/** Manifests where they are: read with every check that what strangers wrote needs, and written (format-spec/archive.md). */
import { LogqError } from '../errors.js'
import { MANIFEST_FILE, manifestPath } from '../store/archive/archive-names.js'
import { MAX_MANIFEST_BYTES } from '../store/archive/archived-files.js'
import { formatManifest, isId, parseManifest, type ArchivedPartition, type Manifest } from '../store/archive/manifest.js'
import { isLegalName } from '../store/names.js'
import type { Location } from '../system/location/location.js'
import { readWhole } from '../system/location/open-location.js'

type Identity = Pick<ArchivedPartition, 'topic' | 'topicId' | 'partition'>

/**
 * Undefined where nothing is archived of the partition. Throws LOGQ_CORRUPT, LOGQ_NEWER_FORMAT, LOGQ_CONFLICT for a manifest that is of
 * another topic or partition than its path says, or an error of the location.
 */
export async function readManifest(location: Location, wanted: Identity, signal?: AbortSignal): Promise<Manifest | undefined> {
  const path = manifestPath(wanted)
  const bytes = await readWhole(location, path, MAX_MANIFEST_BYTES, signal)
  if (bytes === undefined) return undefined
  const source = `${location.name}/${path}`
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw new LogqError('LOGQ_CORRUPT', `'${source}' is larger than any manifest: more than ${MAX_MANIFEST_BYTES} bytes`)
  const manifest = parseManifest(bytes, source)
  const { topic, topicId, partition } = manifest.partition
  if (topic === wanted.topic && topicId === wanted.topicId && partition === wanted.partition) return manifest
  throw new LogqError('LOGQ_CONFLICT', `'${source}' is the manifest of '${topic}-${partition}', topic id ${topicId}`, {
    hint: 'it was moved or changed: put it back where it belongs',
  })
}

/** Throws LOGQ_IO for one that nobody could read again, or an error of the location. */
export async function writeManifest(location: Location, manifest: Manifest, signal?: AbortSignal): Promise<void> {
  const bytes = formatManifest(manifest)
  const path = manifestPath(manifest.partition)
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw new LogqError('LOGQ_IO', `'${location.name}/${path}' would be larger than ${MAX_MANIFEST_BYTES} bytes`, {
      hint: 'archive to another place from here on, and let segments be larger: segment.bytes',
    })
  await location.put(path, [bytes], signal)
}

/** What is archived at a location, by topic, topic id and partition; other files and folders are passed over. */
export async function listArchived(location: Location, signal?: AbortSignal): Promise<Identity[]> {
  const found = (await location.list('', signal)).flatMap((path) => {
    const [topic = '', topicId, number = '', name, ...below] = path.split('/')
    const isManifest = name === MANIFEST_FILE && below.length === 0 && /^(0|[1-9]\d{0,9})$/.test(number)
    return isManifest && isLegalName(topic) && isId(topicId) ? [{ topic, topicId, partition: Number(number) }] : []
  })
  const folder = ({ topic, topicId }: Identity) => `${topic}/${topicId}`
  return found.sort((a, b) => (folder(a) === folder(b) ? a.partition - b.partition : folder(a) < folder(b) ? -1 : 1))
}
