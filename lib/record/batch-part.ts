/** A part of a batch that can be kept when the batch itself is let go of: a few records beside one, without copying each of them. */
import {
  ATTRIBUTES_POSITION,
  CODEC_MASK,
  LENGTH_COUNTS_FROM,
  LENGTH_POSITION,
  RECORDS_POSITION,
  RECORD_COUNT_POSITION,
} from './batch-layout.js'
import { readInt16, writeInt16, writeInt32 } from '../bytes/big-endian.js'
import { InvalidBatchError, RecordBatch } from './batch.js'
import type { RecordCursor } from './record-cursor.js'

/**
 * An uncompressed batch of its own that holds the record at `offset`, and as many of those behind it (backwards: before it) as fit in
 * `maxBytes` with it. Its header is that of the whole batch, its CRC is none. Undefined when the record alone does not fit.
 */
export function partOfBatch(
  batch: RecordBatch,
  offset: number,
  direction: 'forwards' | 'backwards',
  maxBytes: number,
): RecordBatch | undefined {
  const cursor = batch.cursor()
  // Where the records begin, of those that are in the part so far; `end` is where the last of them ends.
  const starts: number[] = []
  let end = cursor.position
  for (let start = end; advance(cursor); start = cursor.position) {
    if (direction === 'backwards') {
      if (cursor.offset > offset) break
      starts.push(start)
      while (starts.length > 0 && cursor.position - (starts[0] ?? 0) > maxBytes) starts.shift()
    } else if (cursor.offset >= offset) {
      if (cursor.position - (starts[0] ?? start) > maxBytes) break
      starts.push(start)
    } else continue
    end = cursor.position
  }
  const [first] = starts
  return first === undefined ? undefined : copyPart(batch, cursor.bytes.subarray(first, end), starts.length)
}

/** A record that cannot be read ends the part; whoever reads on finds it again. */
function advance(cursor: RecordCursor): boolean {
  try {
    return cursor.next()
  } catch (error) {
    if (error instanceof InvalidBatchError) return false
    throw error
  }
}

function copyPart(batch: RecordBatch, records: Uint8Array, recordCount: number): RecordBatch {
  const bytes = new Uint8Array(RECORDS_POSITION + records.length)
  bytes.set(batch.bytes.subarray(0, RECORDS_POSITION))
  bytes.set(records, RECORDS_POSITION)
  writeInt32(bytes, LENGTH_POSITION, bytes.length - LENGTH_COUNTS_FROM)
  writeInt16(bytes, ATTRIBUTES_POSITION, readInt16(bytes, ATTRIBUTES_POSITION) & ~CODEC_MASK)
  writeInt32(bytes, RECORD_COUNT_POSITION, recordCount)
  return new RecordBatch(bytes)
}
