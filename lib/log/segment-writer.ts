/**
 * Writes one segment from its first batch to its last, in a directory that nobody else uses yet: what copies a log, and shows the
 * copy when it is whole. Unlike an append (log.ts), here nothing is there before it is synced, and an index entry that cannot
 * be written fails the copy. The indexes come out as those of a segment that was closed.
 */
import { GrowableBytes } from '../bytes/growable-bytes.js'
import { stampBatch, type RecordBatch } from '../record/batch.js'
import { shortWriteError, writeFully, type Ownership } from '../system/durable.js'
import type { System } from '../system/system.js'
import { indexableTimestamp } from './batch-places.js'
import { SegmentFiles } from './segment-files.js'
import { SegmentTail, type IndexSink } from './segment-tail.js'

/** What is written at once. */
const BUFFER_BYTES = 1 << 20
const MAX_POSITION = 0x7fff_ffff
const MAX_RELATIVE_OFFSET = 0x7fff_ffff

export class SegmentWriter {
  readonly #tail: SegmentTail
  readonly #sink: IndexSink
  #buffer = new GrowableBytes(0)
  #writtenBytes = 0

  private constructor(
    private readonly system: System,
    private readonly files: SegmentFiles,
    private readonly indexIntervalBytes: number,
  ) {
    this.#tail = new SegmentTail(files.baseOffset)
    const { logPath } = files
    this.#sink = {
      writeOffsetEntry: (bytes, position) => files.writeOffsetEntry(bytes, position) || failIndex(logPath, bytes.length),
      writeTimeEntry: (bytes, position) => files.writeTimeEntry(bytes, position) || failIndex(logPath, bytes.length),
    }
  }

  static create(
    system: System,
    directory: string,
    baseOffset: number,
    ownership: Ownership,
    indexIntervalBytes: number,
  ): SegmentWriter {
    return new SegmentWriter(system, SegmentFiles.create(system, directory, baseOffset, ownership), indexIntervalBytes)
  }

  get baseOffset(): number {
    return this.#tail.baseOffset
  }

  /** Of what was appended: the length of the .log, and where the log ends. */
  get tail(): SegmentTail {
    return this.#tail
  }

  /** Whether a batch can be put at the end: positions and relative offsets are 31 bits. */
  hasRoomFor({ sizeBytes, lastOffset }: RecordBatch): boolean {
    return this.#tail.logBytes + sizeBytes <= MAX_POSITION && lastOffset - this.baseOffset <= MAX_RELATIVE_OFFSET
  }

  /** Copies a batch, with another leader epoch, which its CRC does not cover. */
  append(batch: RecordBatch, leaderEpoch: number): void {
    const buffer = this.#buffer
    const start = buffer.length
    buffer.append(batch.bytes)
    stampBatch(buffer.bytes, batch.baseOffset, leaderEpoch, start)
    const { lastOffset, sizeBytes } = batch
    this.#tail.advance(
      { lastOffset, sizeBytes, maxTimestampMs: indexableTimestamp(batch) },
      this.indexIntervalBytes,
      this.#sink,
    )
    if (buffer.length >= BUFFER_BYTES) this.#flush()
  }

  /** Writes the last time-index entry, and returns when all three files are on the device. The names are the caller's to sync. */
  async finish(): Promise<void> {
    this.#flush()
    this.#tail.finish(this.#sink)
    const { logFd, indexDescriptors } = this.files
    try {
      for (const fd of [logFd, indexDescriptors.offsetIndexFd, indexDescriptors.timeIndexFd]) await this.system.fs.fdatasync(fd)
    } catch (error) {
      throw error instanceof Error ? Object.assign(error, { path: this.files.logPath }) : error
    }
  }

  close(): void {
    this.files.close()
  }

  #flush(): void {
    writeFully(this.system.fs, this.files.logFd, this.#buffer.view(), this.#writtenBytes, this.files.logPath)
    this.#writtenBytes += this.#buffer.length
    // A large batch must not hold its memory for the small ones after it.
    if (this.#buffer.bytes.length > 2 * BUFFER_BYTES) this.#buffer = new GrowableBytes(0)
    else this.#buffer.clear()
  }
}

function failIndex(logPath: string, wantedBytes: number): never {
  throw shortWriteError(logPath.replace(/\.log$/, '.index'), 0, wantedBytes)
}
