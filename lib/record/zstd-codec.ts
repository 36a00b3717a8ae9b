/**
 * Codec zstd: Zstandard frames (RFC 8878). See format-spec/compression.md.
 *
 * node:zlib does the work where it can (Node 22.15 and later); elsewhere the WebAssembly build @bokuweb/zstd-wasm, which must be
 * instantiated first: that is what makes loadCodec() asynchronous.
 */

import type * as ZstdWasm from '@bokuweb/zstd-wasm'
import { GrowableBytes } from '../bytes/growable-bytes.js'
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
    compress: (bytes, level) => compressInPieces(bytes, (piece) => zstd.compress(piece, level)),
    decompress: (bytes, maxBytes) =>
      decompressFrames(bytes, maxBytes, (frame, capacityBytes) => zstd.decompress(frame, { defaultHeapSize: capacityBytes })),
  }
}

/** What the module's memory is asked to hold at once: it never becomes smaller again. */
const PIECE_BYTES = 32 << 20

/** A frame for each piece: a stream may have several. */
function compressInPieces(bytes: Uint8Array, compressPiece: (piece: Uint8Array) => Uint8Array): Uint8Array {
  if (bytes.length <= PIECE_BYTES) return compressPiece(bytes)
  // Room for bytes that do not compress: what is not written to takes no memory.
  const out = new GrowableBytes(bytes.length + (bytes.length >> 10))
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    out.append(compressPiece(bytes.subarray(start, start + PIECE_BYTES)))
  }
  return out.view()
}

type DecompressFrame = (frame: Uint8Array, capacityBytes: number) => Uint8Array

/** Decompresses frame by frame, since neither library gives a limit for several together. */
function decompressFrames(bytes: Uint8Array, maxBytes: number, decompressFrame: DecompressFrame): Uint8Array {
  const frames = readZstdFrames(bytes)
  const stated = frames.reduce((sum, frame) => sum + (frame.contentBytes ?? 0), 0)
  if (stated > maxBytes) throw tooLarge('zstd', maxBytes)

  const [first] = frames
  if (first !== undefined && frames.length === 1) {
    const whole = decompressOne(bytes, first, maxBytes, maxBytes, decompressFrame)
    if (whole.length > maxBytes) throw tooLarge('zstd', maxBytes)
    return whole
  }
  const out = new GrowableBytes(stated)
  for (const frame of frames) {
    const part = decompressOne(bytes, frame, maxBytes - out.length, maxBytes, decompressFrame)
    if (out.length + part.length > maxBytes) throw tooLarge('zstd', maxBytes)
    out.append(part)
  }
  return out.view()
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
