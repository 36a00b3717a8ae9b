/** Which kind of location a text names, and small files there. */
import type { System } from '../system.js'
import { DirectoryLocation } from './directory-location.js'
import type { Location } from './location.js'
import { S3Location, isS3 } from './s3-location.js'

/** `canCreate`: for writing; a directory is made when the one above it exists. Throws LOGQ_USAGE, LOGQ_IO, or a system error. */
export function openLocation(system: System, text: string, canCreate = false): Location {
  return isS3(text) ? S3Location.open(text) : DirectoryLocation.open(system, text, canCreate)
}

/** A small file as a whole; undefined when there is none. */
export async function readWhole(
  location: Location,
  file: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const sizeBytes = await location.sizeOf(file, signal)
  if (sizeBytes === undefined) return undefined
  return await location.read(file, 0, Math.min(sizeBytes, maxBytes + 1), signal)
}
