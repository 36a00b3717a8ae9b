/**
 * The dedupe index of a partition: where the ids are that its log holds, kept in a file so that nobody has to read the log again for
 * every run (format-spec/dedupe-index.md). It is a cache. What it says of an id is checked against the log by whoever asks
 * (dedupe-verify.ts); what it does not say must be right, and so everything that could make it wrong makes it be built again.
 *
 * Any number of processes use it in turn, under a kernel lock on the file. The lock keeps the file in order and no more: that a
 * decision holds is up to the log, which takes a batch only at the log end that the decision was made for.
 *
 * Writing, numbered for format-spec/ordering.md and its tests:
 *
 *  1. The buckets of the table that were changed.  Crash here: they hold more than the header promises, all of it in the log.
 *     Where the log lost it since, that is seen when it is looked up, and the index is built anew.
 *  2. The header, with another generation.         Crash here: nothing is left to do.
 *
 * Building anew: the file is cut to nothing first, and gets its header last. A table that grows is built beside the old one, in the
 * same file, and the header then names the new one.
 */
import { CorruptionError, LogqError, systemErrorCode } from '../errors.js'
import { DEDUPE_INDEX_PREFIX } from '../log/file-names.js'
import {
  listSegments,
  logEndOffset,
  logStartOffset,
  offsetForTimestamp,
  readStateBlock,
  type ViewContext,
} from '../log/log-view.js'
import { topicRemoved } from '../log/partition-lock.js'
import { readPartition, withRecords, type BatchSlice } from '../log/read-partition.js'
import { isOfThisBoot } from '../log/state-block.js'
import { openOrCreateFile, readUpTo, writeFully, type Ownership } from '../system/durable.js'
import { lockIsBusy, waitForLock, type LockWait } from '../system/lock-wait.js'
import {
  BUCKET_BYTES,
  DEDUPE_HOLDER_BYTES,
  DEDUPE_HOLDER_POSITION,
  FIRST_TABLE_POSITION,
  decodeDedupeHeader,
  encodeDedupeHeader,
  type CoveredBatch,
  type DedupeEntry,
  type DedupeHeader,
} from './dedupe-format.js'
import { hashOfId, idAtCursor, nameOf, safeTimestamp, type DedupeBy } from './dedupe-id.js'
import { DedupeTable, bucketsFor } from './dedupe-table.js'

export interface DedupeIndexContext {
  readonly view: ViewContext
  readonly ownership: Ownership
  readonly by: DedupeBy
  readonly windowMs: number
  /** How many buckets of 512 bytes may be kept in memory. */
  readonly maxBuckets: () => number
}

/** A table begins with room for some 700 ids. */
const LEAST_BUCKETS = 64
/** Beside the window: records that come somewhat late shall not make the index be built again. */
const LEAST_SLACK_MS = 600_000
/** At most so many records have to be read again by the next process. */
const MAX_UNWRITTEN_RECORDS = 32_768
/** The whole log, whatever the timestamps. */
const ALL_TIMES = Number.MIN_SAFE_INTEGER

interface Covered {
  table: DedupeTable
  /** Every record in [retained, coveredTo) that is not older than this is in the table. */
  coveredFromMs: number
  coveredTo: number
  lastBatch: CoveredBatch | undefined
  /** Of the header that the table goes on from; empty when there is none. */
  generation: Uint8Array
}

export class DedupeIndex {
  readonly path: string
  readonly #kind: Buffer
  #fd: number | undefined
  #covered: Covered | undefined
  /** As it was found when the lock was taken. */
  #found: DedupeHeader | undefined
  /** The file has no header until it is built. */
  #isBuilding = false
  #unwrittenRecords = 0
  /** What the present batch needs, which a table that grows must not drop. */
  #neededFromMs = 0

  constructor(private readonly context: DedupeIndexContext) {
    this.path = `${context.view.directory}/${dedupeIndexName(context.by)}`
    this.#kind = hashOfId(Buffer.from(nameOf(context.by)))
  }

