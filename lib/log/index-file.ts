/**
 * What both indexes share: entries of one size, read one by one, so that a look-up in a large index reads a dozen entries and not the file.
 */
import { readInto } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'

export abstract class IndexFileReader<Entry> {
  readonly entryCount: number
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(
    private readonly fs: FileSystem,
    private readonly fd: number,
    protected readonly baseOffset: number,
    private readonly entryBytes: number,
  ) {
    this.entryCount = Math.floor(fs.fileStatus(fd).sizeBytes / entryBytes)
    this.#bytes = new Uint8Array(entryBytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** The n-th entry; undefined past the end, in the preallocated tail, and for what cannot be an entry. */
  entry(n: number): Entry | undefined {
    if (n < 0 || n >= this.entryCount) return undefined
    const count = readInto(this.fs, this.fd, this.#bytes, 0, this.entryBytes, n * this.entryBytes)
    return count === this.entryBytes ? this.decode(this.#view, n) : undefined
  }

  protected abstract decode(view: DataView, n: number): Entry | undefined

  /** Number of the last entry for which a condition holds that holds for all before it; -1 when there is none. */
  protected lastSlotWhere(holds: (entry: Entry) => boolean): number {
    let low = -1
    let high = this.entryCount - 1
    while (low < high) {
      const middle = low + Math.ceil((high - low) / 2)
      const entry = this.entry(middle)
      if (entry !== undefined && holds(entry)) low = middle
      else high = middle - 1
    }
    return low
  }
}
