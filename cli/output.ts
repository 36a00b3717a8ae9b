/**
 * The buffered writer on standard output: fills one buffer while the other is being written, so that encoding overlaps the write
 * and memory stays bounded. What it promises: nothing is lost silently (an error that happened behind a write is thrown by the next
 * call), and a reader that closed the pipe is not an error.
 */
import { GrowableBytes } from '../lib/bytes/growable-bytes.js'
import { LogqError, systemErrorCode } from '../lib/errors.js'
import type { OutputStream } from '../lib/system/streams.js'
import type { Clock } from '../lib/system/system.js'
import { failureOf } from './errors.js'
import { escapeText } from './print/escape.js'

/** A buffer is handed to the operating system when it holds this much. */
const BUFFER_BYTES = 256 * 1024
/** A buffer that one large record made grow beyond this is not kept. */
const KEEP_BYTES = 4 * BUFFER_BYTES
/** After a signal, what was handed over already gets this long to be accepted by whoever reads the pipe. */
const GRACE_MS = 500

export interface OutputWriter {
  readonly isTerminal: boolean
  /**
   * The buffer that is being filled. Append to it and call `settle`; it is another object afterwards, so do not hold on to it.
   */
  readonly buffer: GrowableBytes
  /**
   * To be called after appending to `buffer`, at least after every few hundred KiB. Returns undefined when there is room for more,
   * else a promise to await before going on: `const wait = output.settle(); if (wait !== undefined) await wait`.
   *
   * Like every method here it throws (or rejects with) LOGQ_IO when the operating system refused a write, and LOGQ_ABORTED when a
   * signal came and nobody takes what was written.
   */
  settle(): Promise<void> | undefined
  /** Appends and settles. */
  write(bytes: Uint8Array): Promise<void> | undefined
  /**
   * Writes bytes that are too many to be copied, and `end` after them: waits for what was written before, and until the bytes were
   * accepted. They must stay what they are until then.
   */
  writeThrough(bytes: Uint8Array, end?: Uint8Array): Promise<void>
  /**
   * As `write`, for text that logq put together, as UTF-8. Names of topics and files may stand in it: on a terminal it passes the gate
   * of print/escape.ts.
   */
  writeText(text: string): Promise<void> | undefined
  /** One line of such text, and its end. On a terminal a line feed within it, as a file's name may have one, is shown escaped. */
  writeLine(line: string): Promise<void> | undefined
  /** Waits until everything written so far was accepted by the operating system. Call it when input pauses, and before committing. */
  flush(): Promise<void>
  /** Bytes that the operating system has accepted. */
  readonly acceptedBytes: number
  /** Bytes handed to this writer so far; those in `buffer` count. */
  readonly writtenBytes: number
  /** The reader closed the pipe: nothing more can be delivered, and that is success. What is written from now on is dropped. */
  readonly readerClosed: boolean
}

export interface OutputWriterOptions {
  readonly clock: Clock
  /** Ends the patience with a reader that does not read. */
  readonly signal: AbortSignal
  /** How messages call the stream. */
  readonly name?: string
  /** For tests. */
  readonly bufferBytes?: number
}

export function createOutputWriter(stream: OutputStream, options: OutputWriterOptions): OutputWriter {
  return new BufferedWriter(stream, options)
}

class BufferedWriter implements OutputWriter {
  buffer = new GrowableBytes(16 * 1024)
  readerClosed = false

  /** Asked once: it is a system call, and there may be a line for each of millions of records. */
  #isTerminal: boolean | undefined
  private spare = new GrowableBytes(0)
  /** Set while a write is under way; it never rejects: its failure is kept in `failure`. */
  private pending: Promise<void> | undefined
  private failure: Error | undefined
  private handedOverBytes = 0
  /** Whoever waits for a write and must hear of a signal. */
  private readonly onAbort = new Set<() => void>()
  private readonly stream: OutputStream
  private readonly options: OutputWriterOptions
  private readonly bufferBytes: number

