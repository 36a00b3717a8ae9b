/** Input files that are compressed, by the ends of their names: read as what they hold, in bounded memory. */
import type { Decoder } from './decoder.js'
import type { InputStream } from './streams.js'

const CHUNK_BYTES = 64 << 10

type OpenDecoder = () => Promise<Decoder>

const decoders: Readonly<Record<string, OpenDecoder>> = {
  '.gz': async () => new (await import('./zlib-decoder.js')).ZlibDecoder('gzip'),
  '.br': async () => new (await import('./zlib-decoder.js')).ZlibDecoder('Brotli'),
  '.zst': async () => (await import('./zstd-decoder.js')).ZstdDecoder.create(),
}

/** The input decompressed when the name that it was opened by ends in .gz, .br or .zst, else the input itself. */
export function decompressByName(input: InputStream): InputStream {
  const open = decoders[extensionOf(input.name)]
  return open === undefined ? input : new DecompressedInput(input, open)
}

/** '.gz' of 'access.log.GZ'; '' when there is none. */
export function extensionOf(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1)
  const dot = base.lastIndexOf('.')
  return dot === -1 ? '' : base.slice(dot).toLowerCase()
}

class DecompressedInput implements InputStream {
  readonly name: string
  readonly #source: InputStream
  readonly #open: OpenDecoder
  #decoder: Decoder | undefined
  /** Compressed bytes as they are read. */
  #chunk: Uint8Array | undefined
  /** Plain bytes that are not taken yet. */
  #rest: Uint8Array | undefined
  #isEnded = false
  #isClosed = false

  constructor(source: InputStream, open: OpenDecoder) {
    this.name = source.name
    this.#source = source
    this.#open = open
  }

  get isTerminal(): boolean {
    return this.#source.isTerminal
  }

  async read(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    this.#decoder ??= await this.#open()
    for (;;) {
      if (this.#isClosed || signal?.aborted === true) return undefined
      this.#rest ??= await this.#decoder.take()
      if (this.#rest !== undefined) return this.#give(this.#rest, buffer)
      if (this.#isEnded) return 0
      this.#chunk ??= new Uint8Array(CHUNK_BYTES)
      const count = await this.#source.read(this.#chunk, signal)
      if (count === undefined) return undefined
      if (count > 0) await this.#decoder.write(this.#chunk.subarray(0, count))
      else {
        this.#isEnded = true
        await this.#decoder.end()
      }
    }
  }

  hasDataReady(): boolean {
    return this.#rest !== undefined || this.#isEnded || this.#source.hasDataReady()
  }

  close(): void {
    this.#isClosed = true
    this.#decoder?.close()
    this.#source.close()
  }

  #give(rest: Uint8Array, buffer: Uint8Array): number {
    const length = Math.min(rest.length, buffer.length)
    buffer.set(rest.subarray(0, length))
    this.#rest = length < rest.length ? rest.subarray(length) : undefined
    return length
  }
}
