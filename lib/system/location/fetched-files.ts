/**
 * The files of a location that are being read, each fetched once whoever reads it. Those that were closed last stay for a while: who reads
 * backwards opens the same one again and again.
 */
import type { System } from '../system.js'
import { FetchedFile, type FetchedFileSource } from './fetched-file.js'
import type { Location } from './location.js'

/** Of files that nobody has open: what was fetched of them, and how many, each with a descriptor. */
const KEPT_BYTES = 256 << 20
const KEPT_FILES = 64

interface Entry {
  readonly file: FetchedFile
  users: number
}

export type WantedFile = Omit<FetchedFileSource, 'location'> & {
  /** What makes it another file of the same name. */
  readonly version: string
}

export class FetchedFiles {
  /** Those without users in the order in which they were closed. */
  readonly #entries = new Map<string, Entry>()
  #location: Location | undefined

  constructor(
    private readonly system: System,
    private readonly openLocation: () => Location,
    private readonly keptBytes = KEPT_BYTES,
  ) {}

  /** Nothing is fetched yet, not even whether it is there. */
  open(wanted: WantedFile): Pick<FetchedFile, 'read'> & { close(): void } {
    const { name, version, sizeBytes } = wanted
    const key = `${name} ${version} ${sizeBytes}`
    const location = () => (this.#location ??= this.openLocation())
    const entry = this.#entries.get(key) ?? {
      file: new FetchedFile(this.system, { ...wanted, location }),
      users: 0,
    }
    this.#entries.set(key, entry)
    entry.users += 1
    return {
      read: (buffer, start, length, position) => entry.file.read(buffer, start, length, position),
      close: () => {
        entry.users -= 1
        if (entry.users === 0) this.#rest(key, entry)
      },
    }
  }

  #rest(key: string, entry: Entry): void {
    entry.file.rest()
    this.#entries.delete(key)
    if (entry.file.damage === undefined) this.#entries.set(key, entry)
    else entry.file.dispose()
    // A look that waits has closed its file, too, and comes back.
    const unused = [...this.#entries].filter(([, { users, file }]) => users === 0 && !file.isAwaited)
    let bytes = unused.reduce((sum, [, { file }]) => sum + file.fetchedBytes, 0)
    let count = unused.length
    // The one that was closed just now stays, however large: its reader may be about to look again.
    for (const [oldest, { file }] of unused.slice(0, -1)) {
      if (bytes <= this.keptBytes && count <= KEPT_FILES) return
      bytes -= file.fetchedBytes
      count -= 1
      file.dispose()
      this.#entries.delete(oldest)
    }
  }
}
