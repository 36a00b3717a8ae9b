/**
 * CRC-32C (Castagnoli), the checksum of a record batch (format-spec/record-batch.md) and of logq's own small files.
 *
 * The package crc-32 is the reference. The optional package @node-rs/crc32 computes the same sum in hardware: some eight times as fast
 * on large inputs, slower on small ones, where the call into native code costs more than the sum.
 */

import CRC32C from 'crc-32/crc32c.js'
import { loadPackage } from './load-package.js'

/** Below this many bytes the plain JavaScript sum is the faster one (measured). */
const NATIVE_FROM_BYTES = 300

/** The package takes 4 ms to load, in which the plain sum does this many bytes: a run that sums fewer does without. */
const LOAD_NATIVE_FROM_BYTES = 256 * 1024

/** CRC-32C of `bytes[start, end)`, unsigned; of all that was summed to `before` and these bytes behind it. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  const part = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
  if (part.length >= NATIVE_FROM_BYTES) {
    summedBytes += part.length
    if (nativeSum === undefined && summedBytes >= LOAD_NATIVE_FROM_BYTES) nativeSum = loadNativeSum()
    if (typeof nativeSum === 'function') return nativeSum(part, before) >>> 0
  }
  return referenceCrc32c(part, before)
}

/** The same sum by the reference implementation alone. */
export function referenceCrc32c(bytes: Uint8Array, before = 0): number {
  return CRC32C.buf(bytes, before) >>> 0
}

type Sum = (bytes: Uint8Array, before?: number) => number

let nativeSum: Sum | 'absent' | undefined

/** Bytes summed so far in parts for which the native sum would have been the faster one. */
let summedBytes = 0

/** The native sum where it is installed, loads and agrees with the reference on one input; else 'absent'. */
function loadNativeSum(): Sum | 'absent' {
  try {
    const native = loadPackage('@node-rs/crc32')
    if (typeof native !== 'object' || native === null || !('crc32c' in native) || typeof native.crc32c !== 'function')
      return 'absent'
    const sum = native.crc32c as Sum
    const sample = new Uint8Array(NATIVE_FROM_BYTES).fill(0x5a)
    return sum(sample, 7) >>> 0 === referenceCrc32c(sample, 7) ? sum : 'absent'
  } catch {
    // Not installed, or not built for this platform: the reference serves.
    return 'absent'
  }
}
