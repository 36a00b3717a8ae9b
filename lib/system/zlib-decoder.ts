/**
 * gzip and Brotli by node:zlib. Its streams work on the thread pool; a pause keeps their output within bounds however well the input is
 * compressed.
 */
import type { BrotliDecompress, Gunzip } from 'node:zlib'
import { systemErrorCode } from '../errors.js'
import { damagedInput, truncatedInput, type Decoder } from './decoder.js'

const MAX_QUEUED_BYTES = 1 << 20

export class ZlibDecoder implements Decoder {
  readonly #stream: Gunzip | BrotliDecompress
  readonly #format: 'gzip' | 'Brotli'
  readonly #output: Uint8Array[] = []
  #outputBytes = 0
  #givenBytes = 0
  #lastGiven = new Uint8Array(0)
  /** A write, or the end, is being worked on. */
  #isBusy = false
  #isOver = false
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(format: 'gzip' | 'Brotli') {
    const zlib = process.getBuiltinModule('node:zlib')
    this.#format = format
    this.#stream = format === 'gzip' ? zlib.createGunzip() : zlib.createBrotliDecompress()
    this.#stream.on('data', (bytes: Uint8Array) => {
      this.#output.push(bytes)
      this.#outputBytes += bytes.length
      if (this.#outputBytes > MAX_QUEUED_BYTES) this.#stream.pause()
      this.#wake?.()
    })
    this.#stream.on('end', () => {
      this.#isOver = true
      this.#wake?.()
    })
    this.#stream.on('error', (error) => {
      this.#failure = error
      this.#wake?.()
    })
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isOver) {
      this.#refuseTrailing(bytes)
      return
    }
    this.#givenBytes += bytes.length
    this.#lastGiven = bytes.slice()
    this.#isBusy = true
    this.#stream.write(this.#lastGiven, () => {
      this.#isBusy = false
      this.#wake?.()
    })
    await this.#progress()
  }

  async end(): Promise<void> {
    if (this.#isOver) return
    if (this.#givenBytes === 0) throw truncatedInput(this.#format)
    this.#isBusy = true
    this.#stream.end()
    await this.#progress()
  }

  async take(): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = this.#output.shift()
      if (bytes !== undefined) {
        this.#outputBytes -= bytes.length
        return bytes
      }
      if (this.#failure !== undefined) throw this.#describe(this.#failure)
      if (this.#isOver) {
        const leftBytes = this.#givenBytes - this.#stream.bytesWritten
        this.#refuseTrailing(this.#lastGiven.subarray(this.#lastGiven.length - leftBytes))
        this.#givenBytes -= leftBytes
        return undefined
      }
      if (!this.#isBusy) return undefined
      this.#stream.resume()
      await this.#progress()
    }
  }

  close(): void {
    this.#stream.destroy()
    this.#wake?.()
  }

  /** Until there is something to take, or nothing more comes of what was given. */
  #progress(): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (
          this.#output.length === 0 &&
          this.#isBusy &&
          !this.#isOver &&
          this.#failure === undefined &&
          !this.#stream.destroyed
        )
          return
        this.#wake = undefined
        resolve()
      }
      this.#wake = look
      look()
    })
  }

  /** After the last member of a gzip file there may be padding with zeros; Brotli has nothing behind its end. */
  #refuseTrailing(bytes: Uint8Array): void {
    const isRefused = this.#format === 'Brotli' ? bytes.length > 0 : bytes.some((byte) => byte !== 0)
    if (isRefused) throw damagedInput(this.#format, 'something follows its end')
  }

  #describe(error: Error): Error {
    const code = systemErrorCode(error)
    if (code === 'Z_BUF_ERROR') return truncatedInput(this.#format)
    return damagedInput(this.#format, error.message.toLowerCase())
  }
}
