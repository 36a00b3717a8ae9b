/**
 * A window over an input stream: bytes that were read and not yet taken. It grows with the largest item and no further, and it
 * tells when the input pauses, which is when a producer should append what it has.
 */
import type { InputStream } from '../../lib/system/streams.js'
import type { Pace } from './pace.js'

const CHUNK_BYTES = 1 << 20

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

  /**
   * Reads more. False at the end of the input, and when the signal aborted. Throws InputFailure when the input cannot be read.
   */
  async fill(pace: Pace): Promise<boolean> {
    this.#makeRoom()
    const room = this.buffer.subarray(this.end)
    if (pace.isOverdue) await pace.run()
    const count = await this.#read(room, pace)
    if (count === undefined || count === 0) {
      this.isEnded = count === 0
      return false
    }
    this.end += count
    return true
  }

  async #read(room: Uint8Array, pace: Pace): Promise<number | undefined> {
    // After a signal only what was read already is taken, and nothing is asked for.
    const isReady = this.signal.aborted || this.#hasDataReady()
    const arrival = new AbortController()
    const reading = this.stream
      .read(room, this.signal)
      .catch((error: unknown) => Promise.reject(new InputFailure(this.stream.name, error)))
      .finally(() => {
        arrival.abort()
      })
    if (isReady) return reading
    // A failure of the read is reported by the caller's await, also when appending fails first.
    reading.catch(() => undefined)
    pace.noteWaiting()
    for (let dueMs = pace.dueInMs(); dueMs !== undefined; dueMs = pace.dueInMs()) {
      await this.sleep(dueMs, arrival.signal)
      if (arrival.signal.aborted) break
      await pace.run()
    }
    return reading
  }

  #hasDataReady(): boolean {
    try {
      return this.stream.hasDataReady()
    } catch (error) {
      throw new InputFailure(this.stream.name, error)
    }
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

/** An input that cannot be read on. What came before is whole and is kept; other inputs are unaffected. */
export class InputFailure extends Error {
  constructor(
    readonly inputName: string,
    cause: unknown,
  ) {
    super(`cannot read '${inputName}'`, { cause })
    this.name = 'InputFailure'
  }
}
