/**
 * Appends to a partition only those records whose ids it does not hold yet.
 *
 * A record is a duplicate when the partition holds, below its log end, a record with the same id whose timestamp is not older than
 * its own less the window. Whether it is, is decided for one log end, and the records that are left are appended only if the log
 * still ends there; otherwise what came meanwhile is read, and everything is decided again. So what another producer appends
 * counts, whether or not it looks for duplicates itself.
 *
 *  1. Take the lock of the index; bring the index up to the log end.
 *  2. Ask it for each id; what it names is looked up in the log.
 *  3. Build a batch of those that are new; append it at that log end. Crash here: the next process reads the batch from the log.
 *  4. Note their ids in the index; let go of the lock.
 */
import { LogqError } from '../errors.js'
import { LogEndConflictError, type Log } from '../log/log.js'
import { listSegments, logStartOffset } from '../log/log-view.js'
import type { LockWait } from '../log/partition-lock.js'
import { BatchBuilder } from '../record/batch-builder.js'
import { RecordBatch } from '../record/batch.js'
import type { Codec } from '../record/codec.js'
import { ID_HASH_BYTES, safeTimestamp } from './dedupe-id.js'
import { DedupeIndex, type DedupeIndexContext } from './dedupe-index.js'
import { DamagedTableError } from './dedupe-table.js'
import { recordsAt, type RecordInLog } from './dedupe-verify.js'

/** Records that wait to be appended, as a batch without compression, and their ids. */
export interface CollectedRecords {
  readonly batch: Uint8Array
  /** The hashes, one behind the other. */
  readonly hashes: Uint8Array
  readonly timestampsMs: readonly number[]
}

export interface DedupedAppend {
  readonly appendedCount: number
  /** Where each of the collected records is: its own offset, or that of the record that it is a duplicate of. */
  readonly offsets: readonly number[]
  readonly isDuplicate: (n: number) => boolean
}

/** What becomes of a record: it is new, the log holds its like at an offset, or an earlier one of the same batch is its like. */
type Verdict = 'new' | { readonly offset: number } | { readonly earlier: number }

/** An index that is found damaged again and again is being damaged. */
const MAX_REBUILDS = 3

export class Deduplicator {
  readonly #index: DedupeIndex

  constructor(private readonly context: DedupeIndexContext) {
    this.#index = new DedupeIndex(context)
  }

  /**
   * Throws what `Log.append` throws, LOGQ_BUSY or LOGQ_ABORTED from waiting for the index, CorruptionError where the log cannot be read,
   * or LOGQ_IO when the index cannot be written; nothing was appended then.
   */
  async append(records: CollectedRecords, codec: Codec, log: Log, wait: LockWait, indexWait: LockWait): Promise<DedupedAppend> {
    await this.#index.acquire(indexWait)
    try {
      for (let rebuilds = 0; ; rebuilds += 1) {
        try {
          return await this.#append(records, codec, log, wait)
        } catch (error) {
          if (!(error instanceof DamagedTableError)) throw error
          this.#index.distrust()
          if (rebuilds === MAX_REBUILDS) throw isDamaged(this.#index.path, error)
        }
      }
    } finally {
      this.#index.release()
    }
  }

  /** Lets the next process find the ids in the file. */
  flush(): void {
    this.#index.flush()
  }

  close(): void {
    this.#index.flush()
    this.#index.close()
  }

  async #append(records: CollectedRecords, codec: Codec, log: Log, wait: LockWait): Promise<DedupedAppend> {
    const { timestampsMs } = records
    const index = this.#index
    let oldestMs = Infinity
    for (const timestampMs of timestampsMs) oldestMs = Math.min(oldestMs, timestampMs)
    await index.prepare(oldestMs - this.context.windowMs, timestampsMs.length, wait.signal)
    for (;;) {
      const verdicts = await this.#decide(records, wait.signal)
      try {
        return await this.#appendNew(records, verdicts, codec, log, wait)
      } catch (error) {
        if (!(error instanceof LogEndConflictError)) throw error
        await index.catchUp(error.logEndOffset, wait.signal)
      }
    }
  }

