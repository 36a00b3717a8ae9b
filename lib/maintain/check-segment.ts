/**
 * Checks one segment: every batch (CRC, place, and every record in it), and beside it the index files. Reads only. The rules are
 * those of format-spec/segment.md.
 *
 * The CRC leaves base offset and leader epoch uncovered. One of them that differs in a single bit from what both neighbours call for is
 * known to be wrong and known to be right: such a batch is `restored`, in the result and by a repair.
 */
import { readInt64Exactly, writeInt64 } from '../bytes/big-endian.js'
import { BASE_OFFSET_POSITION, MAX_BASE_OFFSET } from '../record/batch-layout.js'
import { BATCH_HEADER_BYTES, InvalidBatchError, RecordBatch, peekBatchSize } from '../record/batch.js'
import { loadCodec } from '../record/compression.js'
import { LogqError } from '../errors.js'
import { BatchScanner, type ScanStep } from '../log/batch-scanner.js'
import { LOG_SUFFIX, segmentFileName } from '../log/file-names.js'
import { indexableTimestamp } from '../log/batch-places.js'
import type { ViewContext } from '../log/log-view.js'
import { readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import { IndexCheck, type IndexLengths } from './check-indexes.js'
import { findNextBatch, peekHeader } from '../log/find-next-batch.js'
import { isWorthReading } from '../log/large-batch.js'
import type { Finding } from './finding.js'
import type { OffsetGap } from '../log/known-gaps.js'

export interface SegmentCheck {
  readonly baseOffset: number
  /** Offset after the last good batch, and where that ends. */
  readonly nextOffset: number
  readonly position: number
  /** Bytes of the .log when it was checked. */
  readonly sizeBytes: number
  readonly batchCount: number
  readonly recordCount: number
  /** Leader epochs in the order in which they begin here. */
  readonly epochs: readonly EpochRun[]
  /** Runs of good batches, by position. */
  readonly goodRanges: readonly GoodRange[]
  /** What lies between them, and after the last one. */
  readonly badRanges: readonly BadRange[]
  /** Offsets that should be there before a good batch, and are not. */
  readonly gaps: readonly PlacedGap[]
  /** An offset that is there although it is known as gone. */
  readonly foundAgain: number | undefined
  readonly indexFindings: readonly Finding[]
}

/** Batches of one leader epoch, one after the other. */
export interface EpochRun {
  readonly epoch: number
  readonly startOffset: number
  /** Excluded. */
  readonly endOffset: number
}

export interface GoodRange {
  readonly from: number
  readonly to: number
  /** For a range of one batch: what its header should say. */
  readonly restored?: RestoredHeader
}

export interface RestoredHeader {
  readonly baseOffset: number
  readonly leaderEpoch: number
  readonly reason: string
}

export interface BadRange {
  /** Positions, the end excluded. */
  readonly from: number
  readonly to: number
  readonly fromOffset: number
  /** Offset at which reading goes on; undefined when nothing good follows in the segment. */
  readonly toOffset: number | undefined
  readonly reason: string
}

export interface PlacedGap extends OffsetGap {
  readonly position: number
}

export interface SegmentExpectations {
  /** Nothing in the segment may lie below; what is missing before the segment is not looked at here. */
  readonly expectedOffset: number
  readonly previousEpoch: number
  /** No batch can have a higher one. */
  readonly epochLimit: number
  /** Base offset of the next segment; undefined for the active one. */
  readonly limitOffset: number | undefined
  /** Whether offsets may be missing before a batch. */
  readonly mayMiss: (fromOffset: number, toOffset: number) => boolean
  /** Whether an earlier repair noted that an offset is gone. */
  readonly isKnownAsGone: (offset: number) => boolean
  /** The leader epoch of an offset as the checkpoint has it. */
  readonly epochAt: (offset: number) => number | undefined
  /** The offset that the state block or the recovery point gives for a position. */
  readonly offsetAt: (position: number) => number | undefined
  /** See IndexCheck. */
  readonly knownIndexes: IndexLengths | undefined
  /** Others may be appending. */
  readonly mayBeInFlight: boolean
}

/** Throws LOGQ_ABORTED, or a system error: ENOENT when the segment is gone. */
export async function checkSegment(
  context: ViewContext,
  baseOffset: number,
  expected: SegmentExpectations,
  signal?: AbortSignal,
): Promise<SegmentCheck> {
  const { fs } = context.system
  const fd = fs.open(`${context.directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`, 'read')
  try {
    const isActive = expected.limitOffset === undefined
    const indexes = new IndexCheck(context, baseOffset, { isActive, known: expected.knownIndexes })
    try {
      const walk = new SegmentWalk(context, fd, expected, indexes)
      await walk.run(signal)
      return walk.result(baseOffset)
    } finally {
      indexes.close()
    }
  } finally {
    fs.close(fd)
  }
}

const NO_INDEXES: Pick<IndexCheck, 'pass' | 'finish'> = { pass: () => undefined, finish: () => [] }

/**
 * Checks a file of record batches by itself, whatever its name: a copy in quarantine/, or one that was renamed. It may begin anywhere,
 * and offsets may be missing. Throws LOGQ_ABORTED, or a system error.
 */
export async function checkLogFile(context: ViewContext, path: string, signal?: AbortSignal): Promise<SegmentCheck> {
  const { fs } = context.system
  const fd = fs.open(path, 'read')
  try {
    const expectedOffset = peekHeader(fs, fd, 0, fs.fileStatus(fd).sizeBytes)?.baseOffset ?? 0
    const expected: SegmentExpectations = {
      expectedOffset,
      previousEpoch: 0,
      epochLimit: Infinity,
      limitOffset: undefined,
      mayMiss: () => true,
      isKnownAsGone: () => false,
      epochAt: () => undefined,
      offsetAt: () => undefined,
      knownIndexes: undefined,
      mayBeInFlight: false,
    }
    const walk = new SegmentWalk(context, fd, expected, NO_INDEXES)
    await walk.run(signal)
    return walk.result(expectedOffset)
  } finally {
    fs.close(fd)
  }
}

/** In words, what a bad place costs. */
export function describeBadRange({ from, to, toOffset, reason }: BadRange): string {
  const until = toOffset === undefined ? 'nothing after it can be read' : `reading goes on at offset ${toOffset}`
  return `${reason}: ${to - from} bytes; ${until}`
}

/** Whether nothing but zero bytes stands in a file from a place on: preallocated, and never written. */
export function isZeros(fs: FileSystem, path: string, from: number): boolean {
  const fd = fs.open(path, 'read')
  try {
    for (let position = from; ; position += 1 << 16) {
      const bytes = readUpTo(fs, fd, position, 1 << 16)
      if (bytes.some((byte) => byte !== 0)) return false
      if (bytes.length < 1 << 16) return true
    }
  } finally {
    fs.close(fd)
  }
}

/** The event loop gets a turn after this long. */
const LONGEST_WITHOUT_TURN_MS = 10
/** A batch half-way in is complete within microseconds; three looks are far more than that. */
const IN_FLIGHT_LOOKS = 3
const IN_FLIGHT_LOOK_MS = 10

/** What is thought of a batch whose CRC holds. */
type Verdict =
  { readonly kind: 'good'; readonly header?: RestoredHeader | undefined } | { readonly kind: 'bad'; readonly reason: string }

/** Walks the batches of one segment, over bad places to the next good one. */
class SegmentWalk {
  #nextOffset: number
  #epoch: number
  #position = 0
  #batchCount = 0
  #recordCount = 0
  readonly #sizeBytes: number
  readonly #epochs: EpochRun[] = []
  readonly #goodRanges: GoodRange[] = []
  readonly #badRanges: BadRange[] = []
  readonly #gaps: PlacedGap[] = []
  #foundAgain: number | undefined
  #scanner: BatchScanner

  constructor(
    private readonly context: ViewContext,
    private readonly fd: number,
    private readonly expected: SegmentExpectations,
    private readonly indexes: Pick<IndexCheck, 'pass' | 'finish'>,
  ) {
    const { fs } = context.system
    this.#nextOffset = expected.expectedOffset
    this.#epoch = expected.previousEpoch
    this.#sizeBytes = fs.fileStatus(fd).sizeBytes
    this.#scanner = new BatchScanner(fs, fd, 0, { checkCrc: true })
  }

  async run(signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.context.system
    let turnMs = clock.monotonicMs()
    for (;;) {
      if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped while checking')
      const step = await this.#look(signal)
      if (step.kind === 'end') return
      await this.#pass(step)
      if (clock.monotonicMs() - turnMs <= LONGEST_WITHOUT_TURN_MS) continue
      await clock.sleep(0, signal)
      turnMs = clock.monotonicMs()
    }
  }

  result(baseOffset: number): SegmentCheck {
    const isWhole = this.#badRanges.every(({ toOffset }) => toOffset === undefined) && this.#goodRanges.length <= 1
    return {
      baseOffset,
      nextOffset: this.#nextOffset,
      position: this.#position,
      sizeBytes: this.#sizeBytes,
      batchCount: this.#batchCount,
      recordCount: this.#recordCount,
      epochs: this.#epochs,
      goodRanges: this.#goodRanges,
      badRanges: this.#badRanges,
      gaps: this.#gaps,
      foundAgain: this.#foundAgain,
      // Behind damage the index cannot be judged; a repair builds it anew anyway.
      indexFindings: isWhole ? this.indexes.finish(this.#position, this.#nextOffset) : [],
    }
  }

  /** What stands at the present place. In a segment that is being written, a batch half-way in gets the time to get in. */
  async #look(signal: AbortSignal | undefined): Promise<ScanStep> {
    let step = this.#scanner.next()
    if (!this.expected.mayBeInFlight) return step
    for (let look = 0; look < IN_FLIGHT_LOOKS && (step.kind === 'incomplete' || step.kind === 'bad'); look += 1) {
      await this.context.system.clock.sleep(IN_FLIGHT_LOOK_MS, signal)
      this.#scanner.position = step.position
      this.#scanner.reread()
      step = this.#scanner.next()
    }
    return step
  }

  async #pass(step: Exclude<ScanStep, { kind: 'end' }>): Promise<void> {
    const { position } = step
    const found = step.kind === 'batch' ? { batch: step.batch, offset: step.batch.baseOffset } : this.#outOfRange(position)
    if (found === undefined) {
      this.#passBad(position, step.kind === 'batch' ? '' : step.reason)
      return
    }
    const { batch, offset } = found
    const verdict = this.#judge(batch, position, offset)
    const reason = verdict.kind === 'bad' ? verdict.reason : await checkRecords(batch)
    if (reason !== undefined) this.#passBad(position, reason)
    else this.#passGood(batch, position, verdict.kind === 'good' ? verdict.header : undefined)
  }

  /** A whole batch of which only the base offset cannot be; it gets the expected one, to be borne out. */
  #outOfRange(position: number): { readonly batch: RecordBatch; readonly offset: bigint | number } | undefined {
    const { fs } = this.context.system
    const header = readUpTo(fs, this.fd, position, BATCH_HEADER_BYTES)
    if (header.length < BATCH_HEADER_BYTES) return undefined
    const offset = readInt64Exactly(header, BASE_OFFSET_POSITION)
    if (offset >= 0 && offset <= MAX_BASE_OFFSET) return undefined
    writeInt64(header, BASE_OFFSET_POSITION, this.#nextOffset)
    const sizeBytes = peekBatchSize(header, 0, header.length)
    if (sizeBytes <= 0 || position + sizeBytes > fs.fileStatus(this.fd).sizeBytes) return undefined
    if (!isWorthReading(fs, this.fd, position, sizeBytes)) return undefined
    const bytes = readUpTo(fs, this.fd, position, sizeBytes)
    writeInt64(bytes, BASE_OFFSET_POSITION, this.#nextOffset)
    const batch = batchOf(bytes)
    if (batch?.crcMatches() !== true) return undefined
    this.#scanner.position = position + sizeBytes
    return { batch, offset }
  }

  #judge(batch: RecordBatch, position: number, baseOffset: bigint | number): Verdict {
    const { partitionLeaderEpoch: leaderEpoch } = batch
    // Both as expected: the common case needs no look at what follows.
    if (baseOffset === this.#nextOffset && leaderEpoch === this.#epoch) return this.#withinLimit(batch, baseOffset)
    const { fs } = this.context.system
    const end = position + batch.sizeBytes
    const follower = peekHeader(fs, this.fd, end, Math.max(end, fs.fileStatus(this.fd).sizeBytes))
    const rightOffset = this.#rightOffset(batch, baseOffset, position, end, follower?.baseOffset)
    if (typeof rightOffset === 'string') return { kind: 'bad', reason: rightOffset }
    const rightEpoch = this.#rightEpoch(rightOffset, leaderEpoch, follower?.leaderEpoch)
    if (typeof rightEpoch === 'string') return { kind: 'bad', reason: rightEpoch }
    const reasons = [
      ...(rightOffset === baseOffset ? [] : [`a batch has base offset ${String(baseOffset)} in place of ${rightOffset}`]),
      ...(rightEpoch === leaderEpoch ? [] : [`a batch has leader epoch ${leaderEpoch} in place of ${rightEpoch}`]),
    ]
    const reason = reasons.join('; ')
    const header = reason === '' ? undefined : { baseOffset: rightOffset, leaderEpoch: rightEpoch, reason }
    return this.#withinLimit(batch, rightOffset, header)
  }

  #withinLimit(batch: RecordBatch, baseOffset: number, header?: RestoredHeader): Verdict {
    const { limitOffset = Number.MAX_SAFE_INTEGER } = this.expected
    const lastOffset = baseOffset + batch.lastOffsetDelta
    if (!Number.isSafeInteger(lastOffset + 1)) return { kind: 'bad', reason: 'offsets of a batch are out of range' }
    if (lastOffset < limitOffset) return { kind: 'good', header }
    return { kind: 'bad', reason: `a batch ends at offset ${lastOffset}, where the next segment begins at ${limitOffset}` }
  }

  /** The base offset that a batch has, or should have; a sentence when that cannot be said. */
  #rightOffset(
    batch: RecordBatch,
    baseOffset: bigint | number,
    position: number,
    end: number,
    followerOffset: number | undefined,
  ): number | string {
    const { lastOffsetDelta, nextOffset } = batch
    const expected = this.#nextOffset
    if (baseOffset === expected) return baseOffset
    const { limitOffset, mayMiss, offsetAt } = this.expected
    const isLast = followerOffset === undefined && end >= this.#sizeBytes
    const following = followerOffset ?? (isLast ? (limitOffset ?? offsetAt(end)) : undefined)
    const isAfterBad = this.#isAfterBad(position)
    // Something within the file, or what is known of this very place, has to bear it out: swapped segments look the same from outside.
    const hasNeighbour = position > 0 || followerOffset !== undefined || following === offsetAt(end)
    if (!isAfterBad && hasNeighbour && following === expected + lastOffsetDelta + 1 && isOneBit(baseOffset, expected, 64))
      return expected
    const reason = `a batch has base offset ${String(baseOffset)} where ${expected} is expected`
    if (typeof baseOffset === 'bigint' || baseOffset < expected || baseOffset > MAX_BASE_OFFSET) return reason
    // Offsets may be missing, but what follows then comes after this batch. A follower that is itself too low says nothing.
    if (followerOffset !== undefined) return followerOffset < nextOffset && followerOffset >= expected ? reason : baseOffset
    if (isAfterBad || limitOffset !== undefined || mayMiss(expected, baseOffset)) return baseOffset
    return following === nextOffset ? baseOffset : reason
  }

  /** The leader epoch that a batch has, or should have; a sentence when that cannot be said. */
  #rightEpoch(offset: number, epoch: number, followerEpoch: number | undefined): number | string {
    const previous = this.#epoch
    const { epochLimit, epochAt } = this.expected
    const contradicts = followerEpoch !== undefined && followerEpoch >= previous && followerEpoch < epoch
    if (epoch >= previous && epoch <= epochLimit && !contradicts) return epoch
    const right = epochAt(offset) ?? (followerEpoch === previous ? previous : undefined)
    const fits = right !== undefined && right >= previous && right <= (followerEpoch ?? epochLimit)
    if (fits && isOneBit(epoch, right, 32)) return right
    if (epoch < previous) return `a batch has leader epoch ${epoch} after epoch ${previous}`
    return `a batch has leader epoch ${epoch}, which was never begun`
  }

  #isAfterBad(position: number): boolean {
    return this.#badRanges.at(-1)?.to === position
  }

  #passGood(batch: RecordBatch, position: number, restored: RestoredHeader | undefined): void {
    const baseOffset = restored?.baseOffset ?? batch.baseOffset
    const leaderEpoch = restored?.leaderEpoch ?? batch.partitionLeaderEpoch
    const lastOffset = baseOffset + batch.lastOffsetDelta
    this.indexes.pass({ position, lastOffset, maxTimestampMs: indexableTimestamp(batch) })
    const before = this.#nextOffset
    const bad = this.#badRanges.at(-1)
    if (bad?.to === position) this.#badRanges.splice(-1, 1, { ...bad, toOffset: baseOffset })
    else if (baseOffset > before && !this.expected.mayMiss(before, baseOffset)) {
      this.#gaps.push({ fromOffset: before, toOffset: baseOffset, position })
    }
    this.#foundAgain ??= [baseOffset, lastOffset].find((offset) => this.expected.isKnownAsGone(offset))
    const epochRun = this.#epochs.at(-1)
    if (epochRun?.epoch === leaderEpoch) this.#epochs.splice(-1, 1, { ...epochRun, endOffset: lastOffset + 1 })
    else this.#epochs.push({ epoch: leaderEpoch, startOffset: baseOffset, endOffset: lastOffset + 1 })
    this.#position = this.#scanner.position
    const run = this.#goodRanges.at(-1)
    if (restored !== undefined) this.#goodRanges.push({ from: position, to: this.#position, restored })
    else if (run?.to === position && run.restored === undefined) this.#goodRanges.splice(-1, 1, { ...run, to: this.#position })
    else this.#goodRanges.push({ from: position, to: this.#position })
    this.#nextOffset = lastOffset + 1
    this.#epoch = leaderEpoch
    this.#batchCount += 1
    this.#recordCount += batch.recordCount
  }

  #passBad(position: number, reason: string): void {
    const { fs } = this.context.system
    const { limitOffset = Number.MAX_SAFE_INTEGER } = this.expected
    // Whoever appends meanwhile must not make the search end before the place that was read already.
    const sizeBytes = Math.max(this.#sizeBytes, fs.fileStatus(this.fd).sizeBytes)
    const next = findNextBatch({ fs, fd: this.fd, sizeBytes, fromOffset: this.#nextOffset, limitOffset }, position)
    const bad = this.#badRanges.at(-1)
    // A second bad place right behind the first is the same damage.
    if (bad?.to === position) this.#badRanges.splice(-1, 1, { ...bad, to: next })
    else this.#badRanges.push({ from: position, to: next, fromOffset: this.#nextOffset, toOffset: undefined, reason })
    this.#scanner = new BatchScanner(fs, this.fd, next, { checkCrc: true })
  }
}

/** Why the records of a batch cannot be read though its CRC holds; undefined when they can. */
export async function checkRecords(batch: RecordBatch): Promise<string | undefined> {
  try {
    await loadCodec(batch.codec)
    const cursor = batch.cursor()
    while (cursor.next()) {
      // Walking is the check.
    }
    return undefined
  } catch (error) {
    if (error instanceof InvalidBatchError) return error.message
    throw error
  }
}

function batchOf(bytes: Uint8Array): RecordBatch | undefined {
  try {
    return new RecordBatch(bytes)
  } catch (error) {
    if (error instanceof InvalidBatchError) return undefined
    throw error
  }
}

function isOneBit(a: bigint | number, b: number, bits: 32 | 64): boolean {
  const difference = BigInt.asUintN(bits, BigInt(a) ^ BigInt(b))
  return difference !== 0n && (difference & (difference - 1n)) === 0n
}
