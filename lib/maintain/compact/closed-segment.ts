/** A segment that compaction reads, batch by batch; any damage ends it: what is bad is never written anew as good. */
import { CorruptionError } from '../../errors.js'
import { BatchScanner, misfit, type ScanRoom } from '../../log/batch-scanner.js'
import { LOG_SUFFIX, segmentFileName } from '../../log/file-names.js'
import { AFTER_DAMAGE } from '../../log/log-reader.js'
import type { ViewContext } from '../../log/log-view.js'
import { isCodecReady, loadCodec } from '../../record/compression.js'
import { InvalidBatchError, type RecordBatch } from '../../record/batch.js'

export interface PlacedBatch {
  /** A view that holds until the next one is asked for. */
  readonly batch: RecordBatch
  readonly position: number
}

export class ClosedSegment {
  readonly path: string
  readonly fd: number
  readonly inode: number
  readonly sizeBytes: number

  /** Throws ENOENT when it is gone. */
  constructor(
    private readonly context: ViewContext,
    readonly baseOffset: number,
    private readonly room: ScanRoom,
    /** Where the pass ends: what a producer is writing behind it, in a dry run over the active segment, is not looked at. */
    private readonly endOffset: number,
  ) {
    const { fs } = context.system
    this.path = `${context.directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`
    this.fd = fs.open(this.path, 'read')
    const { inode, sizeBytes } = fs.fileStatus(this.fd)
    this.inode = inode
    this.sizeBytes = sizeBytes
  }

  /** The event loop gets a turn now and then, so that signals are seen. Throws CorruptionError. */
  batches(): AsyncGenerator<PlacedBatch, void, undefined> {
    return this.#walk(this.room, Infinity)
  }

  /** What is before a position, while `batches` goes on behind it. */
  again(toPosition: number): AsyncGenerator<PlacedBatch, void, undefined> {
    return this.#walk({ buffer: new Uint8Array(0) }, toPosition)
  }

  async *#walk(room: ScanRoom, toPosition: number): AsyncGenerator<PlacedBatch, void, undefined> {
    const { fs, clock } = this.context.system
    const scanner = new BatchScanner(fs, this.fd, 0, { checkCrc: true, room })
    let expectedOffset = this.baseOffset
    let leaderEpoch = 0
    let turnMs = clock.monotonicMs()
    while (scanner.position < toPosition && expectedOffset < this.endOffset) {
      const step = scanner.next()
      if (step.kind === 'end') return
      if (step.kind !== 'batch') throw this.#corruption(step.position, expectedOffset, step.reason)
      const { batch, position } = step
      const reason = misfit(batch, expectedOffset, leaderEpoch, false)
      if (reason !== undefined) throw this.#corruption(position, expectedOffset, reason)
      if (!isCodecReady(batch.codec)) await loadCodec(batch.codec)
      yield { batch, position }
      expectedOffset = batch.nextOffset
      leaderEpoch = batch.partitionLeaderEpoch
      if (clock.monotonicMs() - turnMs > LONGEST_WITHOUT_TURN_MS) {
        await clock.sleep(0)
        turnMs = clock.monotonicMs()
      }
    }
  }

  /** What `read` gives; an error in the records of a batch says where. */
  located<Result>({ batch, position }: PlacedBatch, read: () => Result): Result {
    try {
      return read()
    } catch (error) {
      if (error instanceof InvalidBatchError) throw this.#corruption(position, batch.baseOffset, error.message)
      throw error
    }
  }

  close(): void {
    this.context.system.fs.close(this.fd)
  }

  #corruption(position: number, offset: number, reason: string): CorruptionError {
    const { topic, partition } = this.context
    return new CorruptionError(
      `'${topic}-${partition}' is damaged: ${reason},`,
      { topic, partition, offset, file: this.path, position },
      { hint: AFTER_DAMAGE },
    )
  }
}

const LONGEST_WITHOUT_TURN_MS = 10
