/**
 * Compression of a batch's records: one call each way for all of Kafka's codecs. See format-spec/compression.md.
 *
 * Nothing is loaded before a codec is used for the first time.
 */

import { CODECS, type Codec } from './codec.js'

export { CODECS, codecNumber, type Codec } from './codec.js'

/**
 * Records that would take more than this when decompressed are refused by default, so that a few hostile bytes cannot ask for all of
 * memory. The batch builder does not compress what is larger, so that logq reads whatever it wrote.
 */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024

/** Makes `codec` ready. Must be awaited before its first use. */
export async function loadCodec(codec: Codec): Promise<void> {
  if (!CODECS.includes(codec)) throw new RangeError(`unknown codec '${codec}'`)
}

/** `level` is the codec's own scale; ignored by those that have none. */
export function compress(codec: Codec, bytes: Uint8Array, _level?: number): Uint8Array {
  if (codec === 'none') return bytes
  throw new RangeError(`codec '${codec}' is not built yet`)
}

/** Throws InvalidBatchError when the bytes are not what `codec` writes or need more than `maxBytes`. */
export function decompress(codec: Codec, bytes: Uint8Array, _maxBytes = DEFAULT_MAX_DECOMPRESSED_BYTES): Uint8Array {
  if (codec === 'none') return bytes
  throw new RangeError(`codec '${codec}' is not built yet`)
}
