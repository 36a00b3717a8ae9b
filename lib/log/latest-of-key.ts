/** The latest record of a key in one partition, found from the end of the log. */
import type { LogRecord } from '../record/record.js'
import type { RecordBatch } from '../record/batch.js'
import type { RecordCursor } from '../record/record-cursor.js'
import type { ViewContext } from './log-view.js'
import { readPartitionBackwards } from './read-backwards.js'
import { withRecords } from './read-partition.js'

/**
 * The record with the greatest offset in [fromOffset, toOffset) whose key has these bytes, as a copy; undefined when there is none. A
 * tombstone counts. Reads backwards from `toOffset`, and so all of the range when no record has the key. Throws CorruptionError,
 * LOGQ_TOPIC_REMOVED, or a system error.
 */
export async function latestOfKey(
  context: ViewContext,
  key: Uint8Array,
  fromOffset: number,
  toOffset: number,
  signal?: AbortSignal,
): Promise<LogRecord | undefined> {
  const wanted = Buffer.from(key.buffer, key.byteOffset, key.length)
  for await (const slice of readPartitionBackwards(context, fromOffset, toOffset, signal)) {
    const found = withRecords(slice, ({ batch }) => latestInBatch(batch, wanted, slice.fromOffset, slice.toOffset))
    if (found !== undefined) return found
  }
  return undefined
}

function latestInBatch(batch: RecordBatch, key: Buffer, fromOffset: number, toOffset: number): LogRecord | undefined {
  const cursor = batch.cursor()
  let offset = -1
  while (cursor.next()) {
    if (cursor.offset >= fromOffset && cursor.offset < toOffset && hasKey(cursor, key)) offset = cursor.offset
  }
  if (offset < 0) return undefined
  const again = batch.cursor()
  while (again.next() && again.offset < offset);
  return {
    offset,
    timestampMs: again.timestampMs,
    timestampType: batch.timestampType,
    key: again.copyKey(),
    value: again.copyValue(),
    headers: again.copyHeaders(),
  }
}

function hasKey({ bytes, keyStart, keyEnd }: RecordCursor, key: Buffer): boolean {
  return keyStart >= 0 && keyEnd - keyStart === key.length && key.compare(bytes, keyStart, keyEnd) === 0
}
