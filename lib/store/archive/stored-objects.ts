/** The objects of an archive, opened for reading as they are stored: at their place in a directory, or fetched as far as they are read. */
import { CorruptionError } from '../../errors.js'
import type { FileSystem } from '../../system/file-system.js'
import { FetchedFiles } from '../../system/location/fetched-files.js'
import { openLocation } from '../../system/location/open-location.js'
import { isS3 } from '../../system/location/s3-location.js'
import type { System } from '../../system/system.js'
import { objectPath } from './archive-names.js'
import type { ArchivedPartition, ArchivedSegment } from './manifest.js'

export interface StoredObject {
  /** As FileSystem.read; may throw AwaitedBytes, and what `open` throws. */
  read(buffer: Uint8Array, start: number, length: number, position: number): number
  close(): void
}

export interface StoredObjects {
  /** As messages name the place: an absolute path, or s3://BUCKET/PREFIX. */
  readonly name: string
  /** Throws CorruptionError where the object is not there, or not as large as it is to be. */
  open(partition: ArchivedPartition, segment: ArchivedSegment): StoredObject
}

/** By the system that reads, and the place: one set of connections, however many partitions there are. */
const fetchedBy = new WeakMap<System, Map<string, StoredObjects>>()

export function storedObjects(system: System, location: string): StoredObjects {
  if (!isS3(location)) return new DirectoryObjects(system.fs, location)
  const known = fetchedBy.get(system) ?? new Map<string, StoredObjects>()
  fetchedBy.set(system, known)
  const objects =
    known.get(location) ?? new FetchedObjects(location, new FetchedFiles(system, () => openLocation(system, location)))
  known.set(location, objects)
  return objects
}

class DirectoryObjects implements StoredObjects {
  constructor(
    private readonly fs: FileSystem,
    readonly name: string,
  ) {}

  open(partition: ArchivedPartition, segment: ArchivedSegment): StoredObject {
    const { fs, name } = this
    const parts = objectPath(partition, segment).split('/')
    let path = name
    for (const [n, part] of parts.entries()) {
      path += `/${part}`
      const kind = fs.pathStatus(path)?.kind
      if (kind === undefined) throw damagedObject(path, partition, segment, 'the file is missing')
      if (kind !== (n === parts.length - 1 ? 'file' : 'directory'))
        throw damagedObject(path, partition, segment, `a ${kind} is in its place`)
    }
    const fd = fs.open(path, 'read')
    const { sizeBytes } = fs.fileStatus(fd)
    if (sizeBytes !== segment.storedBytes) {
      fs.close(fd)
      throw damagedObject(path, partition, segment, `the file has ${sizeBytes} bytes, and ${segment.storedBytes} are expected`)
    }
    return {
      read: (buffer, start, length, position) => fs.read(fd, buffer, start, length, position),
      close: () => {
        fs.close(fd)
      },
    }
  }
}

export class FetchedObjects implements StoredObjects {
  constructor(
    readonly name: string,
    private readonly files: FetchedFiles,
  ) {}

  open(partition: ArchivedPartition, segment: ArchivedSegment): StoredObject {
    const name = objectPath(partition, segment)
    return this.files.open({
      name,
      version: segment.storedSha256,
      sizeBytes: segment.storedBytes,
      damaged: (what, position) => damagedObject(`${this.name}/${name}`, partition, segment, what, position),
    })
  }
}

export function damagedObject(
  file: string,
  { topic, partition }: ArchivedPartition,
  { baseOffset: offset }: ArchivedSegment,
  what: string,
  position = 0,
  cause?: unknown,
): CorruptionError {
  const question = isS3(file) ? '' : '; is the file system of the archive mounted?'
  return new CorruptionError(
    `'${topic}-${partition}' is damaged in its archive: ${what},`,
    { topic, partition, offset, file, position },
    { hint: `see 'logq archive --verify'${question}`, cause },
  )
}
