/**
 * Walks the headers of the record batches of one .log file without reading their records: for look-ups and index rebuilds, which need
 * to know where a batch is and not what is in it. Nothing that is found this way is believed further than that.
 */
import { readInt32, readInt64, readInt64Exactly } from '../bytes/big-endian.js'
import {
  BASE_OFFSET_POSITION,
  BATCH_HEADER_BYTES,
  LAST_OFFSET_DELTA_POSITION,
  MAX_TIMESTAMP_POSITION,
} from '../record/batch-layout.js'
import { peekBatchSize, type RecordBatch } from '../record/batch.js'
import { readInto } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'

export interface BatchPlace {
  readonly position: number
  readonly sizeBytes: number
  readonly baseOffset: number
  readonly lastOffset: number
  /** As it is indexed: timestamps beyond 2^53-1, which only a foreign producer can have written, count as that limit. */
  readonly maxTimestampMs: number
}

/** Looks at the batches that are whole in the file as it is long now. */
export class BatchPlaces {
  readonly #header = new Uint8Array(BATCH_HEADER_BYTES)
  readonly #fileBytes: number

  constructor(
    private readonly fs: FileSystem,
    private readonly fd: number,
  ) {
    this.#fileBytes = fs.fileStatus(fd).sizeBytes
  }

  /** The batch that begins at a position; undefined when no whole one does. */
  at(position: number): BatchPlace | undefined {
    const header = this.#header
    if (position < 0 || readInto(this.fs, this.fd, header, 0, header.length, position) < header.length) return undefined
    const sizeBytes = peekBatchSize(header, 0, header.length)
    if (sizeBytes <= 0 || position + sizeBytes > this.#fileBytes) return undefined
    const baseOffset = readInt64(header, BASE_OFFSET_POSITION)
    const lastOffset = baseOffset + readInt32(header, LAST_OFFSET_DELTA_POSITION)
    if (lastOffset < baseOffset) return undefined
    const maxTimestampMs = indexableTimestamp({ maxTimestampMs: readInt64Exactly(header, MAX_TIMESTAMP_POSITION) })
    return { position, sizeBytes, baseOffset, lastOffset, maxTimestampMs }
  }

  /** The batches from a position on, for as long as one follows the other. */
  *from(position: number): IterableIterator<BatchPlace> {
    for (let place = this.at(position); place !== undefined; place = this.at(place.position + place.sizeBytes)) yield place
  }
}

/** The largest timestamp of a batch as indexes have it. */
export function indexableTimestamp(batch: Pick<RecordBatch, 'maxTimestampMs'>): number {
  const { maxTimestampMs } = batch
  if (typeof maxTimestampMs === 'number') return maxTimestampMs
  return maxTimestampMs > 0n ? Number.MAX_SAFE_INTEGER : -1
}
