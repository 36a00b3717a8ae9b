/**
 * Walks the headers of a log from an offset on, over all its segments, and gives what concerns transactions: transactional batches, and
 * the markers that end transactions. Records are not read, and of other batches nothing is looked at but the length and the attributes,
 * so that a log of plain batches is passed at the speed of the page cache. See format-spec/transactions.md.
 *
 * Others may append, roll, compact and retain meanwhile, as with a LogReader: an offset is what it goes on from.
 */
import { readInt16, readInt32, readInt64, readInt64Exactly } from '../bytes/big-endian.js'
import { CorruptionError, systemErrorCode } from '../errors.js'
import {
  ATTRIBUTES_POSITION,
  BASE_OFFSET_POSITION,
  BATCH_HEADER_BYTES,
  CONTROL_FLAG,
  LAST_OFFSET_DELTA_POSITION,
  PRODUCER_ID_POSITION,
  RECORD_COUNT_POSITION,
  TRANSACTIONAL_FLAG,
} from '../record/batch-layout.js'
import { RecordBatch, peekBatchSize } from '../record/batch.js'
import { endMarkerOf, type ProducerId } from '../record/control-record.js'
import { readInto, readUpTo } from '../system/durable.js'
import { placeAfterDamage } from './damage.js'
import { LOG_SUFFIX, segmentFileName } from './file-names.js'
import { partitionName } from './log-context.js'
import { listSegments, openAtOffset, segmentPath, type ViewContext } from './log-view.js'

export type TransactionStep =
  | { readonly kind: 'data'; readonly producerId: ProducerId; readonly baseOffset: number; readonly lastOffset: number }
  | { readonly kind: 'marker'; readonly producerId: ProducerId; readonly offset: number; readonly isCommit: boolean }

/** What is of interest in a header. */
const FLAGS = TRANSACTIONAL_FLAG | CONTROL_FLAG
/** Read at once where batches are small; of large ones only the header is worth reading. */
const CHUNK_BYTES = 64 << 10
const LARGE_BATCH_BYTES = 16 << 10
/** A control batch has one small record. */
const LARGEST_MARKER_BYTES = 4096

interface WalkedSegment {
  readonly fd: number
  readonly inode: number
  readonly baseOffset: number
  position: number
  /** As it was when it was last looked at. */
  sizeBytes: number
}

export class TransactionWalk {
  /** Records in the batches that were walked over, control batches left out, as the headers have it. */
  recordCount = 0
  /** The first place where no batch could be read; what follows it was walked all the same. */
  damage: CorruptionError | undefined
  /** The log was cut below what was walked: what is appended there would not be seen. To be begun anew. */
  isCut = false
  #nextOffset: number
  #segment: WalkedSegment | undefined
  readonly #buffer = new Uint8Array(CHUNK_BYTES)
  #bufferPosition = 0
  #bufferBytes = 0
  #lastSizeBytes = 0

  constructor(
    private readonly context: ViewContext,
    offset: number,
  ) {
    this.#nextOffset = offset
  }

