/** What every codec file gives to compression.ts, and how they report what went wrong. */

import { loadPackage } from '../bytes/load-package.js'
import { LogqError } from '../errors.js'
import { RECORDS_POSITION } from './batch-layout.js'
import type { Codec } from './codec.js'
import { InvalidBatchError } from './invalid-batch-error.js'

export interface CodecPackage {
  /** `level` is the codec's own scale; undefined for its default. */
  compress(bytes: Uint8Array, level: number | undefined): Uint8Array
  /** Throws InvalidBatchError for damaged bytes, and for more than `maxBytes` of output before that much is allocated. */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
}

/** Loads the package behind a codec; a LogqError when npm did not install it for this platform. */
export function loadCodecPackage(codec: Codec, packageName: string): unknown {
  try {
    return loadPackage(packageName)
  } catch (error) {
    throw new LogqError('LOGQ_IO', `codec '${codec}' cannot be used: package '${packageName}' does not load`, {
      hint: 'choose another codec, or run npm ci on this machine',
      cause: error,
    })
  }
}

/** The error for compressed bytes that are not what the codec writes. */
export function damaged(codec: Codec, what: string, cause?: unknown): InvalidBatchError {
  return new InvalidBatchError(`the ${codec} data is damaged: ${what}`, RECORDS_POSITION, { cause })
}

/** The error for records that would take too much memory. */
export function tooLarge(codec: Codec, maxBytes: number): InvalidBatchError {
  return new InvalidBatchError(`the ${codec} data holds more than the limit of ${maxBytes} bytes`, RECORDS_POSITION)
}

/** What a library said, for the end of a message. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.toLowerCase() : String(error)
}

/** A Buffer over the same bytes: some packages accept nothing else. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
