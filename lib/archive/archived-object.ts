/** The object of an archived segment: read block by block, decompressed and proved on the way. */
import { createHash } from 'node:crypto'
import { CorruptionError } from '../errors.js'
import { InvalidBatchError } from '../record/batch.js'
import { decompress, loadCodec } from '../record/compression.js'
import { objectPath } from '../store/archive/archive-names.js'
import { BLOCK_BYTES, type ArchivedPartition, type ArchivedSegment } from '../store/archive/manifest.js'
import type { Location } from '../system/location/location.js'

/** What is read at once of a segment that is not compressed. */
const READ_BYTES = 4 << 20

/**
 * The bytes of a segment, in pieces. Whoever takes them may use them only when this ends without an error: then sizes and digests are
 * those of the manifest. Throws CorruptionError, or an error of the location.
 */
export async function* readObject(
  location: Location,
  partition: ArchivedPartition,
  segment: ArchivedSegment,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const path = objectPath(partition, segment)
  const { codec, sizeBytes, storedBytes, sha256, storedSha256, blocks } = segment
  const damaged = (what: string, position = 0) =>
    new CorruptionError(
      `'${partition.topic}-${partition.partition}' is damaged in its archive: ${what},`,
      { ...partition, offset: segment.baseOffset, file: `${location.name}/${path}`, position },
      {
        hint: 'put it back from a copy; where the store has the segment, remove its archived-… file and run logq archive again',
      },
    )
  const present = await location.sizeOf(path, signal)
  if (present === undefined) throw damaged('the file is missing')
  if (present !== storedBytes)
    throw damaged(`the file has ${present} bytes, and ${storedBytes} are expected`, Math.min(present, storedBytes))
  await loadCodec(codec)
  const stored = createHash('sha256')
  const plain = createHash('sha256')
  const pieces = codec === 'none' ? piecesOf(sizeBytes, READ_BYTES) : blocks
  let position = 0
  let plainBytes = 0
  for (const length of pieces) {
    const bytes = await location.read(path, position, length, signal)
    if (bytes.length < length) throw damaged('the file ends too early', position + bytes.length)
    stored.update(bytes)
    if (codec === 'none') yield bytes
    else {
      const block = blockOf(bytes, segment, plainBytes, (what) => damaged(what, position))
      plain.update(block)
      plainBytes += block.length
      yield block
    }
    position += length
  }
  const digest = stored.digest('hex')
  if (digest !== storedSha256) throw damaged('its SHA-256 is not that of the manifest')
  if (codec !== 'none' && plain.digest('hex') !== sha256)
    throw damaged('the SHA-256 of the segment is not that of the manifest')
}

/** Reads everything, and throws as `readObject` does. */
export async function verifyObject(
  location: Location,
  partition: ArchivedPartition,
  segment: ArchivedSegment,
  signal?: AbortSignal,
): Promise<void> {
  for await (const _ of readObject(location, partition, segment, signal));
}

function* piecesOf(totalBytes: number, pieceBytes: number): IterableIterator<number> {
  for (let position = 0; position < totalBytes; position += pieceBytes) yield Math.min(pieceBytes, totalBytes - position)
}

function blockOf(
  bytes: Uint8Array,
  { codec, sizeBytes }: ArchivedSegment,
  plainPosition: number,
  damaged: (what: string) => CorruptionError,
): Uint8Array {
  const expected = Math.min(BLOCK_BYTES, sizeBytes - plainPosition)
  try {
    const block = decompress(codec, bytes, expected)
    if (block.length === expected) return block
  } catch (error) {
    if (!(error instanceof InvalidBatchError)) throw error
  }
  throw damaged('a compressed block cannot be read')
}
