/**
 * Checks the index files of one segment against its batches, while these are walked. The rules are those of
 * format-spec/offset-index.md and
 * time-index.md. An index is a cache: what is wrong with one is never damage.
 */
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName, type SegmentSuffix } from '../log/file-names.js'
import type { ViewContext } from '../log/log-view.js'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndexReader, type OffsetIndexEntry } from '../log/offset-index.js'
import { TIME_INDEX_ENTRY_BYTES, TimeIndexReader, type TimeIndexEntry } from '../log/time-index.js'
import { readUpTo } from '../system/durable.js'
import type { Finding } from './finding.js'
import { oddKind } from './odd-file.js'

export interface IndexedBatch {
  readonly position: number
  readonly lastOffset: number
  /** As it is indexed; -1 for none. */
  readonly maxTimestampMs: number
}

export interface IndexLengths {
  readonly offsetIndexBytes: number
  readonly timeIndexBytes: number
}

export class IndexCheck {
  readonly #offsets: OpenIndex<OffsetIndexEntry>
  readonly #times: OpenIndex<TimeIndexEntry>
  #maxTimestampMs = -1

  /**
   * `isActive`: the segment's last time-index entry is still to come. `known`: the lengths that a trusted state block gives;
   * without them the next append recovers, and drops entries of batches that a power cut took.
   */
  constructor(
    context: ViewContext,
    private readonly baseOffset: number,
    private readonly options: { readonly isActive: boolean; readonly known: IndexLengths | undefined },
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

  /** To be called for each good batch in order. */
  pass({ position, lastOffset, maxTimestampMs }: IndexedBatch): void {
    const offsets = this.#offsets
    if (offsets.present?.position === position && offsets.present.offset === lastOffset) offsets.advance()
    if (maxTimestampMs <= this.#maxTimestampMs) return
    this.#maxTimestampMs = maxTimestampMs
    const times = this.#times
    if (times.present?.timestampMs === maxTimestampMs && times.present.offset === lastOffset) times.advance()
  }

  /** What is left over names no batch of the segment, which ends at `endPosition`. */
  finish(endPosition: number, nextOffset: number): Finding[] {
    if (this.options.isActive) {
      if ((this.options.known?.offsetIndexBytes ?? 0) === 0) this.#offsets.passZeros()
      if ((this.options.known?.timeIndexBytes ?? 0) === 0) this.#times.passZeros()
    }
    const offset = this.#offsets.present
    const time = this.#times.present
    return [
      ...this.#files(endPosition),
      ...(offset === undefined
        ? []
        : [
            this.#offsets.finding(
              this.#kind(offset.position >= endPosition),
              `the entry for offset ${offset.offset} points at no batch with that last offset`,
            ),
          ]),
      ...(time === undefined
        ? []
        : [
            this.#times.finding(
              this.#kind(time.offset >= nextOffset),
              `the entry for timestamp ${time.timestampMs} names no batch that first had it`,
            ),
          ]),
      ...this.#closingEntry(),
    ]
  }

  close(): void {
    this.#offsets.close()
    this.#times.close()
  }

  /** What a power cut may leave of the active segment's indexes is no fault: they are not synced, and the next append recovers. */
  #kind(isOfPowerCut: boolean): Finding['kind'] {
    return isOfPowerCut && this.options.isActive && this.options.known === undefined ? 'note' : 'cache'
  }

  #files(endPosition: number): Finding[] {
    return [this.#offsets, this.#times].flatMap((index) => {
      if (index.oddKind !== undefined) return [index.finding('cache', `${index.oddKind} stands in place of the index`)]
      if (index.isMissing) {
        if (endPosition === 0) return []
        const message = `the index of segment ${this.baseOffset} is missing; look-ups scan`
        return [{ kind: 'note' as const, file: index.file, message }]
      }
      if (index.hasOddSize) return [index.finding(this.#kind(true), 'the size is not a whole number of entries')]
      const knownBytes =
        (index === this.#times ? this.options.known?.timeIndexBytes : this.options.known?.offsetIndexBytes) ?? 0
      if (index.sizeBytes < knownBytes)
        return [index.finding('cache', `it has ${index.sizeBytes} bytes, the state block knows of ${knownBytes}`)]
      return index.isUndecodable ? [index.finding(this.#kind(true), 'this is not an entry')] : []
    })
  }

  /** A closed segment's time index ends with its largest timestamp, so that look-ups can pass the segment over. */
  #closingEntry(): Finding[] {
    const { present, last, isMissing, isUndecodable, hasOddSize, entryCount } = this.#times
    const isNamed = present !== undefined || isMissing || isUndecodable || hasOddSize
    const isSettled = isNamed || this.#maxTimestampMs < 0
    if (this.options.isActive || isSettled || last?.timestampMs === this.#maxTimestampMs) return []
    if (entryCount === 0) return [this.#times.finding('note', 'the index is empty; look-ups scan')]
    return [this.#times.finding('cache', 'the last entry is not the largest timestamp of the closed segment')]
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
  /** What stands there in place of a file. */
  readonly oddKind: string | undefined
  readonly sizeBytes: number
  readonly hasOddSize: boolean
  readonly entryCount: number
  /** The entry that no batch has confirmed yet; undefined behind the last one. */
  present: Entry | undefined
  /** The last entry that a batch confirmed. */
  last: Entry | undefined
  isUndecodable = false
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
    const { fs } = context.system
    this.file = `${context.directory}/${segmentFileName(baseOffset, suffix)}`
    this.oddKind = oddKind(fs, this.file)
    const isFile = fs.pathStatus(this.file)?.kind === 'file'
    this.#fd = isFile ? fs.open(this.file, 'read') : undefined
    this.isMissing = this.#fd === undefined
    this.sizeBytes = this.#fd === undefined ? 0 : fs.fileStatus(this.#fd).sizeBytes
    this.hasOddSize = this.sizeBytes % entryBytes !== 0
    this.#reader = this.#fd === undefined ? undefined : open(this.#fd)
    this.entryCount = this.#reader?.entryCount ?? 0
    this.#look()
  }

  advance(): void {
    this.last = this.present
    this.#slot += 1
    this.#look()
  }

  /** To be called when no batch is left: zeros that none of them confirmed were preallocated for a segment that has no entries yet. */
  passZeros(): void {
    if (this.#slot > 0 || this.present === undefined || !this.#endsInZeros()) return
    this.present = undefined
    this.isUndecodable = false
  }

  finding(kind: Finding['kind'], message: string): Finding {
    return { kind, file: this.file, position: this.#slot * this.entryBytes, message }
  }

  close(): void {
    if (this.#fd !== undefined) this.context.system.fs.close(this.#fd)
  }

  #look(): void {
    this.present = this.#reader?.entry(this.#slot)
    this.isUndecodable = this.present === undefined && this.#slot < this.entryCount && !this.#endsInZeros()
  }

  /** Kafka preallocates indexes: zeros behind the last entry are none. */
  #endsInZeros(): boolean {
    const { fs } = this.context.system
    if (this.#fd === undefined) return false
    for (let position = this.#slot * this.entryBytes; ; position += 1 << 16) {
      const bytes = readUpTo(fs, this.#fd, position, 1 << 16)
      if (bytes.some((byte) => byte !== 0)) return false
      if (bytes.length < 1 << 16) return true
    }
  }
}
