/** Codec gzip: RFC 1952, by node:zlib. Several members one after another are read as one stream. */

import type * as Zlib from 'node:zlib'
import { systemErrorCode } from '../errors.js'
import { damaged, loadCodecPackage, reasonOf, tooLarge, type CodecPackage } from './codec-package.js'

/** zlib hands out its result in pieces of this size; a batch is usually under 1 MiB. */
const CHUNK_BYTES = 256 * 1024

export function loadGzip(): CodecPackage {
  const zlib = loadCodecPackage('gzip', 'node:zlib') as typeof Zlib
  return {
    compress: (bytes, level) => zlib.gzipSync(bytes, { chunkSize: CHUNK_BYTES, ...(level === undefined ? {} : { level }) }),
    decompress: (bytes, maxBytes) => decompress(zlib, bytes, maxBytes),
  }
}

function decompress(zlib: typeof Zlib, bytes: Uint8Array, maxBytes: number): Uint8Array {
  let result: ReturnType<typeof Zlib.gunzipSync> | GunzipInfo
  try {
    // At least one byte: zlib takes no smaller limit.
    result = zlib.gunzipSync(bytes, { chunkSize: CHUNK_BYTES, maxOutputLength: Math.max(maxBytes, 1), info: true })
  } catch (error) {
    if (systemErrorCode(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge('gzip', maxBytes)
    throw damaged('gzip', reasonOf(error), error)
  }
  if (!isInfo(result)) return result
  // zlib stops quietly at bytes that do not begin another member.
  const leftOver = bytes.length - result.engine.bytesWritten
  if (leftOver !== 0) throw damaged('gzip', `${leftOver} bytes are left over`)
  const { buffer }: GunzipInfo = result
  if (buffer.length > maxBytes) throw tooLarge('gzip', maxBytes)
  return buffer
}

/** What gunzipSync gives with `info: true`; its declared type leaves that out. */
interface GunzipInfo {
  readonly buffer: Uint8Array
  readonly engine: { readonly bytesWritten: number }
}

function isInfo(result: Uint8Array | GunzipInfo): result is GunzipInfo {
  return 'engine' in result
}
