/**
 * A window over an input stream: bytes that were read and not yet taken. It grows with the largest item and no further, and it tells when the
 * input pauses, which is when a producer should append what it has.
 */
import type { InputStream } from '../../lib/system/streams.js'

const CHUNK_BYTES = 1 << 20

export interface PauseHandler {
  /** Called when a read waits: once at `afterMs` of waiting for each entry, in order. */
  readonly steps: readonly { readonly afterMs: number; readonly run: () => Promise<void> }[]
}

export class ChunkedInput {
  buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  /** Bytes [start, end) of the buffer are there to be taken. */
  start = 0
  end = 0
  /** The input ended: what is in the window is all there is. */
  isEnded = false

  constructor(
    private readonly stream: InputStream,
    private readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>,
    private readonly signal: AbortSignal,
  ) {}

  /** Reads more. False at the end of the input, and when the signal aborted. */
  async fill(pause: PauseHandler): Promise<boolean> {
    this.#makeRoom()
    const room = this.buffer.subarray(this.end)
    const count = this.stream.hasDataReady()
      ? await this.stream.read(room, this.signal)
      : await this.#readPatiently(room, pause)
    if (count === undefined || count === 0) {
      this.isEnded = count === 0
      return false
    }
    this.end += count
    return true
  }

  async #readPatiently(room: Uint8Array, pause: PauseHandler): Promise<number | undefined> {
    const arrival = new AbortController()
    const reading = this.stream.read(room, this.signal).finally(() => {
      arrival.abort()
    })
    // A failure of the read is reported by the await below, also when a pause step fails first.
    reading.catch(() => undefined)
    let waitedMs = 0
    for (const { afterMs, run } of pause.steps) {
      await this.sleep(afterMs - waitedMs, arrival.signal)
      if (arrival.signal.aborted) break
      waitedMs = afterMs
      await run()
    }
    return reading
  }

  #makeRoom(): void {
    if (this.start === this.end) {
      this.start = 0
      this.end = 0
      if (this.buffer.length > CHUNK_BYTES) this.buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      return
    }
    if (this.end < this.buffer.length && this.start === 0) return
    const held = this.end - this.start
    // Moving a little is cheap; when an item fills most of the buffer, the buffer has to grow.
    if (held > this.buffer.length / 2) {
      const larger = Buffer.allocUnsafeSlow(2 * this.buffer.length)
      this.buffer.copy(larger, 0, this.start, this.end)
      this.buffer = larger
    } else {
      this.buffer.copy(this.buffer, 0, this.start, this.end)
    }
    this.start = 0
    this.end = held
  }
}
