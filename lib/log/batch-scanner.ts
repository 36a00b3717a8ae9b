/**
 * Walks the record batches of one .log file in order, with one read per chunk and memory bounded by the largest batch.
 *
 * The scanner judges only what can be judged from the bytes (length in range, magic, CRC when asked). Whether a batch fits where it
 * stands (offset as expected, epoch not decreasing) is `misfit`, since the answer depends on who asks.
 */
import { BATCH_HEADER_BYTES, InvalidBatchError, RecordBatch, describeHeader, peekBatchSize } from '../record/batch.js'
import { whyUnread } from '../system/bad-pages.js'
import { readInto } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import { isWorthReading } from './large-batch.js'

const CHUNK_BYTES = 1 << 18
const CRC_DIFFERS = 'the CRC of a batch does not match'

/** What stands at a position. `batch` is a view that holds until the next call. */
export type ScanStep =
  | { readonly kind: 'batch'; readonly batch: RecordBatch; readonly position: number }
  /** The file ends exactly here. */
  | { readonly kind: 'end'; readonly position: number }
  /** The file ends inside a batch that is plausible so far. */
  | { readonly kind: 'incomplete'; readonly position: number; readonly reason: string }
  | { readonly kind: 'bad'; readonly position: number; readonly reason: string }

/** The buffer of a scanner, for the next one to go on with: a large batch in each of many segments is one large buffer. */
export interface ScanRoom {
  buffer: Uint8Array
}

export class BatchScanner {
  /** File position of the next batch. */
  position: number
  readonly #chunkBytes: number
  readonly #room: ScanRoom
  /** File position of the buffer's first byte, and number of bytes that are read. */
  #bufferPosition = 0
  #bufferBytes = 0

  constructor(
    private readonly fs: FileSystem,
    private readonly fd: number,
    position: number,
    private readonly options: { readonly checkCrc: boolean; readonly chunkBytes?: number; readonly room?: ScanRoom },
  ) {
    this.position = position
    this.#room = options.room ?? { buffer: new Uint8Array(0) }
    this.#chunkBytes = options.chunkBytes ?? CHUNK_BYTES
  }

  next(): ScanStep {
    const { position } = this
    let available = this.#ensure(BATCH_HEADER_BYTES)
    if (available === 0) return { kind: 'end', position }
    let start = position - this.#bufferPosition
    const sizeBytes = peekBatchSize(this.#room.buffer, start, available)
    if (sizeBytes < 0) {
      return this.#bad(BATCH_HEADER_BYTES, describeHeader(this.#room.buffer, start, available))
    }
    if (available < BATCH_HEADER_BYTES) {
      return { kind: 'incomplete', position, reason: `${available} bytes are fewer than a batch header` }
    }
    if (sizeBytes > available) {
      const { fs, fd } = this
      const isInFile = position + sizeBytes <= fs.fileStatus(fd).sizeBytes
      if (isInFile && this.options.checkCrc && !isWorthReading(fs, fd, position, sizeBytes))
        return this.#bad(sizeBytes, CRC_DIFFERS)
      available = this.#ensure(sizeBytes)
      start = position - this.#bufferPosition
      if (available < sizeBytes) {
        return { kind: 'incomplete', position, reason: `${available} of ${sizeBytes} bytes of a batch are there` }
      }
    }
    const batch = viewOf(this.#room.buffer.subarray(start, start + sizeBytes))
    if (typeof batch === 'string') return this.#bad(sizeBytes, batch)
    if (this.options.checkCrc && !batch.crcMatches()) return this.#bad(sizeBytes, CRC_DIFFERS)
    this.position = position + sizeBytes
    return { kind: 'batch', batch, position }
  }

  /** Forgets what was read ahead, so that the next call reads from the file again. */
  reread(): void {
    this.#bufferBytes = 0
  }

  /** Where the device gave nothing, that is the reason, whatever the zeros in its place look like. */
  #bad(sizeBytes: number, reason: string): ScanStep {
    const { fs, fd, position } = this
    return { kind: 'bad', position, reason: whyUnread(fs, fd, position, position + sizeBytes) ?? reason }
  }

  /** Has `wanted` bytes from the present position in the buffer, or as many as the file has. Returns how many are there. */
  #ensure(wanted: number): number {
    const start = this.position - this.#bufferPosition
    const held = start >= 0 && start <= this.#bufferBytes ? this.#bufferBytes - start : 0
    if (held >= wanted) return held
    // Only what the file really has is worth a buffer: a damaged length must not make us allocate, nor a short file a long buffer.
    const inFile = this.fs.fileStatus(this.fd).sizeBytes - this.position
    const worthBytes = Math.max(Math.min(this.#chunkBytes, inFile), wanted <= inFile ? wanted : 0)
    if (worthBytes > this.#room.buffer.length) {
      const larger = new Uint8Array(worthBytes)
      larger.set(this.#room.buffer.subarray(start, start + held))
      this.#room.buffer = larger
    } else if (held > 0) {
      this.#room.buffer.copyWithin(0, start, start + held)
    }
    this.#bufferPosition = this.position
    // Should reading fail, what is held is as it was.
    this.#bufferBytes = held
    const count = readInto(this.fs, this.fd, this.#room.buffer, held, this.#room.buffer.length - held, this.position + held)
    this.#bufferBytes = held + count
    return this.#bufferBytes
  }
}

/** The batch, or why the bytes are none. */
function viewOf(bytes: Uint8Array): RecordBatch | string {
  try {
    return new RecordBatch(bytes)
  } catch (error) {
    if (error instanceof InvalidBatchError) return error.message
    throw error
  }
}

/**
 * Why a whole batch cannot stand where it is found, or undefined when it can. The CRC leaves base offset and leader epoch uncovered,
 * so these checks are made beside it. `contiguous`: no gap may stand before it (a leader's own tail); otherwise gaps are normal.
 */
export function misfit(
  batch: RecordBatch,
  expectedOffset: number,
  previousEpoch: number,
  contiguous: boolean,
): string | undefined {
  const { baseOffset, partitionLeaderEpoch } = batch
  if (baseOffset < expectedOffset || (contiguous && baseOffset !== expectedOffset)) {
    return `a batch has base offset ${baseOffset} where ${expectedOffset} is expected`
  }
  if (!Number.isSafeInteger(batch.nextOffset) || batch.lastOffset < baseOffset) return 'offsets of a batch are out of range'
  if (partitionLeaderEpoch < previousEpoch) {
    return `a batch has leader epoch ${partitionLeaderEpoch} after epoch ${previousEpoch}`
  }
  return undefined
}
