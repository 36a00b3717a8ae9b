/**
 * Compression of a batch's records: one call each way for all of Kafka's codecs. See format-spec/compression.md.
 *
 * Nothing is loaded before a codec is used for the first time.
 */

import type { CodecPackage } from './codec-package.js'
import type { Codec } from './codec.js'
import { loadGzip } from './gzip-codec.js'
import { loadLz4 } from './lz4-codec.js'
import { loadSnappy } from './snappy-codec.js'
import { loadNodeZstd, loadWasmZstd } from './zstd-codec.js'

export { CODECS, codecNumber, type Codec } from './codec.js'

/**
 * Records that would take more than this when decompressed are refused by default, so that a few hostile bytes cannot ask for all of
 * memory. The batch builder does not compress what is larger, so that logq reads whatever it wrote.
 */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024

const loaded = new Map<Codec, CodecPackage>()
let loadingZstd: Promise<CodecPackage> | undefined

/**
 * Makes `codec` ready. To be awaited before compress and decompress are used with it: those are synchronous, and one codec (zstd before
 * Node 22.15) takes a moment to start. Throws LOGQ_IO when its package does not load on this platform.
 */
export async function loadCodec(codec: Codec): Promise<void> {
  if (isCodecReady(codec)) return
  loadingZstd ??= loadWasmZstd()
  loaded.set('zstd', await loadingZstd)
}

/** Whether `codec` can be used at once, loading it where that is synchronous; when false, loadCodec must be awaited. */
export function isCodecReady(codec: Codec): boolean {
  return codec === 'none' || packageOf(codec) !== undefined
}

/** `level` is the codec's own scale (gzip -1 to 9, zstd 1 to 22); snappy and lz4 have none. */
export function compress(codec: Codec, bytes: Uint8Array, level?: number): Uint8Array {
  return codec === 'none' ? bytes : readyPackageOf(codec).compress(bytes, level)
}

/**
 * Throws InvalidBatchError when the bytes are not whole, are damaged, have something after their end, or hold more than `maxBytes`;
 * that is found out before much more than `maxBytes` is allocated.
 */
export function decompress(codec: Codec, bytes: Uint8Array, maxBytes = DEFAULT_MAX_DECOMPRESSED_BYTES): Uint8Array {
  return codec === 'none' ? bytes : readyPackageOf(codec).decompress(bytes, maxBytes)
}

function readyPackageOf(codec: Codec): CodecPackage {
  const ready = packageOf(codec)
  if (ready === undefined) throw new Error(`loadCodec('${codec}') must be awaited before its first use`)
  return ready
}

function packageOf(codec: Codec): CodecPackage | undefined {
  let ready = loaded.get(codec)
  if (ready !== undefined) return ready
  ready = loadPackageOf(codec)
  if (ready !== undefined) loaded.set(codec, ready)
  return ready
}

function loadPackageOf(codec: Codec): CodecPackage | undefined {
  switch (codec) {
    case 'gzip':
      return loadGzip()
    case 'snappy':
      return loadSnappy()
    case 'lz4':
      return loadLz4()
    case 'zstd':
      return loadNodeZstd()
    case 'none':
      return undefined
  }
}
