/** Copies a closed segment into an archive: its batches are checked while they are read, and the copy is read back and compared. */
import { createHash, type Hash } from 'node:crypto'
import { LogqError, isLogqError } from '../errors.js'
import { indexableTimestamp } from '../log/batch-places.js'
import { listSegments, type ViewContext } from '../log/log-view.js'
import { readBatchesWhole } from '../log/read-batches.js'
import { compress, loadCodec } from '../record/compression.js'
import { objectPath } from '../store/archive/archive-names.js'
import {
  BLOCK_BYTES,
  type ArchiveCodec,
  type ArchivedEpoch,
  type ArchivedPartition,
  type ArchivedSegment,
} from '../store/archive/manifest.js'
import type { Location } from '../system/location/location.js'
import { verifyObject } from './archived-object.js'

export interface SegmentToCopy {
  readonly context: ViewContext
  readonly partition: ArchivedPartition
  readonly baseOffset: number
  /** Base offset of the next segment. */
  readonly endOffset: number
}

/**
 * Durable, and read back, on return. Throws CorruptionError at damage on either side, LOGQ_GONE when the segment was removed or replaced
 * meanwhile, LOGQ_ABORTED, or an error of the location; then an object may be left that no manifest names.
 */
export async function copySegment(
  location: Location,
  segment: SegmentToCopy,
  codec: ArchiveCodec,
  signal?: AbortSignal,
): Promise<ArchivedSegment> {
  await loadCodec(codec)
  const { baseOffset, endOffset } = segment
  const read = new SegmentBytes(segment, signal)
  const blocks: number[] = []
  const stored = createHash('sha256')
  let storedBytes = 0
  const pieces = async function* () {
    for await (const block of read.blocks()) {
      if (codec === 'none') yield block
      else {
        const compressed = compress(codec, block)
        blocks.push(compressed.length)
        storedBytes += compressed.length
        stored.update(compressed)
        yield compressed
      }
    }
  }
  await location.put(objectPath(segment.partition, { baseOffset, codec }), pieces(), signal)
  const sha256 = read.hash.digest('hex')
  const { sizeBytes, lastOffset, firstTimestampMs, largestTimestampMs, leaderEpochs } = read
  const copied: ArchivedSegment = {
    baseOffset,
    lastOffset,
    endOffset,
    firstTimestampMs,
    largestTimestampMs,
    sizeBytes,
    sha256,
    codec,
    storedBytes: codec === 'none' ? sizeBytes : storedBytes,
    storedSha256: codec === 'none' ? sha256 : stored.digest('hex'),
    blocks,
    leaderEpochs,
  }
  await verifyObject(location, segment.partition, copied, signal)
  return copied
}

/** The bytes of a segment in blocks, and what is to be known of its batches. */
class SegmentBytes {
  readonly hash: Hash = createHash('sha256')
  readonly leaderEpochs: ArchivedEpoch[] = []
  sizeBytes = 0
  lastOffset: number
  firstTimestampMs = -1
  largestTimestampMs = -1

  constructor(
    private readonly segment: SegmentToCopy,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.lastOffset = segment.baseOffset - 1
  }

  /** Each holds until the next one is asked for. */
  async *blocks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.#blocks()
    } catch (error) {
      // Whatever reading it ended with, that it is no longer there explains.
      if (isLogqError(error, 'LOGQ_ABORTED') || listSegments(this.segment.context).includes(this.segment.baseOffset))
        throw error
      throw changed(this.segment, error)
    }
  }

  async *#blocks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { context, baseOffset, endOffset } = this.segment
    const block = Buffer.allocUnsafe(BLOCK_BYTES)
    let filled = 0
    for await (const { batch, segmentBaseOffset } of readBatchesWhole(context, baseOffset, endOffset, this.signal)) {
      if (segmentBaseOffset !== baseOffset) throw changed(this.segment)
      const { bytes } = batch
      for (let start = 0; start < bytes.length;) {
        const count = Math.min(bytes.length - start, BLOCK_BYTES - filled)
        block.set(bytes.subarray(start, start + count), filled)
        start += count
        filled += count
        if (filled < BLOCK_BYTES) continue
        yield this.#take(block)
        filled = 0
      }
      const timestampMs = indexableTimestamp(batch)
      if (this.lastOffset < baseOffset) this.firstTimestampMs = timestampMs
      this.largestTimestampMs = Math.max(this.largestTimestampMs, timestampMs)
      this.lastOffset = batch.lastOffset
      const epoch = batch.partitionLeaderEpoch
      if (epoch > (this.leaderEpochs.at(-1)?.epoch ?? -1)) this.leaderEpochs.push({ epoch, startOffset: batch.baseOffset })
    }
    if (filled > 0) yield this.#take(block.subarray(0, filled))
  }

  #take(block: Uint8Array): Uint8Array {
    this.hash.update(block)
    this.sizeBytes += block.length
    return block
  }
}

function changed({ context, baseOffset }: SegmentToCopy, cause?: unknown): LogqError {
  return new LogqError(
    'LOGQ_GONE',
    `segment ${baseOffset} of '${context.topic}-${context.partition}' was removed or replaced`,
    {
      hint: 'run the command again',
      cause,
    },
  )
}
