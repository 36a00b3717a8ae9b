/**
 * Checks one segment: every batch (CRC, place, and every record in it), and every index entry against the batch that it speaks of.
 * Reads only. The rules are those of format-spec/segment.md, offset-index.md and time-index.md.
 */
import { InvalidBatchError, type RecordBatch } from '../record/batch.js'
import { loadCodec } from '../record/compression.js'
import { systemErrorCode } from '../errors.js'
import { BatchScanner, misfit } from '../log/batch-scanner.js'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName, type SegmentSuffix } from '../log/file-names.js'
import { indexableTimestamp } from '../log/batch-places.js'
import type { ViewContext } from '../log/log-view.js'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndexReader, type OffsetIndexEntry } from '../log/offset-index.js'
import { TIME_INDEX_ENTRY_BYTES, TimeIndexReader, type TimeIndexEntry } from '../log/time-index.js'
import { findNextBatch } from './find-batch.js'
import type { Finding } from './finding.js'

export interface SegmentCheck {
  readonly baseOffset: number
  /** Offset after the last good batch, and where that ends. */
  readonly nextOffset: number
  readonly position: number
  /** Bytes of the .log when it was checked. */
  readonly sizeBytes: number
  readonly batchCount: number
  readonly recordCount: number
  /** Leader epochs in the order in which they begin, with their first offsets here. */
  readonly epochs: readonly { readonly epoch: number; readonly startOffset: number }[]
  /** Runs of good batches, by position. */
  readonly goodRanges: readonly { readonly from: number; readonly to: number }[]
  /** What lies between them, and after the last one. */
  readonly badRanges: readonly BadRange[]
  /** Findings about the index files. */
  readonly indexFindings: readonly Finding[]
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

export interface SegmentExpectations {
  readonly expectedOffset: number
  readonly previousEpoch: number
  /** Base offset of the next segment; undefined for the active one. */
  readonly limitOffset: number | undefined
  /** Whether offsets may be missing before a batch. */
  readonly mayMiss: (fromOffset: number, toOffset: number) => boolean
}

/** Throws a system error, ENOENT when the segment is gone. */
export async function checkSegment(
  context: ViewContext,
  baseOffset: number,
  expected: SegmentExpectations,
  signal?: AbortSignal,
): Promise<SegmentCheck> {
  const { fs } = context.system
  const fd = fs.open(`${context.directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`, 'read')
  const indexes = new IndexCheck(context, baseOffset, expected.limitOffset === undefined)
  try {
    const walk = new SegmentWalk(context, fd, expected, indexes)
    await walk.run(signal)
    const { nextOffset, position, sizeBytes, batchCount, recordCount, epochs, goodRanges, badRanges } = walk
    const indexFindings = indexes.finish(position)
    return {
      baseOffset,
      nextOffset,
      position,
      sizeBytes,
      batchCount,
      recordCount,
      epochs,
      goodRanges,
      badRanges,
      indexFindings,
    }
  } finally {
    fs.close(fd)
    indexes.close()
  }
}

/** Walks the batches of one segment, over bad places to the next good one. */
class SegmentWalk {
  nextOffset: number
  position = 0
  readonly sizeBytes: number
  batchCount = 0
  recordCount = 0
  readonly epochs: { epoch: number; startOffset: number }[] = []
  readonly goodRanges: { from: number; to: number }[] = []
  readonly badRanges: BadRange[] = []
  #epoch: number
  #scanner: BatchScanner

  constructor(
    private readonly context: ViewContext,
    private readonly fd: number,
    private readonly expected: SegmentExpectations,
    private readonly indexes: IndexCheck,
  ) {
    const { fs } = context.system
    this.nextOffset = expected.expectedOffset
    this.#epoch = expected.previousEpoch
    this.sizeBytes = fs.fileStatus(fd).sizeBytes
    this.#scanner = new BatchScanner(fs, fd, 0, { checkCrc: true })
  }

  async run(signal: AbortSignal | undefined): Promise<void> {
    for (let steps = 1; signal?.aborted !== true; steps += 1) {
      const step = this.#scanner.next()
      if (step.kind === 'end') return
      const reason = step.kind === 'batch' ? await this.#fault(step.batch) : step.reason
      if (reason !== undefined) this.#passBad(step.position, reason)
      else if (step.kind === 'batch') this.#passGood(step.batch, step.position)
      if (steps % 256 === 0) await this.context.system.clock.sleep(0, signal)
    }
  }

  /** Why a batch whose CRC holds is not good. */
  async #fault(batch: RecordBatch): Promise<string | undefined> {
    const { limitOffset = Number.MAX_SAFE_INTEGER, mayMiss } = this.expected
    const reason = misfit(batch, this.nextOffset, this.#epoch, false)
    if (reason !== undefined) return reason
    if (batch.nextOffset > limitOffset) return `a batch ends at offset ${batch.lastOffset}, in the next segment`
    const isAfterBad = this.badRanges.at(-1)?.to === this.#scanner.position - batch.sizeBytes
    if (batch.baseOffset > this.nextOffset && !isAfterBad && !mayMiss(this.nextOffset, batch.baseOffset)) {
      return `offsets ${this.nextOffset} to ${batch.baseOffset - 1} are missing`
    }
    return checkRecords(batch)
  }

