/**
 * Checks one segment: every batch (CRC, place, and every record in it), and every index entry against the batch that it speaks of.
 * Reads only. The rules are those of format-spec/segment.md, offset-index.md and time-index.md.
 */
import { InvalidBatchError, type RecordBatch } from '../record/batch.js'
import { loadCodec } from '../record/compression.js'
import { systemErrorCode } from '../errors.js'
import { BatchScanner, misfit } from '../log/batch-scanner.js'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName, type SegmentSuffix } from '../log/file-names.js'
import { indexableTimestamp } from '../log/index-anchor.js'
import type { ViewContext } from '../log/log-view.js'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndexReader, type OffsetIndexEntry } from '../log/offset-index.js'
import { TIME_INDEX_ENTRY_BYTES, TimeIndexReader, type TimeIndexEntry } from '../log/time-index.js'
import type { Finding } from './finding.js'

export interface SegmentCheck {
  readonly baseOffset: number
  /** Offset after the last whole batch, and where it ends. */
  readonly nextOffset: number
  readonly position: number
  /** Bytes of the .log when it was checked. */
  readonly sizeBytes: number
  readonly batchCount: number
  readonly recordCount: number
  /** Leader epochs in the order in which they begin, with their first offsets here. */
  readonly epochs: readonly { readonly epoch: number; readonly startOffset: number }[]
  /** How the walk ended before the end of the file. */
  readonly stop: { readonly position: number; readonly reason: string } | undefined
  readonly findings: readonly Finding[]
}

export interface SegmentExpectations {
  readonly expectedOffset: number
  readonly previousEpoch: number
  /** No offset may be missing between batches. */
  readonly contiguous: boolean
  readonly isActive: boolean
}

export async function checkSegment(
  context: ViewContext,
  baseOffset: number,
  expected: SegmentExpectations,
  signal?: AbortSignal,
): Promise<SegmentCheck> {
  const { fs, clock } = context.system
  const file = `${context.directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`
  const findings: Finding[] = []
  const indexes = new IndexCheck(context, baseOffset, expected.isActive)
  const fd = fs.open(file, 'read')
  try {
    const { sizeBytes } = fs.fileStatus(fd)
    const scanner = new BatchScanner(fs, fd, 0, { checkCrc: true })
    const epochs: { epoch: number; startOffset: number }[] = []
    let [nextOffset, epoch, batchCount, recordCount] = [expected.expectedOffset, expected.previousEpoch, 0, 0]
    let stop: SegmentCheck['stop']
    for (;;) {
      if (signal?.aborted === true) break
      const step = scanner.next()
      if (step.kind === 'end') break
      if (step.kind !== 'batch') {
        stop = step
        break
      }
      const { batch, position } = step
      const reason = misfit(batch, nextOffset, epoch, expected.contiguous && batchCount > 0)
      if (reason !== undefined) {
        stop = { position, reason }
        break
      }
      const inner = await checkRecords(batch)
      if (inner !== undefined) findings.push({ kind: 'damage', file, position, offset: batch.baseOffset, message: inner })
      indexes.pass(batch, position)
      if (batch.partitionLeaderEpoch > epoch || epochs.length === 0)
        epochs.push({ epoch: batch.partitionLeaderEpoch, startOffset: batch.baseOffset })
      nextOffset = batch.nextOffset
      epoch = batch.partitionLeaderEpoch
      batchCount += 1
      recordCount += batch.recordCount
      if (batchCount % 256 === 0) await clock.sleep(0, signal)
    }
    const position = stop?.position ?? scanner.position
    return {
      baseOffset,
      nextOffset,
      position,
      sizeBytes,
      batchCount,
      recordCount,
      epochs,
      stop,
      findings: [...findings, ...indexes.finish(position)],
    }
  } finally {
    fs.close(fd)
    indexes.close()
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
