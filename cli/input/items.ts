/**
 * Splits an input into items at a delimiter, one at a time. An item that grows beyond the limit is passed over without being
 * kept, so that memory stays bounded whatever the input.
 */
import type { ChunkedInput } from './chunked-input.js'
import type { Pace } from './pace.js'

/** An item (a view that holds until the next call), or the news that one was too large. */
export type InputItem =
  { readonly kind: 'item'; readonly bytes: Buffer } | { readonly kind: 'too-large'; readonly sizeBytes: number }

export class ItemSplitter {
  /** Bytes of the window that are known to hold no delimiter. */
  #scanned = 0

  constructor(
    private readonly input: ChunkedInput,
    private readonly delimiter: Uint8Array,
    private readonly limitBytes: () => number,
    private readonly pace: Pace,
  ) {}

  /**
   * The next item; undefined at the end. A last item without delimiter counts, but not when a signal cut it off.
   */
  async next(): Promise<InputItem | undefined> {
    const { input } = this
    for (;;) {
      const found = this.#find()
      if (found !== -1) return this.#take(found)
      if (input.end - input.start > this.limitBytes() + this.delimiter.length) return this.#skip()
      if (await input.fill(this.pace)) continue
      if (!input.isEnded || input.start === input.end) return undefined
      const bytes = input.buffer.subarray(input.start, input.end)
      input.start = input.end
      return this.#limited(bytes)
    }
  }

  #find(): number {
    const { buffer, start, end } = this.input
    // A delimiter may straddle what was there before and what came.
    const from = start + Math.max(0, this.#scanned - this.delimiter.length + 1)
    const found = buffer.subarray(from, end).indexOf(this.delimiter)
    this.#scanned = found === -1 ? end - start : 0
    return found === -1 ? -1 : from + found
  }

  #take(found: number): InputItem {
    const { input } = this
    const bytes = input.buffer.subarray(input.start, found)
    input.start = found + this.delimiter.length
    return this.#limited(bytes)
  }

  #limited(bytes: Buffer): InputItem {
    return bytes.length > this.limitBytes() ? { kind: 'too-large', sizeBytes: bytes.length } : { kind: 'item', bytes }
  }

  /** Drops bytes up to and with the next delimiter, keeping only as many as a straddling delimiter needs. */
  async #skip(): Promise<InputItem> {
    const { input, delimiter } = this
    let sizeBytes = 0
    for (;;) {
      const found = this.#find()
      if (found !== -1) {
        sizeBytes += found - input.start
        input.start = found + delimiter.length
        return { kind: 'too-large', sizeBytes }
      }
      const drop = Math.max(0, input.end - input.start - delimiter.length + 1)
      sizeBytes += drop
      input.start += drop
      this.#scanned = 0
      if (!(await input.fill(this.pace))) {
        sizeBytes += input.end - input.start
        input.start = input.end
        return { kind: 'too-large', sizeBytes }
      }
    }
  }
}