  constructor(stream: OutputStream, options: OutputWriterOptions) {
    this.stream = stream
    this.options = options
    this.bufferBytes = options.bufferBytes ?? BUFFER_BYTES
    const wakeAll = (): void => {
      for (const wake of this.onAbort) wake()
    }
    options.signal.addEventListener('abort', wakeAll, { once: true })
  }

  get isTerminal(): boolean {
    this.#isTerminal ??= this.stream.isTerminal
    return this.#isTerminal
  }

  get acceptedBytes(): number {
    return this.stream.acceptedBytes
  }

  get writtenBytes(): number {
    return this.handedOverBytes + this.buffer.length
  }

  settle(): Promise<void> | undefined {
    if (this.buffer.length < this.bufferBytes) return undefined
    this.throwFailure()
    if (this.pending === undefined) {
      this.handOver()
      return undefined
    }
    return this.waitAndHandOver(this.pending)
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    this.buffer.append(bytes)
    return this.settle()
  }

  async writeThrough(bytes: Uint8Array, end?: Uint8Array): Promise<void> {
    // Someone else may have written when this comes to its turn.
    while (this.pending !== undefined || this.buffer.length > 0) await this.flush()
    this.throwFailure()
    if (end !== undefined) this.buffer.append(end)
    this.handedOverBytes += bytes.length
    if (this.readerClosed) return
    this.pending = this.stream
      .write(bytes)
      .catch((error: unknown) => this.noteFailure(error))
      .then(() => {
        this.pending = undefined
      })
    await this.patiently(this.pending)
    this.throwFailure()
  }

  writeText(text: string): Promise<void> | undefined {
    return this.write(Buffer.from(this.isTerminal ? escapeText(text, 'text') : text, 'utf8'))
  }

  writeLine(line: string): Promise<void> | undefined {
    return this.writeText(`${this.isTerminal ? escapeText(line, 'line') : line}\n`)
  }

  async flush(): Promise<void> {
    this.throwFailure()
    while (this.pending !== undefined || this.buffer.length > 0) {
      if (this.pending === undefined) this.handOver()
      if (this.pending !== undefined) await this.patiently(this.pending)
      this.throwFailure()
    }
  }

  private async waitAndHandOver(pending: Promise<void>): Promise<void> {
    await this.patiently(pending)
    this.throwFailure()
    // Someone else may have handed over while this waited.
    if (this.pending === undefined && this.buffer.length >= this.bufferBytes) this.handOver()
  }

  /** Starts writing the full buffer and goes on with the other one. No write is under way. */
  private handOver(): void {
    const full = this.buffer
    this.handedOverBytes += full.length
    this.buffer = this.spare
    if (this.readerClosed) {
      full.clear()
      this.spare = full
      return
    }
    this.pending = this.stream
      .write(full.view())
      .catch((error: unknown) => this.noteFailure(error))
      .then(() => {
        full.clear()
        this.spare = full.bytes.length > Math.max(KEEP_BYTES, 4 * this.bufferBytes) ? new GrowableBytes(this.bufferBytes) : full
        this.pending = undefined
      })
  }

  private noteFailure(error: unknown): void {
    if (systemErrorCode(error) === 'EPIPE') {
      this.readerClosed = true
    } else if (error instanceof Error && systemErrorCode(error) !== undefined) {
      this.failure = failureOf(error, this.options.name ?? 'standard output')
    } else {
      this.failure = error instanceof Error ? error : new Error(String(error))
    }
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure
  }

  /** Waits for a write, but after a signal only for a moment: the reader may have stopped reading for good. */
  private async patiently(pending: Promise<void>): Promise<void> {
    const { signal, clock } = this.options
    if (!signal.aborted) {
      let onAbort = (): void => undefined
      const aborted = new Promise<void>((resolve) => {
        onAbort = resolve
        this.onAbort.add(onAbort)
      })
      await Promise.race([pending, aborted])
      this.onAbort.delete(onAbort)
    }
    if (signal.aborted) {
      const enough = new AbortController()
      const late = await Promise.race([pending.then(() => false), clock.sleep(GRACE_MS, enough.signal).then(() => true)])
      enough.abort()
      if (late) throw new LogqError('LOGQ_ABORTED', 'interrupted while nobody read standard output')
    }
  }
}