  /** Takes the lock. Throws LOGQ_BUSY, LOGQ_ABORTED, LOGQ_TOPIC_REMOVED, or a system error. */
  async acquire(wait: LockWait): Promise<void> {
    const { system } = this.context.view
    for (;;) {
      const fd = (this.#fd ??= this.#open())
      if (!system.locks.tryLock(fd, false)) await this.#waitFor(fd, wait)
      if (this.#isAtItsPath()) break
      // Somebody deleted the file, or the topic: a lock on what is left of it guards nothing.
      this.close()
    }
    this.#readHeader()
  }

  release(): void {
    if (this.#fd !== undefined) this.context.view.system.locks.unlock(this.#fd)
  }

  /** Log end offset that the index speaks of. Only after `prepare`. */
  get coveredTo(): number {
    return this.#covered?.coveredTo ?? 0
  }

  /**
   * Brings the index up to the log: it then knows every record below `coveredTo` that is not older than `fromMs`, and has room for
   * so many more. The caller holds the lock. Throws CorruptionError where the log cannot be read, LOGQ_ABORTED, DamagedTableError
   * (call `distrust` and try again), or an error of the disk; nothing is lost then.
   */
  async prepare(fromMs: number, recordCount: number, signal?: AbortSignal): Promise<void> {
    this.#neededFromMs = Math.max(fromMs, ALL_TIMES)
    const { view } = this.context
    let covered = this.#covered
    if (covered === undefined) {
      const end = logEndOffset(view, listSegments(view))
      covered = await this.#load(end, signal)
      if (covered === undefined) await this.#build(end, signal)
      else await this.catchUp(end, signal)
    }
    covered = this.#covered
    if (covered !== undefined && covered.coveredFromMs > this.#neededFromMs) await this.#build(covered.coveredTo, signal)
    if (this.#covered?.table.isTooFullFor(recordCount) === true) this.#grow(recordCount)
  }

  /** Reads what the log got since. The caller holds the lock and has prepared. */
  async catchUp(toOffset: number, signal?: AbortSignal): Promise<void> {
    const covered = this.#required()
    if (toOffset < covered.coveredTo) {
      // The log was cut. Its end is no longer the one that is known.
      this.forget()
      await this.prepare(this.#neededFromMs, 0, signal)
      return
    }
    for await (const slice of readPartition(this.context.view, covered.coveredTo, toOffset, signal)) {
      withRecords(slice, () => {
        this.#take(slice)
      })
      this.cover(
        Math.min(slice.batch.nextOffset, toOffset),
        slice.batch.baseOffset,
        slice.batch.crc,
        slice.batch.partitionLeaderEpoch,
      )
    }
    if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', `stopped while reading '${this.context.view.directory}'`)
    covered.coveredTo = toOffset
    if (this.#unwrittenRecords >= MAX_UNWRITTEN_RECORDS && !this.#isBuilding) this.#write()
  }

  /** What is known of an id. Records of which there is nothing here are not in the log; what is here may not be true. */
  entriesOf(hash: Uint8Array): DedupeEntry[] {
    this.#makeRoom()
    return this.#required().table.entriesOf(hash)
  }

  /** Notes a record at or behind the end that is covered; `cover` says when all are noted. */
  put(hash: Uint8Array, offset: number, timestampMs: number): void {
    if (this.#required().table.isTooFullFor(1)) this.#grow(1)
    this.#makeRoom()
    this.#required().table.put(hash, offset, timestampMs)
    this.#unwrittenRecords += 1
  }

  /** All records below this offset were noted, the last of them of this batch. */
  cover(toOffset: number, baseOffset: number, crc: number, leaderEpoch: number): void {
    const covered = this.#required()
    covered.coveredTo = toOffset
    covered.lastBatch = { baseOffset, crc, leaderEpoch }
  }

  /** Writes when much has not been written yet. The caller holds the lock. */
  writeIfDue(): void {
    if (this.#unwrittenRecords >= MAX_UNWRITTEN_RECORDS) this.#write()
  }

  /** Writes what is not written yet, unless another process is at it: then that one does, or the next reads the log. Never throws. */
  flush(): void {
    if (this.#fd === undefined || this.#unwrittenRecords === 0 || this.#covered === undefined) return
    const { locks } = this.context.view.system
    try {
      if (!locks.tryLock(this.#fd, false)) return
      try {
        if (!this.#isAtItsPath()) return
        this.#readHeader()
        // Another process wrote it meanwhile: what is here was read from the log, and can be again.
        if (this.#isLoaded()) this.#write()
      } finally {
        this.release()
      }
    } catch {
      this.forget()
    }
  }

  /** Believes nothing of what is in memory: the next `prepare` looks at the file. */
  forget(): void {
    this.#covered = undefined
    this.#unwrittenRecords = 0
  }

  /** Believes nothing of what is in the file either: the next `prepare` builds it anew. */
  distrust(): void {
    this.forget()
    this.#found = undefined
  }

  close(): void {
    if (this.#fd !== undefined) this.context.view.system.fs.close(this.#fd)
    this.#fd = undefined
    this.distrust()
  }

  #required(): Covered {
    if (this.#covered === undefined) throw new Error('the index is not prepared')
    return this.#covered
  }

  #isLoaded(): boolean {
    return this.#covered !== undefined
  }

  #open(): number {
    const { view, ownership } = this.context
    try {
      return openOrCreateFile(view.system, this.path, ownership)
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') throw topicRemoved(view.directory)
      throw error
    }
  }

  async #waitFor(fd: number, wait: LockWait): Promise<void> {
    const { system } = this.context.view
    const lock = { path: this.path, readHolderPid: () => this.#readHolderPid(fd) }
    if (wait.wait === 'no') throw lockIsBusy(lock)
    // The wait owns the descriptor from here on, and closes it when it fails.
    this.#fd = undefined
    try {
      await waitForLock(system, fd, lock, wait)
    } catch (error) {
      // What is in memory goes on from a descriptor that is another file's by the next time.
      this.forget()
      throw error
    }
    this.#fd = fd
  }

  #isAtItsPath(): boolean {
    const { fs } = this.context.view.system
    if (this.#fd === undefined) return false
    const own = fs.fileStatus(this.#fd)
    const there = fs.pathStatus(this.path)
    return there?.inode === own.inode && there.device === own.device
  }

  /** Goes on from what is in memory only when nobody wrote the file since, and the log was not cut. */
  #readHeader(): void {
    const { view } = this.context
    const { fs, self } = view.system
    if (this.#fd === undefined) return
    const bytes = readUpTo(fs, this.#fd, 0, FIRST_TABLE_POSITION)
    const header = decodeDedupeHeader(bytes)
    const isOwn = header !== undefined && isOfThisBoot(header, self) && this.#kind.equals(header.kind)
    this.#found = isOwn && this.#isOfPresentEpoch(header.lastBatch) ? header : undefined
    const covered = this.#covered
    const isSame = this.#found !== undefined && Buffer.compare(this.#found.generation, covered?.generation ?? NOTHING) === 0
    if (!isSame || !this.#isOfPresentEpoch(covered?.lastBatch)) this.forget()
    this.#noteHolder(bytes)
  }

  /** A recovery or a repair that dropped whole batches began another leader epoch. */
  #isOfPresentEpoch(lastBatch: CoveredBatch | undefined): boolean {
    const present = readStateBlock(this.context.view)?.leaderEpoch
    return lastBatch === undefined || present === undefined || lastBatch.leaderEpoch === present
  }

  #noteHolder(bytes: Uint8Array): void {
    const { pid } = this.context.view.system.self
    if (holderPidIn(bytes) !== pid) this.#writeHolder()
  }

  /** Takes over what the file says, when it is of this log. */
  async #load(end: number, signal: AbortSignal | undefined): Promise<Covered | undefined> {
    const found = this.#found
    if (found === undefined || this.#fd === undefined || !(await this.#isOfThisLog(found, end, signal))) return undefined
    const { fs } = this.context.view.system
    const { tablePosition: position, bucketCount, entryCount, coveredFromMs, coveredTo, lastBatch, generation } = found
    if (position + bucketCount * BUCKET_BYTES > fs.fileStatus(this.#fd).sizeBytes) return undefined
    const table = new DedupeTable({ fs, fd: this.#fd, path: this.path, position, bucketCount }, entryCount)
    this.#covered = { table, coveredFromMs, coveredTo, lastBatch, generation }
    return this.#covered
  }

  /** The batch that the index was brought up to is still where it was. */
  async #isOfThisLog(header: DedupeHeader, end: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { coveredTo, lastBatch } = header
    if (coveredTo > end) return false
    if (lastBatch === undefined) return coveredTo === 0
    try {
      for await (const { batch } of readPartition(this.context.view, lastBatch.baseOffset, lastBatch.baseOffset + 1, signal)) {
        return batch.baseOffset === lastBatch.baseOffset && batch.crc === lastBatch.crc && batch.nextOffset <= coveredTo
      }
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
    }
    return false
  }

  async #build(end: number, signal: AbortSignal | undefined): Promise<void> {
    const { view } = this.context
    const { fs } = view.system
    const fd = this.#fd
    if (fd === undefined) return
    this.distrust()
    fs.truncate(fd, 0)
    this.#writeHolder()
    const coveredFromMs = this.#farEnough()
    const segments = listSegments(view)
    const start = logStartOffset(view, segments)
    const from = coveredFromMs === ALL_TIMES ? start : ((await offsetForTimestamp(view, segments, coveredFromMs)) ?? end)
    const coveredTo = Math.min(Math.max(from, start), end)
    this.#isBuilding = true
    try {
      const table = DedupeTable.create({ fs, fd, path: this.path, position: FIRST_TABLE_POSITION, bucketCount: LEAST_BUCKETS })
      this.#covered = { table, coveredFromMs, coveredTo, lastBatch: undefined, generation: NOTHING }
      await this.catchUp(end, signal)
    } catch (error) {
      this.forget()
      throw error
    } finally {
      this.#isBuilding = false
    }
    this.#write()
  }

  /**
   * How far back to look: as far as is needed now, and somewhat more, since records come late. What is needed from longer ago is an
   * import of old records, and who knows in which order they come: twice as far back, so that it does not happen often.
   */
  #farEnough(): number {
    const { windowMs, view } = this.context
    const nowMs = view.system.clock.nowMs()
    const usualMs = nowMs - windowMs - this.#slackMs
    const needed = this.#neededFromMs
    const fromMs = needed >= usualMs ? usualMs : needed - Math.max(this.#slackMs, nowMs - needed)
    return fromMs < 0 ? ALL_TIMES : fromMs
  }

  get #slackMs(): number {
    return Math.max(LEAST_SLACK_MS, Math.ceil(this.context.windowMs / 4))
  }

  #take(slice: BatchSlice): void {
    const { by } = this.context
    const { coveredFromMs } = this.#required()
    const cursor = slice.batch.cursor()
    while (cursor.next()) {
      const { offset } = cursor
      const timestampMs = safeTimestamp(cursor.timestampMs)
      if (offset < slice.fromOffset || offset >= slice.toOffset || timestampMs < coveredFromMs) continue
      const id = idAtCursor(by, cursor)
      if (id !== null) this.put(hashOfId(id), offset, timestampMs)
    }
  }

  #makeRoom(): void {
    const { table } = this.#required()
    if (table.bucketsInMemory < this.context.maxBuckets()) return
    if (this.#isBuilding) table.write()
    else if (table.isChanged) this.#write()
    table.forget()
  }

  /** Moves to a table of the right size, without what is too old to matter. Drops nothing while the index is built. */
  #grow(more: number): void {
    const covered = this.#required()
    const { view } = this.context
    const { fs } = view.system
    const old = covered.table
    const usualMs = view.system.clock.nowMs() - this.context.windowMs - this.#slackMs
    const forgettableMs = Math.min(usualMs, this.#neededFromMs - this.#slackMs)
    // What a build looked for farther back, it looked for since it will be needed.
    const fromMs = this.#isBuilding ? covered.coveredFromMs : Math.max(covered.coveredFromMs, forgettableMs)
    const start = logStartOffset(view, listSegments(view))
    const matters = ({ offset, timestampMs, hidesOthers }: DedupeEntry) =>
      timestampMs >= fromMs && (offset >= start || hidesOthers)
    let count = 0
    for (const { entry } of old.all()) if (matters(entry)) count += 1
    const bucketCount = bucketsFor(count + more, LEAST_BUCKETS)
    const isRoomInFront = old.place.position - FIRST_TABLE_POSITION >= bucketCount * BUCKET_BYTES
    const position = isRoomInFront ? FIRST_TABLE_POSITION : old.place.position + old.sizeBytes
    const table = DedupeTable.create({ ...old.place, position, bucketCount })
    for (const { hash, entry } of old.all()) {
      if (!matters(entry)) continue
      table.copy(hash, entry)
      if (table.bucketsInMemory < this.context.maxBuckets()) continue
      table.write()
      table.forget()
    }
    covered.table = table
    covered.coveredFromMs = fromMs
    if (this.#isBuilding) return
    this.#write()
    fs.truncate(table.place.fd, position + table.sizeBytes)
  }

  /** Steps 1 and 2. After a failure nothing in memory is believed. */
  #write(): void {
    const { view } = this.context
    const { system } = view
    const { table, coveredFromMs, coveredTo, lastBatch } = this.#required()
    const generation = system.random.bytes(8)
    const { position: tablePosition, bucketCount, fd } = table.place
    const { entryCount } = table
    const { bootId } = system.self
    const kind = this.#kind
    const header = { bootId, kind, generation, coveredFromMs, coveredTo, lastBatch, tablePosition, bucketCount, entryCount }
    try {
      table.write()
      system.failpoint('dedupe.after-buckets')
      writeFully(system.fs, fd, encodeDedupeHeader(header), 0, this.path)
    } catch (error) {
      this.forget()
      throw error
    }
    this.#required().generation = generation
    this.#unwrittenRecords = 0
  }

  #writeHolder(): void {
    const { system } = this.context.view
    const bytes = new Uint8Array(DEDUPE_HOLDER_BYTES)
    const view = new DataView(bytes.buffer)
    view.setInt32(0, system.self.pid)
    view.setBigInt64(4, BigInt(system.self.startTicks))
    try {
      if (this.#fd !== undefined) writeFully(system.fs, this.#fd, bytes, DEDUPE_HOLDER_POSITION, this.path)
    } catch {
      // Whoever waits is told 'process 0'.
    }
  }

  #readHolderPid(fd: number): number {
    return holderPidIn(readUpTo(this.context.view.system.fs, fd, 0, DEDUPE_HOLDER_POSITION + DEDUPE_HOLDER_BYTES))
  }
}

const NOTHING = new Uint8Array()

/** `dedupe-key`, `dedupe-value`, `dedupe-header-<hash of the header's name>`. */
export function dedupeIndexName(by: DedupeBy): string {
  if (by.field !== 'header') return DEDUPE_INDEX_PREFIX + by.field
  return `${DEDUPE_INDEX_PREFIX}header-${hashOfId(Buffer.from(by.name)).toString('hex', 0, 8)}`
}

function holderPidIn(bytes: Uint8Array): number {
  if (bytes.length < DEDUPE_HOLDER_POSITION + DEDUPE_HOLDER_BYTES) return 0
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(DEDUPE_HOLDER_POSITION)
}
