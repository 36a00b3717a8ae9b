/** The bytes of a compressed segment: each block is decompressed when something in it is read (format-spec/archive.md). */
import type { CorruptionError } from '../../errors.js'
import { InvalidBatchError } from '../../record/batch.js'
import { decompress } from '../../record/compression.js'
import { BLOCK_BYTES, type ArchivedSegment } from './manifest.js'

/** The block that was looked at last is kept, and the one before it. */
export class CompressedBlocks {
  readonly #starts: number[] = []
  #kept: { readonly n: number; readonly bytes: Uint8Array }[] = []

  constructor(
    private readonly segment: ArchivedSegment,
    private readonly stored: (position: number, length: number) => Uint8Array,
    private readonly damaged: (what: string, position: number, cause?: unknown) => CorruptionError,
  ) {
    let start = 0
    for (const size of segment.blocks) {
      this.#starts.push(start)
      start += size
    }
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): number {
    let done = 0
    while (done < length && position + done < this.segment.sizeBytes) {
      const n = Math.floor((position + done) / BLOCK_BYTES)
      const within = position + done - n * BLOCK_BYTES
      const piece = this.#block(n).subarray(within, within + length - done)
      buffer.set(piece, start + done)
      done += piece.length
    }
    return done
  }

  #block(n: number): Uint8Array {
    const known = this.#kept.find((one) => one.n === n)
    if (known !== undefined) return known.bytes
    const position = this.#starts[n] ?? 0
    const expected = Math.min(BLOCK_BYTES, this.segment.sizeBytes - n * BLOCK_BYTES)
    const bytes = this.#decompressed(position, this.segment.blocks[n] ?? 0, expected)
    this.#kept = [{ n, bytes }, ...this.#kept.slice(0, 1)]
    return bytes
  }

  #decompressed(position: number, length: number, expected: number): Uint8Array {
    let cause: unknown
    try {
      const bytes = decompress(this.segment.codec, this.stored(position, length), expected)
      if (bytes.length === expected) return bytes
    } catch (error) {
      if (!(error instanceof InvalidBatchError)) throw error
      cause = error
    }
    throw this.damaged('a compressed block cannot be read', position, cause)
  }
}
