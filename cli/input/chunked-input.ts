/**
 * A window over an input stream: bytes that were read and not yet taken. It grows with the largest item and no further, and it
 * tells when the input pauses, which is when a producer should append what it has.
 */
import type { InputStream } from '../../lib/system/streams.js'
import type { Pace } from './pace.js'

const CHUNK_BYTES = 1 << 20
/** What a pipe holds: less room would mean more reads. */
const LEAST_ROOM_BYTES = 64 << 10

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
    if (pace.isOverdue) await pace.run()
    // After a signal only what was read already is taken, and nothing is asked for.
    const isReady = this.signal.aborted || this.#hasDataReady()
    if (!isReady) this.#shrink()
    this.#makeRoom()
    const count = await this.#read(this.buffer.subarray(this.end), isReady, pace)
    if (count === undefined || count === 0) {
      this.isEnded = count === 0
      return false
    }
    this.end += count
    return true
  }

  /** Makes an empty window large enough for so many bytes and the read that finds the end behind them. */
  reserve(sizeBytes: number): void {
    const roomBytes = sizeBytes + LEAST_ROOM_BYTES
    if (this.start === this.end && roomBytes > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(roomBytes)
  }

  async #read(room: Uint8Array, isReady: boolean, pace: Pace): Promise<number | undefined> {
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
    }
    if (this.buffer.length - this.end >= LEAST_ROOM_BYTES) return
    const held = this.end - this.start
    // Moving is cheap, since it happens once for as many bytes as then fit; when an item fills the buffer, it has to grow.
    if (this.buffer.length - held >= LEAST_ROOM_BYTES) {
      this.buffer.copy(this.buffer, 0, this.start, this.end)
    } else {
      const larger = Buffer.allocUnsafeSlow(2 * this.buffer.length)
      this.buffer.copy(larger, 0, this.start, this.end)
      this.buffer = larger
    }
    this.start = 0
    this.end = held
  }

  /** While nothing comes, what one large item made grow is given back. */
  #shrink(): void {
    if (this.start === this.end && this.buffer.length > CHUNK_BYTES) this.buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
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
