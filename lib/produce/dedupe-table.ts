/**
 * The table of a dedupe index: from the hash of an id to where records with that id are. A hash table with open addressing, in buckets of
 * 512 bytes that each carry a checksum. Buckets are read when they are needed and kept until there are too many; changed ones are
 * written when the index says so (dedupe-index.ts), since others may have written the file meanwhile.
 */
import { LogqError, systemReason } from '../errors.js'
import { readInto, shortWriteError } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import {
  BUCKET_BYTES,
  ENTRIES_PER_BUCKET,
  emptyBucket,
  entryPosition,
  homeBucket,
  isBucket,
  readEntry,
  sealBucket,
  usedEntries,
  writeEntry,
  type DedupeEntry,
} from './dedupe-format.js'
import { ID_HASH_BYTES } from './dedupe-id.js'

/** The table is not as it was written: it has to be built again from the log. */
export class DamagedTableError extends Error {}

/** Where a table is in its file. */
export interface TablePlace {
  readonly fs: FileSystem
  readonly fd: number
  readonly path: string
  readonly position: number
  readonly bucketCount: number
}

/** Of one id: those that no later record with a greater timestamp made needless. */
const MAX_ENTRIES_OF_ID = 16
/** A table that is no more than this full has chains of a bucket or two. */
const MAX_LOAD = 0.7
const LONGEST_CHAIN = 1024
const CHUNK_BUCKETS = 128

export class DedupeTable {
  readonly #buckets = new Map<number, Buffer>()
  readonly #changed = new Set<number>()

  constructor(
    readonly place: TablePlace,
    /** Entries in the file and in the buckets that are not written yet. */
    public entryCount: number,
  ) {}

  /** A new table, all of whose buckets are in the file and empty. */
  static create(place: TablePlace): DedupeTable {
    const { fs, fd, path, position, bucketCount } = place
    for (let first = 0; first < bucketCount; first += CHUNK_BUCKETS) {
      const numbers = Array.from({ length: Math.min(CHUNK_BUCKETS, bucketCount - first) }, (_, n) => first + n)
      const chunk = Buffer.concat(numbers.map(sealedEmptyBucket))
      writeAt(fs, fd, chunk, position + first * BUCKET_BYTES, path)
    }
    return new DedupeTable(place, 0)
  }

  get sizeBytes(): number {
    return this.place.bucketCount * BUCKET_BYTES
  }

  /** Whether so many more entries would make it slow. */
  isTooFullFor(more: number): boolean {
    return this.entryCount + more > capacityOf(this.place.bucketCount)
  }

  /** Buckets in memory. */
  get bucketsInMemory(): number {
    return this.#buckets.size
  }

  get isChanged(): boolean {
    return this.#changed.size > 0
  }

