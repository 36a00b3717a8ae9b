/**
 * Codec zstd: Zstandard frames (RFC 8878). See format-spec/compression.md.
 *
 * node:zlib does the work where it can (Node 22.15 and later); elsewhere the WebAssembly build @bokuweb/zstd-wasm, which must be
 * instantiated first: that is what makes loadCodec() asynchronous.
 */

import type * as ZstdWasm from '@bokuweb/zstd-wasm'
import { loadPackage } from '../bytes/load-package.js'
import { damaged, loadCodecPackage, reasonOf, tooLarge, type CodecPackage } from './codec-package.js'
import { readZstdFrames, type ZstdFrame } from './zstd-frame.js'

/** What of node:zlib is used; the types of the oldest supported Node leave it out. */
interface NodeZstd {
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
  zstdCompressSync(bytes: Uint8Array, options: { params?: Record<number, number>; pledgedSrcSize?: number }): Uint8Array
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array
}

/** The codec by node:zlib, or undefined where that has no Zstandard. */
export function loadNodeZstd(): CodecPackage | undefined {
  const zlib = loadPackage('node:zlib')
  if (!hasZstd(zlib)) return undefined
  return {
    compress: (bytes, level) => {
      const params = level === undefined ? {} : { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } }
      return zlib.zstdCompressSync(bytes, { ...params, pledgedSrcSize: bytes.length })
    },
    decompress: (bytes, maxBytes) =>
      decompressFrames(bytes, maxBytes, (frame, capacityBytes) =>
        zlib.zstdDecompressSync(frame, { maxOutputLength: Math.max(capacityBytes, 1) }),
      ),
  }
}

/** The codec by WebAssembly. */
export async function loadWasmZstd(): Promise<CodecPackage> {
  const zstd = loadCodecPackage('zstd', '@bokuweb/zstd-wasm') as typeof ZstdWasm
  await zstd.init()
  return {
    compress: (bytes, level) => zstd.compress(bytes, level),
    decompress: (bytes, maxBytes) =>
      decompressFrames(bytes, maxBytes, (frame, capacityBytes) => zstd.decompress(frame, { defaultHeapSize: capacityBytes })),
  }
}

type DecompressFrame = (frame: Uint8Array, capacityBytes: number) => Uint8Array

/** Decompresses frame by frame, since neither library gives a limit for several together. */
function decompressFrames(bytes: Uint8Array, maxBytes: number, decompressFrame: DecompressFrame): Uint8Array {
  const frames = readZstdFrames(bytes)
  const stated = frames.reduce((sum, frame) => sum + (frame.contentBytes ?? 0), 0)
  if (stated > maxBytes) throw tooLarge('zstd', maxBytes)

  const parts: Uint8Array[] = []
  let total = 0
  for (const frame of frames) {
    const part = decompressOne(bytes, frame, maxBytes - total, maxBytes, decompressFrame)
    total += part.length
    if (total > maxBytes) throw tooLarge('zstd', maxBytes)
    parts.push(part)
  }
  const [only] = parts
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts)
}

function decompressOne(
  bytes: Uint8Array,
  frame: ZstdFrame,
  roomBytes: number,
  maxBytes: number,
  decompressFrame: DecompressFrame,
): Uint8Array {
  const neededBytes = frame.contentBytes ?? frame.maxContentBytes
  const capacityBytes = Math.min(neededBytes, roomBytes)
  try {
    return decompressFrame(bytes.subarray(frame.start, frame.end), capacityBytes)
  } catch (error) {
    // Where the room was smaller than what the frame may need, a failure is taken as that: the libraries do not tell them apart.
    if (capacityBytes < neededBytes) throw tooLarge('zstd', maxBytes)
    throw damaged('zstd', reasonOf(error), error)
  }
}

function hasZstd(zlib: unknown): zlib is NodeZstd {
  return typeof zlib === 'object' && zlib !== null && 'zstdCompressSync' in zlib && 'zstdDecompressSync' in zlib
}