  #passGood(batch: RecordBatch, position: number): void {
    this.indexes.pass(batch, position)
    if (batch.partitionLeaderEpoch > this.#epoch || this.epochs.length === 0) {
      this.epochs.push({ epoch: batch.partitionLeaderEpoch, startOffset: batch.baseOffset })
    }
    const bad = this.badRanges.at(-1)
    if (bad?.to === position) this.badRanges.splice(-1, 1, { ...bad, toOffset: batch.baseOffset })
    const run = this.goodRanges.at(-1)
    this.position = this.#scanner.position
    if (run?.to === position) run.to = this.position
    else this.goodRanges.push({ from: position, to: this.position })
    this.nextOffset = batch.nextOffset
    this.#epoch = batch.partitionLeaderEpoch
    this.batchCount += 1
    this.recordCount += batch.recordCount
  }

  #passBad(position: number, reason: string): void {
    const { fs } = this.context.system
    const { limitOffset = Number.MAX_SAFE_INTEGER } = this.expected
    const search = { fs, fd: this.fd, sizeBytes: this.sizeBytes, fromOffset: this.nextOffset, limitOffset }
    const next = findNextBatch(search, position + 1)
    const bad = this.badRanges.at(-1)
    // A second bad place right behind the first is the same damage.
    if (bad?.to === position) this.badRanges.splice(-1, 1, { ...bad, to: next })
    else this.badRanges.push({ from: position, to: next, fromOffset: this.nextOffset, toOffset: undefined, reason })
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

/** Walks both indexes beside the batches. */
class IndexCheck {
  readonly #offsets: OpenIndex<OffsetIndexEntry>
  readonly #times: OpenIndex<TimeIndexEntry>
  #maxTimestampMs = -1

  constructor(
    context: ViewContext,
    private readonly baseOffset: number,
    private readonly isActive: boolean,
  ) {
    const { fs } = context.system
    this.#offsets = new OpenIndex(
      context,
      baseOffset,
      OFFSET_INDEX_SUFFIX,
      OFFSET_INDEX_ENTRY_BYTES,
      (fd) => new OffsetIndexReader(fs, fd, baseOffset),
    )
    this.#times = new OpenIndex(
      context,
      baseOffset,
      TIME_INDEX_SUFFIX,
      TIME_INDEX_ENTRY_BYTES,
      (fd) => new TimeIndexReader(fs, fd, baseOffset),
    )
  }

  pass(batch: RecordBatch, position: number): void {
    const offsets = this.#offsets
    if (offsets.present?.position === position && offsets.present.offset === batch.lastOffset) offsets.advance()
    const timestampMs = indexableTimestamp(batch)
    if (timestampMs <= this.#maxTimestampMs) return
    this.#maxTimestampMs = timestampMs
    const times = this.#times
    if (times.present?.timestampMs === timestampMs && times.present.offset === batch.lastOffset) times.advance()
  }

  /** What is left over names no batch of the segment. */
  finish(endPosition: number): Finding[] {
    const findings: Finding[] = []
    const { present } = this.#offsets
    // While somebody appends, an index may be ahead of where the walk began to look.
    if (present !== undefined && !(this.isActive && present.position >= endPosition)) {
      findings.push(this.#offsets.finding(`the entry for offset ${present.offset} points at no batch with that last offset`))
    }
    const time = this.#times.present
    if (time !== undefined && !(this.isActive && time.timestampMs > this.#maxTimestampMs)) {
      findings.push(this.#times.finding(`the entry for timestamp ${time.timestampMs} names no batch that first had it`))
    }
    const isShort =
      this.#times.last !== undefined && time === undefined && this.#times.last.timestampMs !== this.#maxTimestampMs
    if (isShort && !this.isActive)
      findings.push(this.#times.finding('the last entry is not the largest timestamp of the closed segment'))
    for (const index of [this.#offsets, this.#times]) {
      if (index.isMissing && endPosition > 0)
        findings.push({
          kind: 'note',
          file: index.file,
          message: `the index of segment ${this.baseOffset} is missing; look-ups scan`,
        })
      if (index.hasOddSize) findings.push(index.finding('the size is not a whole number of entries'))
    }
    return findings
  }

  close(): void {
    this.#offsets.close()
    this.#times.close()
  }
}

interface IndexReader<Entry> {
  readonly entryCount: number
  entry(n: number): Entry | undefined
}

/** One index file with a cursor. */
class OpenIndex<Entry> {
  readonly file: string
  readonly isMissing: boolean
  readonly hasOddSize: boolean
  present: Entry | undefined
  /** The last entry that a batch confirmed. */
  last: Entry | undefined
  #slot = 0
  readonly #fd: number | undefined
  readonly #reader: IndexReader<Entry> | undefined

  constructor(
    private readonly context: ViewContext,
    baseOffset: number,
    suffix: SegmentSuffix,
    private readonly entryBytes: number,
    open: (fd: number) => IndexReader<Entry>,
  ) {
    this.file = `${context.directory}/${segmentFileName(baseOffset, suffix)}`
    this.#fd = this.#open()
    this.isMissing = this.#fd === undefined
    this.hasOddSize = this.#fd !== undefined && context.system.fs.fileStatus(this.#fd).sizeBytes % entryBytes !== 0
    this.#reader = this.#fd === undefined ? undefined : open(this.#fd)
    this.present = this.#reader?.entry(0)
    // The first entry of an index may have any relative offset; one that cannot be decoded is wrong.
    if (this.present === undefined && (this.#reader?.entryCount ?? 0) > 0) this.isUndecodable = true
  }

  isUndecodable = false

  advance(): void {
    this.last = this.present
    this.#slot += 1
    this.present = this.#reader?.entry(this.#slot)
  }

  finding(message: string): Finding {
    return { kind: 'cache', file: this.file, position: this.#slot * this.entryBytes, message }
  }

  close(): void {
    if (this.#fd !== undefined) this.context.system.fs.close(this.#fd)
  }

  #open(): number | undefined {
    try {
      return this.context.system.fs.open(this.file, 'read')
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }
}
