/** The line kernel in plain TypeScript: the reference, and what runs where WebAssembly SIMD is not to be had. */

import { varintSize, writeVarint } from '../bytes/varint.js'
import type { EncodeLinesJob, EncodeLinesResult, JoinValuesJob, LineKernel } from './line-kernel.js'
import { RecordCursor } from './record-cursor.js'

export const plainKernel: LineKernel = { name: 'plain', encodeLines, joinValues }

/** Copies of fewer bytes are made by a loop (1.5 ns a byte): the call into native code takes 60 ns before the first byte. */
const LOOP_COPY_BYTES = 40

function encodeLines(job: EncodeLinesJob): EncodeLinesResult {
  const { input, to, delimiter, recordPrefix, out, outLimit, maxValueBytes } = job
  // Buffer's search is the fastest there is (13 ns for a short line, 30 for 100 bytes), but knows no end: so it gets an array
  // that ends.
  const lines = Buffer.from(input.buffer, input.byteOffset, to)
  const sought = delimiter.length === 1 ? (delimiter[0] ?? 0) : delimiter
  let position = job.from
  let recordCount = 0
  for (;;) {
    const lineEnd = lines.indexOf(sought, position)
    if (lineEnd < 0) return { position, recordCount, stopped: 'input-exhausted' }
    const valueBytes = lineEnd - position
    if (valueBytes > maxValueBytes) return { position, recordCount, stopped: 'record-too-large' }

    const offsetDelta = job.firstOffsetDelta + recordCount
    // Offset delta, null key (one byte), value length, value, no headers (one byte).
    const bodyBytes = recordPrefix.length + varintSize(offsetDelta) + 1 + varintSize(valueBytes) + valueBytes + 1
    const recordBytes = varintSize(bodyBytes) + bodyBytes
    if (out.length + recordBytes > outLimit && offsetDelta > 0) return { position, recordCount, stopped: 'batch-full' }

    out.reserve(recordBytes)
    const bytes = out.bytes
    let place = writeVarint(bytes, out.length, bodyBytes)
    for (let index = 0; index < recordPrefix.length; index++) bytes[place++] = recordPrefix[index] ?? 0
    place = writeVarint(bytes, place, offsetDelta)
    place = writeVarint(bytes, place, -1)
    place = writeVarint(bytes, place, valueBytes)
    place = copy(input, position, lineEnd, bytes, place)
    bytes[place++] = 0
    out.length = place
    recordCount++
    position = lineEnd + delimiter.length
  }
}

function joinValues(job: JoinValuesJob): number {
  const cursor = new RecordCursor(job.area)
  let recordCount = 0
  while (cursor.next()) {
    if (appendValue(cursor, job)) recordCount++
  }
  return recordCount
}

/** Writes the cursor's record as joinValues does; false when its offset is outside the range. */
export function appendValue(cursor: RecordCursor, job: JoinValuesJob): boolean {
  const { fromOffset, toOffset, delimiter, nullText, out } = job
  if (cursor.offset < fromOffset || cursor.offset >= toOffset) return false
  const isNull = cursor.valueStart < 0
  const source = isNull ? nullText : cursor.bytes
  const start = isNull ? 0 : cursor.valueStart
  const end = isNull ? nullText.length : cursor.valueEnd
  out.reserve(end - start + delimiter.length)
  out.length = copy(source, start, end, out.bytes, out.length)
  out.length = copy(delimiter, 0, delimiter.length, out.bytes, out.length)
  return true
}

/** Copies `source[start, end)` to `target` at `place`; gives the place after it. */
function copy(source: Uint8Array, start: number, end: number, target: Uint8Array, place: number): number {
  if (end - start < LOOP_COPY_BYTES) {
    for (let position = start; position < end; position++) target[place++] = source[position] ?? 0
    return place
  }
  target.set(source.subarray(start, end), place)
  return place + end - start
}