  /** Everything below was walked. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /**
   * The next transactional batch or end marker that ends above `nextOffset` and begins below `toOffset`. Undefined when there is none
   * at present; it may be asked again. Throws LOGQ_TOPIC_REMOVED, or a system error.
   */
  next(toOffset = Infinity): TransactionStep | undefined {
    for (;;) {
      const segment = (this.#segment ??= this.#open())
      if (segment === undefined) return undefined
      const step = this.#inSegment(segment, toOffset)
      if (step !== 'end') return step
      if (!this.#advance(segment)) return undefined
    }
  }

  close(): void {
    if (this.#segment !== undefined) this.context.system.fs.close(this.#segment.fd)
    this.#segment = undefined
  }

  /** 'end': no whole batch begins at the position; undefined: the next one begins at or above `toOffset`. */
  #inSegment(segment: WalkedSegment, toOffset: number): TransactionStep | 'end' | undefined {
    const buffer = this.#buffer
    for (;;) {
      const start = this.#headerAt(segment)
      if (start === undefined) return 'end'
      const { position } = segment
      const baseOffset = readInt64(buffer, start + BASE_OFFSET_POSITION)
      const lastOffset = baseOffset + readInt32(buffer, start + LAST_OFFSET_DELTA_POSITION)
      if (baseOffset >= toOffset) return undefined
      const sizeBytes = peekBatchSize(buffer, start, BATCH_HEADER_BYTES)
      const isNew = lastOffset >= this.#nextOffset
      const attributes = readInt16(buffer, start + ATTRIBUTES_POSITION)
      const isControl = (attributes & CONTROL_FLAG) !== 0
      // Before the walk moves: where that cannot be read now, the same batch comes again.
      const isCommit = isNew && isControl ? this.#markerAt(segment, position, sizeBytes) : undefined
      this.#lastSizeBytes = sizeBytes
      segment.position += sizeBytes
      if (!isNew) continue
      this.#nextOffset = lastOffset + 1
      if (!isControl) this.recordCount += readInt32(buffer, start + RECORD_COUNT_POSITION)
      if ((attributes & FLAGS) === 0) continue
      const producerId = readInt64Exactly(buffer, start + PRODUCER_ID_POSITION)
      if (!isControl) return { kind: 'data', producerId, baseOffset, lastOffset }
      if (isCommit !== undefined) return { kind: 'marker', producerId, offset: baseOffset, isCommit }
    }
  }

  /** Where in the buffer the header of the next batch is, when that is whole in the file. */
  #headerAt(segment: WalkedSegment): number | undefined {
    const { position } = segment
    let start = position - this.#bufferPosition
    if (start < 0 || start + BATCH_HEADER_BYTES > this.#bufferBytes) {
      this.#bufferPosition = position
      this.#bufferBytes = 0
      const wantedBytes = this.#lastSizeBytes < LARGE_BATCH_BYTES ? CHUNK_BYTES : BATCH_HEADER_BYTES
      this.#bufferBytes = readInto(this.context.system.fs, segment.fd, this.#buffer, 0, wantedBytes, position)
      if (this.#bufferBytes < BATCH_HEADER_BYTES) return undefined
      start = 0
    }
    const sizeBytes = peekBatchSize(this.#buffer, start, BATCH_HEADER_BYTES)
    if (sizeBytes <= 0 || !this.#reaches(segment, position + sizeBytes)) return undefined
    return readInt32(this.#buffer, start + LAST_OFFSET_DELTA_POSITION) < 0 ? undefined : start
  }

  #reaches(segment: WalkedSegment, position: number): boolean {
    if (position <= segment.sizeBytes) return true
    segment.sizeBytes = this.context.system.fs.fileStatus(segment.fd).sizeBytes
    return position <= segment.sizeBytes
  }

  /** Undefined for a control batch that ends no transaction. */
  #markerAt(segment: WalkedSegment, position: number, sizeBytes: number): boolean | undefined {
    if (sizeBytes > LARGEST_MARKER_BYTES) return undefined
    const bytes = readUpTo(this.context.system.fs, segment.fd, position, sizeBytes)
    // Cut off meanwhile.
    if (bytes.length < sizeBytes) return undefined
    const batch = new RecordBatch(bytes)
    return batch.crcMatches() ? endMarkerOf(batch)?.isCommit : undefined
  }

  #open(): WalkedSegment | undefined {
    const { context } = this
    for (;;) {
      try {
        const opened = openAtOffset(context, listSegments(context), this.#nextOffset)
        if (opened === undefined) return undefined
        const { fd, segmentBaseOffset: baseOffset, position } = opened
        const { inode, sizeBytes } = context.system.fs.fileStatus(fd)
        this.#bufferBytes = 0
        return { fd, inode, baseOffset, position, sizeBytes }
      } catch (error) {
        // Retained or compacted away since the listing: look again.
        if (systemErrorCode(error) !== 'ENOENT') throw error
      }
    }
  }

  /** No whole batch begins at the position. Goes on behind it, or finds that the log ends here for now (false). */
  #advance(segment: WalkedSegment): boolean {
    const { context } = this
    const { fs } = context.system
    const path = `${context.directory}/${segmentFileName(segment.baseOffset, LOG_SUFFIX)}`
    const next = listSegments(context).find((base) => base > segment.baseOffset)
    // What was read ahead may be older than what is there by now; what was appended before a roll is read before what follows.
    this.#bufferBytes = 0
    if (this.#headerAt(segment) !== undefined) return true
    const { sizeBytes } = fs.fileStatus(segment.fd)
    if (fs.pathStatus(path)?.inode !== segment.inode) {
      this.close()
      return true
    }
    if (next === undefined) {
      this.isCut ||= sizeBytes < segment.position
      return false
    }
    if (segment.position < sizeBytes && this.#passOver(segment, next)) return true
    this.close()
    this.#nextOffset = Math.max(this.#nextOffset, next)
    return true
  }

  /** Goes on behind bytes that are no batch; false when none follows in the segment. */
  #passOver(segment: WalkedSegment, limitOffset: number): boolean {
    const { topic, partition, system } = this.context
    const { fd, position, baseOffset } = segment
    const offset = this.#nextOffset
    const file = segmentPath(this.context, baseOffset)
    const place = { topic, partition, offset, file, position }
    this.damage ??= new CorruptionError(`'${partitionName(this.context)}' is damaged: no whole batch begins`, place)
    const after = placeAfterDamage({ fs: system.fs, fd, position, offset, limitOffset })
    if (after === undefined) return false
    segment.position = after.position
    return true
  }
}
