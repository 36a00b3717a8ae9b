/**
 * A file of a location, read as if it were here. What is read is fetched, in ranges, and kept in a temporary file that has no name: memory
 * holds no more than two ranges, and nothing is fetched twice. The first range is small; for who reads on they grow, and the next one
 * is fetched while the last one is used.
 */
import { tmpdir } from 'node:os'
import { CorruptionError, LogqError, isLogqError, systemErrorCode } from '../../errors.js'
import { AwaitedBytes } from '../awaited-bytes.js'
import { readInto, temporaryName, writeFully } from '../durable.js'
import type { System } from '../system.js'
import type { Location } from './location.js'

/** What is fetched at least. A range is a number of units, and doubles up to the largest. */
const UNIT_BYTES = 256 << 10
const LARGEST_RANGE = (8 << 20) / UNIT_BYTES
/** From a range of so many units on, the next one is fetched ahead. */
const AHEAD_FROM = 4

export interface FetchedFileSource {
  /** Opened when something has to be fetched. */
  readonly location: () => Location
  readonly name: string
  /** As it is to be. */
  readonly sizeBytes: number
  readonly damaged: (what: string, position: number) => CorruptionError
}

/** In units; `to` is excluded. */
interface Range {
  readonly from: number
  readonly to: number
}

export class FetchedFile {
  /** What was found to be wrong; thrown to who reads what is not here. */
  damage: CorruptionError | undefined
  readonly #isHere: Uint8Array
  #fd: number | undefined
  #isDisposed = false
  #isSizeChecked = false
  #last: Range = { from: 0, to: 0 }
  #ahead: { readonly range: Range; readonly done: Promise<void> } | undefined
  #stop = new AbortController()
  /** How many wait for something of it. */
  #waiting = 0
  #isResting = false
  #fetchedBytes = 0

  constructor(
    private readonly system: System,
    private readonly source: FetchedFileSource,
  ) {
    this.#isHere = new Uint8Array(Math.ceil(source.sizeBytes / UNIT_BYTES))
  }

  /** Of it, here. */
  get fetchedBytes(): number {
    return this.#fetchedBytes
  }

  /** Somebody waits for something of it, and is to find it here. */
  get isAwaited(): boolean {
    return this.#waiting > 0
  }

