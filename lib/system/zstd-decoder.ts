/**
 * Zstandard by the package fzstd, one block at a time. The walk over frames and blocks (RFC 8878) is done here: it keeps the output of
 * each step small however well the input is compressed, knows where one of several frames ends, and compares the checksum that the
 * package passes over. node:zlib has Zstandard in newer versions only, and takes one frame for the whole input.
 */
import type { Decompress } from 'fzstd'
import { damagedInput, truncatedInput, type Decoder } from './decoder.js'
import { Xxh64 } from './xxhash64.js'
import { hasEndlessWeights } from './zstd-weights.js'

const MAGIC = 0xfd2f_b528
const SKIPPABLE_MAGIC = 0x184d_2a50
const MAX_BLOCK_BYTES = 128 << 10
/** Types of a block. */
const RUN = 1
const COMPRESSED = 2
/** What the zstd program takes as well, unless it is told otherwise. */
const MAX_WINDOW_BYTES = 128 << 20

interface Frame {
  readonly decompress: Decompress
  readonly checksum: Xxh64 | undefined
  readonly contentBytes: number | undefined
  outputBytes: number
}

type Step =
  | { readonly kind: 'between frames' }
  | { readonly kind: 'skip'; bytes: number }
  | { readonly kind: 'block'; readonly frame: Frame }

export class ZstdDecoder implements Decoder {
  readonly #open: () => Decompress
  #pending: Uint8Array = new Uint8Array(0)
  #step: Step = { kind: 'between frames' }
  #hasFrame = false
  #isEnded = false
  #output: Uint8Array[] = []

  private constructor(open: () => Decompress) {
    this.#open = open
  }

  /** Loads the package. */
  static async create(): Promise<ZstdDecoder> {
    const { Decompress } = await import('fzstd')
    return new ZstdDecoder(() => new Decompress())
  }

  write(bytes: Uint8Array): Promise<void> {
    const joined = new Uint8Array(this.#pending.length + bytes.length)
    joined.set(this.#pending)
    joined.set(bytes, this.#pending.length)
    this.#pending = joined
    return Promise.resolve()
  }

  end(): Promise<void> {
    this.#isEnded = true
    return Promise.resolve()
  }

  async take(): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = this.#output.shift()
      if (bytes !== undefined) return bytes
      if (this.#advance()) continue
      if (this.#isEnded && (this.#pending.length > 0 || this.#step.kind !== 'between frames' || !this.#hasFrame))
        throw truncatedInput('zstd')
      return undefined
    }
  }

  close(): void {
    this.#pending = new Uint8Array(0)
  }

  /** False when there is not enough input for another step. */
  #advance(): boolean {
    const step = this.#step
    switch (step.kind) {
      case 'between frames':
        return this.#beginFrame()
      case 'skip':
        return this.#skip(step)
      case 'block':
        return this.#block(step.frame)
    }
  }

  #beginFrame(): boolean {
    const { length } = this.#pending
    if (length < 5) {
      if (length > 0 && this.#isEnded) throw damagedInput('zstd', 'something follows its end')
      return false
    }
    const magic = this.#number(0, 4)
    if (magic - (magic % 16) === SKIPPABLE_MAGIC) {
      if (length < 8) return false
      this.#step = { kind: 'skip', bytes: this.#number(4, 4) }
      this.#drop(8)
      this.#hasFrame = true
      return true
    }
    if (magic !== MAGIC) throw damagedInput('zstd', this.#hasFrame ? 'no frame begins where one has to' : 'no frame begins it')
    const descriptor = this.#number(4, 1)
    const isSingleSegment = (descriptor & 0x20) !== 0
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
    const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
    const windowAt = 5
    const contentSizeAt = windowAt + (isSingleSegment ? 0 : 1) + dictionaryBytes
    if (length < contentSizeAt + contentSizeBytes) return false
    if ((descriptor & 0x08) !== 0) throw damagedInput('zstd', 'a reserved bit of a frame header is set')
    if (this.#number(contentSizeAt - dictionaryBytes, dictionaryBytes) !== 0)
      throw damagedInput('zstd', 'it needs a dictionary')
    const contentBytes =
      contentSizeBytes === 0 ? undefined : this.#number(contentSizeAt, contentSizeBytes) + (contentSizeBytes === 2 ? 256 : 0)
    const windowBytes = isSingleSegment ? (contentBytes ?? 0) : windowOf(this.#number(windowAt, 1))
    if (windowBytes > MAX_WINDOW_BYTES)
      throw damagedInput('zstd', `it needs a window of ${windowBytes} bytes, above ${MAX_WINDOW_BYTES}`)
    const decompress = this.#open()
    const frame: Frame = {
      decompress,
      checksum: (descriptor & 0x04) === 0 ? undefined : new Xxh64(),
      contentBytes,
      outputBytes: 0,
    }
    decompress.ondata = (bytes) => {
      if (bytes.length === 0) return
      frame.outputBytes += bytes.length
      frame.checksum?.update(bytes)
      this.#output.push(bytes)
    }
    this.#feed(frame, contentSizeAt + contentSizeBytes, false)
    this.#step = { kind: 'block', frame }
    this.#hasFrame = true
    return true
  }

  #skip(step: { bytes: number }): boolean {
    const bytes = Math.min(step.bytes, this.#pending.length)
    this.#drop(bytes)
    step.bytes -= bytes
    if (step.bytes > 0) return false
    this.#step = { kind: 'between frames' }
    return true
  }

  #block(frame: Frame): boolean {
    if (this.#pending.length < 3) return false
    const header = this.#number(0, 3)
    const isLast = (header & 1) === 1
    const type = (header >> 1) & 3
    const isRun = type === RUN
    const sizeBytes = header >> 3
    if (sizeBytes > MAX_BLOCK_BYTES) throw damagedInput('zstd', `a block of ${sizeBytes} bytes is too large`)
    const blockBytes = 3 + (isRun ? 1 : sizeBytes)
    if (this.#pending.length < blockBytes) return false
    if (type === COMPRESSED && hasEndlessWeights(this.#pending.subarray(3, blockBytes)))
      throw damagedInput('zstd', 'the weights of a Huffman tree never end')
    if (isLast && frame.checksum !== undefined) {
      // The package wants the checksum with the last block, and only passes over it.
      if (this.#pending.length < blockBytes + 4) return false
      const stated = this.#number(blockBytes, 4)
      this.#feed(frame, blockBytes + 4, true)
      if (stated !== frame.checksum.low32()) {
        this.#output = []
        throw damagedInput('zstd', 'its checksum does not match')
      }
    } else this.#feed(frame, blockBytes, isLast)
    if (!isLast) return true
    if (frame.contentBytes !== undefined && frame.contentBytes !== frame.outputBytes)
      throw damagedInput('zstd', `a frame has ${frame.outputBytes} bytes, and says ${frame.contentBytes}`)
    this.#step = { kind: 'between frames' }
    return true
  }

  #feed(frame: Frame, length: number, isLast: boolean): void {
    const bytes = this.#pending.slice(0, length)
    this.#drop(length)
    try {
      frame.decompress.push(bytes, isLast)
    } catch (error) {
      // Whatever damaged bytes make the package stumble over.
      throw damagedInput('zstd', error instanceof Error ? error.message : String(error))
    }
  }

  #drop(length: number): void {
    this.#pending = this.#pending.subarray(length)
  }

  /** Little endian. */
  #number(at: number, length: number): number {
    let number = 0
    for (let n = length - 1; n >= 0; n -= 1) number = number * 256 + (this.#pending[at + n] ?? 0)
    return number
  }
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}
