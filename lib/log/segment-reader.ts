/**
 * The two readers of one segment, behind one interface (test/log/segment-reader.test.ts runs the same table through both).
 *
 * A closed segment does not change: whatever cannot be read in it is corruption, at once. The active segment is being written:
 * an incomplete or bad batch at its end may be one that is half-way in, so the live reader calls it a suspect and lets the caller look
 * again (log-reader.ts says how often, and when it is corruption after all).
 */
import type { RecordBatch } from '../record/batch.js'
import type { FileSystem } from '../system/file-system.js'
import { BatchScanner, misfit } from './batch-scanner.js'

/** A whole, checked batch (a view that holds until the next call), or how far one got. */
export type ReadStep =
  | { readonly kind: 'batch'; readonly batch: RecordBatch }
  | { readonly kind: 'end' }
  | { readonly kind: 'suspect'; readonly position: number; readonly reason: string }

export interface SegmentReader {
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

export class LiveSegmentReader implements SegmentReader {
  readonly #scanner: BatchScanner
  #leaderEpoch = 0
  #nextOffset: number

  constructor(
    private readonly fs: FileSystem,
    readonly fd: number,
    readonly baseOffset: number,
    start: { readonly position: number; readonly offset: number },
  ) {
    this.#scanner = new BatchScanner(fs, fd, start.position, { checkCrc: true })
    this.#nextOffset = start.offset
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
    if (step.kind !== 'batch') {
      // What was read ahead may be older than what is there by now.
      this.#scanner.reread()
      return { kind: 'suspect', position: step.position, reason: step.reason }
    }
    const reason = misfit(step.batch, this.#nextOffset, this.#leaderEpoch, false)
    if (reason !== undefined) {
      this.#scanner.position = step.position
      this.#scanner.reread()
      return { kind: 'suspect', position: step.position, reason }
    }
    this.#leaderEpoch = step.batch.partitionLeaderEpoch
    this.#nextOffset = step.batch.nextOffset
    return step
  }

  close(): void {
    this.fs.close(this.fd)
  }
}

/** Reads a segment that nobody appends to any more. `next` throws BadSegmentError for anything that is not a whole batch. */
export class ClosedSegmentReader implements SegmentReader {
  readonly #reader: LiveSegmentReader

  constructor(
    fs: FileSystem,
    fd: number,
    readonly baseOffset: number,
    start: { readonly position: number; readonly offset: number },
  ) {
    this.#reader = new LiveSegmentReader(fs, fd, baseOffset, start)
  }

  get position(): number {
    return this.#reader.position
  }

  get nextOffset(): number {
    return this.#reader.nextOffset
  }

  next(): ReadStep {
    const step = this.#reader.next()
    if (step.kind === 'suspect') throw new BadSegmentError(step.position, this.nextOffset, step.reason)
    return step
  }

  close(): void {
    this.#reader.close()
  }
}
