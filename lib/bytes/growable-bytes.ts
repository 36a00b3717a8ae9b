/**
 * A byte buffer that grows by doubling: what printers and batch builders write into.
 */

import { LogqError } from '../errors.js'

/** The largest buffer that is asked for; beyond it a batch's int32 length could not say its size anyway. */
const MAX_BYTES = 0x7fff_ffff

export class GrowableBytes {
  /** The buffer. Only `[0, length)` has been written; it is another array after a growth. */
  bytes: Uint8Array
  /** Bytes written. Writers set it. */
  length = 0

  constructor(initialBytes = 16_384) {
    this.bytes = new Uint8Array(initialBytes)
  }

  /** Makes room for `more` bytes after `length`, keeping what is written. Throws LOGQ_RECORD_TOO_LARGE beyond 2 GiB. */
  reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    if (needed > MAX_BYTES)
      throw new LogqError('LOGQ_RECORD_TOO_LARGE', `a buffer of ${needed} bytes is beyond what the format can hold`)
    let size = Math.max(this.bytes.length, 1024)
    while (size < needed) size = Math.min(size * 2, MAX_BYTES)
    const larger = new Uint8Array(size)
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  append(part: Uint8Array): void {
    this.reserve(part.length)
    this.bytes.set(part, this.length)
    this.length += part.length
  }

  /** What is written, aliasing the buffer: valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** Forgets what is written and keeps the buffer. */
  clear(): void {
    this.length = 0
  }
}