  async #appendNew(
    records: CollectedRecords,
    verdicts: readonly Verdict[],
    codec: Codec,
    log: Log,
    wait: LockWait,
  ): Promise<DedupedAppend> {
    const newCount = verdicts.filter((verdict) => verdict === 'new').length
    if (newCount === 0) return await adopted(verdicts, log, wait)
    const isWhole = newCount === verdicts.length && codec === 'none'
    const bytes = isWhole ? records.batch : this.#build(records, verdicts, codec)
    const maxTimestampMs = safeTimestamp(new RecordBatch(bytes).maxTimestampMs)
    const batch = { bytes, lastOffsetDelta: newCount - 1, maxTimestampMs }
    const { baseOffset } = await log.append(batch, wait, this.#index.coveredTo)
    this.#note(records, verdicts, bytes, baseOffset, newCount)
    return { appendedCount: newCount, ...placesOf(verdicts, baseOffset) }
  }

  async #decide({ hashes, timestampsMs }: CollectedRecords, signal: AbortSignal | undefined): Promise<Verdict[]> {
    const { view, by, windowMs } = this.context
    const index = this.#index
    const { coveredTo } = index
    const named = new Map<number, number[]>()
    const wanted = new Set<number>()
    /** Records for which an entry took the place of others, and is itself of no use. */
    const unsure: number[] = []
    let start: number | undefined
    for (const [n, timestampMs] of timestampsMs.entries()) {
      for (const { offset, timestampMs: entryMs, hidesOthers } of index.entriesOf(hashAt(hashes, n))) {
        if (!(entryMs >= timestampMs - windowMs)) continue
        start ??= logStartOffset(view, listSegments(view))
        if (offset < start) {
          if (hidesOthers) unsure.push(n)
        } else if (offset < coveredTo) {
          named.set(n, [...(named.get(n) ?? []), offset])
          wanted.add(offset)
        } else {
          unsure.push(n)
        }
      }
    }
    const inLog = wanted.size === 0 ? undefined : await recordsAt(view, by, wanted, signal)
    if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', `stopped while reading '${view.directory}'`)
    const holds = (n: number, offset: number) =>
      isLike(inLog?.get(offset), hashAt(hashes, n), (timestampsMs[n] ?? 0) - windowMs)
    const offsetOf = (n: number) => named.get(n)?.find((offset) => holds(n, offset))
    if (unsure.some((n) => offsetOf(n) === undefined)) throw new DamagedTableError('entries that were left out matter by now')
    const misled = [...named.keys()].filter((n) => offsetOf(n) === undefined)
    if (misled.length > 0) {
      const startNow = logStartOffset(view, listSegments(view))
      const isMissing = (n: number) => named.get(n)?.some((offset) => offset >= startNow) === true
      if (misled.some(isMissing)) throw new DamagedTableError('an entry names a record that is not there')
    }
    return this.#decideInOrder(hashes, timestampsMs, offsetOf)
  }

  #decideInOrder(hashes: Uint8Array, timestampsMs: readonly number[], offsetOf: (n: number) => number | undefined): Verdict[] {
    const { windowMs } = this.context
    const kept = new Map<string, number[]>()
    return timestampsMs.map((timestampMs, n) => {
      const offset = offsetOf(n)
      if (offset !== undefined) return { offset }
      const id = Buffer.from(hashAt(hashes, n)).toString('latin1')
      const likes = kept.get(id)
      const earlier = likes?.find((other) => (timestampsMs[other] ?? 0) >= timestampMs - windowMs)
      if (earlier !== undefined) return { earlier }
      if (likes === undefined) kept.set(id, [n])
      else likes.push(n)
      return 'new'
    })
  }

  #build({ batch }: CollectedRecords, verdicts: readonly Verdict[], codec: Codec): Uint8Array {
    const builder = new BatchBuilder({ codec, maxBatchBytes: 2 * batch.length })
    const cursor = new RecordBatch(batch).cursor()
    for (const verdict of verdicts) {
      cursor.next()
      if (verdict !== 'new') continue
      const { bytes, keyStart, keyEnd, valueStart, valueEnd, timestampMs } = cursor
      builder.append({
        key: keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd),
        value: valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd),
        headers: cursor.copyHeaders(),
        timestampMs,
      })
    }
    return builder.seal().bytes
  }

  /** Step 4. The batch is in the log, whatever becomes of this: what cannot be noted is read from the log again. */
  #note(
    records: CollectedRecords,
    verdicts: readonly Verdict[],
    batch: Uint8Array,
    baseOffset: number,
    newCount: number,
  ): void {
    const index = this.#index
    try {
      let offset = baseOffset
      for (const [n, verdict] of verdicts.entries()) {
        if (verdict !== 'new') continue
        index.put(hashAt(records.hashes, n), offset, records.timestampsMs[n] ?? 0)
        offset += 1
      }
      const { crc, partitionLeaderEpoch } = new RecordBatch(batch)
      index.cover(baseOffset + newCount, baseOffset, crc, partitionLeaderEpoch)
      index.writeIfDue()
    } catch {
      index.forget()
    }
  }
}

/** Nothing is new. What the records are duplicates of is on the device after the next sync, whoever appended it. */
async function adopted(verdicts: readonly Verdict[], log: Log, wait: LockWait): Promise<DedupedAppend> {
  const places = placesOf(verdicts, 0)
  let last = 0
  for (const offset of places.offsets) last = Math.max(last, offset)
  await log.adopt(last + 1, wait)
  return { appendedCount: 0, ...places }
}

function placesOf(verdicts: readonly Verdict[], baseOffset: number): Pick<DedupedAppend, 'offsets' | 'isDuplicate'> {
  const offsets: number[] = []
  let next = baseOffset
  for (const verdict of verdicts) {
    if (verdict === 'new') offsets.push(next++)
    else offsets.push('offset' in verdict ? verdict.offset : (offsets[verdict.earlier] ?? 0))
  }
  return { offsets, isDuplicate: (n) => verdicts[n] !== 'new' }
}

function isLike(record: RecordInLog | undefined, hash: Uint8Array, fromMs: number): boolean {
  return record?.hash !== undefined && record.timestampMs >= fromMs && Buffer.compare(record.hash, hash) === 0
}

function hashAt(hashes: Uint8Array, n: number): Uint8Array {
  return hashes.subarray(n * ID_HASH_BYTES, (n + 1) * ID_HASH_BYTES)
}

function isDamaged(path: string, cause: DamagedTableError): LogqError {
  return new LogqError('LOGQ_IO', `'${path}' is damaged, again and again: ${cause.message}`, {
    cause,
    hint: 'look at the disk, and at what else writes that file',
  })
}