  /** As FileSystem.read. Throws AwaitedBytes for what is not fetched yet, CorruptionError for what cannot be. */
  read(buffer: Uint8Array, start: number, length: number, position: number): number {
    const { name, sizeBytes } = this.source
    this.#isResting = false
    const end = Math.min(position + length, sizeBytes)
    if (position >= end) return 0
    const wanted = { from: Math.floor(position / UNIT_BYTES), to: Math.ceil(end / UNIT_BYTES) }
    const missing = this.#isHere.subarray(wanted.from, wanted.to).indexOf(0)
    if (missing >= 0) {
      if (this.damage !== undefined) throw this.damage
      const from = wanted.from + missing
      throw new AwaitedBytes(`'${name}'`, (signal) => this.#fetch({ from, to: wanted.to }, signal))
    }
    this.#fetchAhead(wanted)
    return readInto(this.system.fs, this.#file(), buffer, start, end - position, position)
  }

  /**
   * Nobody reads it for now, and nothing is fetched ahead. What was fetched stays. A look that has to wait closes the file, too, and
   * comes back: so this takes effect a moment later.
   */
  rest(): void {
    this.#isResting = true
    setImmediate(() => {
      if (this.#isResting && this.#waiting === 0) this.#stopAhead()
    })
  }

  #stopAhead(): void {
    this.#stop.abort()
    this.#stop = new AbortController()
  }

  dispose(): void {
    this.#stopAhead()
    this.#isDisposed = true
    if (this.#fd !== undefined) this.system.fs.close(this.#fd)
    this.#fd = undefined
  }

  /** From the first unit that is wanted on. What is damaged is not said here: the next look does. */
  async #fetch(wanted: Range, signal: AbortSignal | undefined): Promise<void> {
    const ahead = this.#ahead
    this.#waiting += 1
    try {
      if (ahead !== undefined && wanted.from >= ahead.range.from && wanted.from < ahead.range.to)
        await unlessAborted(ahead.done, this.source.name, signal)
      // Also where that failed, so that each look finds more than the one before.
      if (!this.#isDisposed && this.#isHere[wanted.from] === 0)
        await unlessAborted(this.#fetchRange(this.#rangeFrom(wanted), signal), this.source.name, signal)
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      this.damage = error
    } finally {
      this.#waiting -= 1
    }
  }

  #rangeFrom({ from, to }: Range): Range {
    const { from: lastFrom, to: lastTo } = this.#last
    const grown = from === lastTo ? 2 * (lastTo - lastFrom) : 1
    const most = Math.min(from + Math.min(Math.max(grown, to - from), LARGEST_RANGE), this.#isHere.length)
    const next = this.#isHere.subarray(from, most).indexOf(1)
    return { from, to: next < 0 ? most : from + next }
  }

  #fetchAhead(wanted: Range): void {
    const { from, to } = this.#last
    const isReadOn = to - from >= AHEAD_FROM && wanted.to > from && wanted.to <= to
    if (!isReadOn || this.#ahead !== undefined || this.#isHere[to] !== 0) return
    const range = this.#rangeFrom({ from: to, to: to + 1 })
    const stopped = this.#stop.signal
    const done = this.#fetchRange(range, stopped)
      .catch(() => undefined)
      .finally(() => {
        this.#ahead = undefined
      })
    this.#ahead = { range, done }
  }

  async #fetchRange(range: Range, signal: AbortSignal | undefined): Promise<void> {
    const { name, sizeBytes, damaged } = this.source
    const position = range.from * UNIT_BYTES
    const length = Math.min(range.to * UNIT_BYTES, sizeBytes) - position
    const location = this.source.location()
    if (!this.#isSizeChecked) {
      const present = await location.sizeOf(name, signal)
      if (present === undefined) throw damaged('the file is missing', 0)
      if (present !== sizeBytes) throw damaged(`the file has ${present} bytes, and ${sizeBytes} are expected`, 0)
      this.#isSizeChecked = true
    }
    const bytes = await location.read(name, position, length, signal)
    if (bytes.length < length) throw damaged('the file ends too early', position + bytes.length)
    if (this.#isDisposed) return
    this.#keep(bytes, position)
    this.#isHere.fill(1, range.from, range.to)
    this.#fetchedBytes += bytes.length
    this.#last = range
  }

  #keep(bytes: Uint8Array, position: number): void {
    const fd = this.#file()
    const folder = tmpdir()
    try {
      writeFully(this.system.fs, fd, bytes, position, folder)
    } catch (error) {
      throw noRoom(folder, error)
    }
  }

  /** Gone with the process, however that ends: it has no name. */
  #file(): number {
    if (this.#fd !== undefined) return this.#fd
    const { fs } = this.system
    const folder = tmpdir()
    const path = `${folder}/${temporaryName(this.system)}`
    try {
      const fd = fs.open(path, 'create-new', 0o600)
      this.#fd = fd
      fs.unlink(path)
      return fd
    } catch (error) {
      throw noRoom(folder, error)
    }
  }
}

function noRoom(folder: string, error: unknown): unknown {
  if (systemErrorCode(error) === undefined && !isLogqError(error, 'LOGQ_IO')) return error
  const { message } = error as Error
  return new LogqError('LOGQ_IO', `what is fetched cannot be kept in '${folder}': ${message}`, {
    hint: 'set TMPDIR to a directory with room for a segment of each partition that is read at once',
    cause: error,
  })
}

/** Rejects with LOGQ_ABORTED as soon as the signal aborts. */
async function unlessAborted(done: Promise<void>, name: string, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await done
    return
  }
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(new LogqError('LOGQ_ABORTED', `stopped while '${name}' was fetched`))
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([done, aborted])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}
