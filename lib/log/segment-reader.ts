/**
 * The two readers of one segment, behind one interface (test/log/segment-reader.test.ts runs the same table through both).
 *
 * A closed segment does not change: whatever cannot be read in it is corruption, at once. The active segment is being written:
 * an incomplete or bad batch at its end may be one that is half-way in, so the live reader calls it a suspect and lets the caller look
 * again (log-reader.ts says how often, and when it is corruption after all).
 */
import type { RecordBatch } from '../record/batch.js'
import type { FileSystem } from '../system/file-system.js'
import { BatchPlaces } from './batch-places.js'
import { BatchScanner, misfit, type ScanRoom, type ScanStep } from './batch-scanner.js'

/** A whole, checked batch (a view that holds until the next call), or how far one got. */
export type ReadStep =
  | { readonly kind: 'batch'; readonly batch: RecordBatch }
  | { readonly kind: 'end' }
  | { readonly kind: 'suspect'; readonly position: number; readonly reason: string }

export interface SegmentReader {
  readonly fd: number
  readonly baseOffset: number
  /** Position of the next batch. */
  readonly position: number
  /** Offset after the last batch read. */
  readonly nextOffset: number
  next(): ReadStep
  close(): void
}

/** Thrown by the closed reader; the log reader adds topic, partition and path. */
export class BadSegmentError extends Error {
  constructor(
    readonly position: number,
    readonly offset: number,
    readonly reason: string,
  ) {
    super(reason)
    this.name = 'BadSegmentError'
  }
}

/**
 * Whether the log may go on at `offset` from `position` on. Asked where offsets are missing before the last batch that is there:
 * the CRC does not cover a batch's base offset, and nothing that follows can bear it out.
 */
export type EndCheck = (position: number, offset: number) => boolean

/** Where a reader begins. Leader epochs below that of the batch before it are wrong, when that is known. */
export interface SegmentPlace {
  readonly position: number
  readonly offset: number
  readonly leaderEpoch?: number
}

export class LiveSegmentReader implements SegmentReader {
  readonly #scanner: BatchScanner
  #leaderEpoch: number
  #nextOffset: number

  constructor(
    private readonly fs: FileSystem,
    readonly fd: number,
    readonly baseOffset: number,
    start: SegmentPlace,
    private readonly endCheck: EndCheck,
    room?: ScanRoom,
  ) {
    this.#scanner = new BatchScanner(fs, fd, start.position, { checkCrc: true, ...(room === undefined ? {} : { room }) })
    this.#nextOffset = start.offset
    this.#leaderEpoch = start.leaderEpoch ?? 0
  }

  /** Where it has got to, for another reader. */
  get place(): SegmentPlace {
    return { position: this.position, offset: this.#nextOffset, leaderEpoch: this.#leaderEpoch }
  }

  get position(): number {
    return this.#scanner.position
  }

  get nextOffset(): number {
    return this.#nextOffset
  }

  next(): ReadStep {
    const step = this.#scanner.next()
    if (step.kind === 'end') return step
    const reason = step.kind === 'batch' ? this.#judge(step) : step.reason
    if (reason !== undefined || step.kind !== 'batch') {
      // What was read ahead may be older than what is there by now.
      this.#scanner.position = step.position
      this.#scanner.reread()
      return { kind: 'suspect', position: step.position, reason: reason ?? '' }
    }
    this.#leaderEpoch = step.batch.partitionLeaderEpoch
    this.#nextOffset = step.batch.nextOffset
    return step
  }

  close(): void {
    this.fs.close(this.fd)
  }

  /** Where what follows cannot be read now, the batch is still to be given. */
  #judge({ batch, position }: Extract<ScanStep, { kind: 'batch' }>): string | undefined {
    try {
      return this.#misfit(batch)
    } catch (error) {
      this.#scanner.position = position
      throw error
    }
  }

  #misfit(batch: RecordBatch): string | undefined {
    const reason = misfit(batch, this.#nextOffset, this.#leaderEpoch, false)
    if (reason !== undefined || batch.baseOffset === this.#nextOffset) return reason
    // Missing offsets are normal in a compacted log; a wrong base offset looks the same, but what follows contradicts it.
    const follower = new BatchPlaces(this.fs, this.fd).at(this.position)
    const fits =
      follower === undefined ? this.endCheck(this.position, batch.nextOffset) : follower.baseOffset >= batch.nextOffset
    return fits ? undefined : `a batch has base offset ${batch.baseOffset} where ${this.#nextOffset} is expected`
  }
}

/** Reads a segment that nobody appends to any more. `next` throws BadSegmentError for anything that is not a whole batch. */
export class ClosedSegmentReader implements SegmentReader {
  readonly #reader: LiveSegmentReader

  constructor(
    fs: FileSystem,
    readonly fd: number,
    readonly baseOffset: number,
    start: SegmentPlace,
    /** Base offset of the next segment. */
    private readonly limitOffset: number,
    room?: ScanRoom,
  ) {
    this.#reader = new LiveSegmentReader(fs, fd, baseOffset, start, (_, offset) => offset <= limitOffset, room)
  }

  get position(): number {
    return this.#reader.position
  }

  get nextOffset(): number {
    return this.#reader.nextOffset
  }

  next(): ReadStep {
    const before = this.nextOffset
    const step = this.#reader.next()
    if (step.kind === 'suspect') throw new BadSegmentError(step.position, before, step.reason)
    if (step.kind === 'batch' && step.batch.nextOffset > this.limitOffset) {
      const reason = `a batch ends at offset ${step.batch.lastOffset}, where the next segment begins at ${this.limitOffset}`
      throw new BadSegmentError(this.position - step.batch.sizeBytes, before, reason)
    }
    return step
  }

  close(): void {
    this.#reader.close()
  }
}