  /** What is known of an id, in no order. Some of it may not be true: the log says. */
  entriesOf(hash: Uint8Array): DedupeEntry[] {
    const entries: DedupeEntry[] = []
    this.#walk(hash, (bucket, n) => {
      entries.push(readEntry(bucket, n))
      return false
    })
    return entries
  }

  /**
   * Notes that the record at an offset has this id. Call it in the order of the offsets. Throws DamagedTableError where the table
   * shows that it was written for another log.
   */
  put(hash: Uint8Array, offset: number, timestampMs: number): void {
    let greatest: { number: number; n: number; entry: DedupeEntry } | undefined
    let count = 0
    const free = this.#walk(hash, (bucket, n, number) => {
      const entry = readEntry(bucket, n)
      count += 1
      const isLater = entry.offset >= offset
      // Of a writer that was killed before its header: noted already, or needless. Of a log that was cut since: found out when it is asked
      // for. What it took the place of is not known, and so it stays.
      if (isLater && entry.timestampMs >= timestampMs) return true
      if (entry.offset === offset) throw new DamagedTableError('another record is where an entry says')
      if (!isLater && entry.timestampMs <= timestampMs) {
        writeEntry(bucket, n, hash, { offset, timestampMs, hidesOthers: false })
        this.#changed.add(number)
        return true
      }
      if (greatest === undefined || entry.timestampMs > greatest.entry.timestampMs) greatest = { number, n, entry }
      return false
    })
    if (free === undefined) return
    if (count >= MAX_ENTRIES_OF_ID && greatest !== undefined) this.#hide(hash, greatest)
    else this.#append(hash, free, { offset, timestampMs, hidesOthers: false })
  }

  /** Takes an entry from another table. */
  copy(hash: Uint8Array, entry: DedupeEntry): void {
    const free = this.#walk(hash, () => false)
    if (free !== undefined) this.#append(hash, free, entry)
  }

  /** All entries in the order of their hashes, roughly. The hash is a view that holds until the next one is asked for. */
  *all(): Generator<{ readonly hash: Uint8Array; readonly entry: DedupeEntry }, void, undefined> {
    const { bucketCount } = this.place
    const scratch = Buffer.alloc(BUCKET_BYTES)
    for (let number = 0; number < bucketCount; number += 1) {
      const bucket = this.#buckets.get(number) ?? this.#read(number, scratch)
      for (let n = 0; n < usedEntries(bucket); n += 1) {
        const position = entryPosition(n)
        yield { hash: bucket.subarray(position, position + ID_HASH_BYTES), entry: readEntry(bucket, n) }
      }
    }
  }

  /** Writes what was changed. In the order of the file, and neighbours in one write. */
  write(): void {
    const { fs, fd, path, position } = this.place
    const numbers = [...this.#changed].sort((a, b) => a - b)
    for (let from = 0; from < numbers.length;) {
      const first = numbers[from] ?? 0
      let to = from + 1
      while (to < numbers.length && to - from < CHUNK_BUCKETS && numbers[to] === first + to - from) to += 1
      const run = numbers.slice(from, to).map((number) => this.#bucket(number))
      for (const bucket of run) sealBucket(bucket)
      const only = run[0]
      writeAt(fs, fd, run.length === 1 && only !== undefined ? only : Buffer.concat(run), position + first * BUCKET_BYTES, path)
      from = to
    }
    this.#changed.clear()
  }

  /** Lets go of the memory; what was changed must have been written. */
  forget(): void {
    this.#buckets.clear()
  }

  /** Lets `visit` see the entries of an id until it returns true; else gives the number of the first bucket that has room. */
  #walk(hash: Uint8Array, visit: (bucket: Buffer, n: number, number: number) => boolean): number | undefined {
    const { bucketCount } = this.place
    const home = homeBucket(hash, bucketCount)
    for (let step = 0; step < Math.min(bucketCount, LONGEST_CHAIN); step += 1) {
      const number = (home + step) & (bucketCount - 1)
      const bucket = this.#bucket(number)
      const used = usedEntries(bucket)
      for (let n = 0; n < used; n += 1) {
        if (isOfHash(bucket, n, hash) && visit(bucket, n, number)) return undefined
      }
      if (used < ENTRIES_PER_BUCKET) return number
    }
    throw new DamagedTableError('a table is full')
  }

  #append(hash: Uint8Array, number: number, entry: DedupeEntry): void {
    const bucket = this.#bucket(number)
    writeEntry(bucket, usedEntries(bucket), hash, entry)
    this.#changed.add(number)
    this.entryCount += 1
  }

  #hide(hash: Uint8Array, { number, n, entry }: { number: number; n: number; entry: DedupeEntry }): void {
    if (entry.hidesOthers) return
    writeEntry(this.#bucket(number), n, hash, { ...entry, hidesOthers: true })
    this.#changed.add(number)
  }

  #bucket(number: number): Buffer {
    let bucket = this.#buckets.get(number)
    if (bucket === undefined) {
      bucket = this.#read(number)
      this.#buckets.set(number, bucket)
    }
    return bucket
  }

  #read(number: number, bucket = Buffer.alloc(BUCKET_BYTES)): Buffer {
    const { fs, fd, position } = this.place
    const count = readInto(fs, fd, bucket, 0, BUCKET_BYTES, position + number * BUCKET_BYTES)
    if (count === BUCKET_BYTES && isBucket(bucket, number)) return bucket
    throw new DamagedTableError(`bucket ${number} is damaged`)
  }
}

/** Buckets for so many entries and as many again: a power of two. */
export function bucketsFor(entryCount: number, least: number): number {
  let bucketCount = least
  while (capacityOf(bucketCount) < 1.5 * entryCount) bucketCount *= 2
  return bucketCount
}

function capacityOf(bucketCount: number): number {
  return Math.floor(bucketCount * ENTRIES_PER_BUCKET * MAX_LOAD)
}

function sealedEmptyBucket(number: number): Buffer {
  const bucket = emptyBucket(number)
  sealBucket(bucket)
  return bucket
}

function isOfHash(bucket: Buffer, n: number, hash: Uint8Array): boolean {
  const position = entryPosition(n)
  for (let index = 0; index < ID_HASH_BYTES; index += 1) {
    if (bucket[position + index] !== hash[index]) return false
  }
  return true
}

/** Where a write is short, the next one says why. */
function writeAt(fs: FileSystem, fd: number, bytes: Uint8Array, position: number, path: string): void {
  try {
    for (let done = 0; done < bytes.length;) {
      const count = fs.write(fd, bytes, done, bytes.length - done, position + done)
      if (count === 0) throw shortWriteError(path, done, bytes.length)
      done += count
    }
  } catch (error) {
    if (error instanceof LogqError) throw error
    throw new LogqError('LOGQ_IO', `cannot write '${path}': ${systemReason(error)}`, {
      cause: error,
      hint: 'it is a cache of ids that --dedupe-by needs: free space, or delete the file',
    })
  }
}
