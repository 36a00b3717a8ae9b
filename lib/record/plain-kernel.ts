/** The line kernel in plain TypeScript: the reference, and what runs where WebAssembly SIMD is not to be had. */

import { varintSize, writeVarint } from '../bytes/varint.js'
import type { EncodeLinesJob, EncodeLinesResult, JoinValuesJob, LineKernel } from './line-kernel.js'
import { RecordCursor } from './record-cursor.js'

export const plainKernel: LineKernel = { name: 'plain', encodeLines, joinValues }

/** Copies of fewer bytes are made by a loop: the call into native code would take longer. */
const LOOP_COPY_BYTES = 64

function encodeLines(job: EncodeLinesJob): EncodeLinesResult {
  const { input, to, delimiter, recordPrefix, out, outLimit, maxValueBytes } = job
  let position = job.from
  let recordCount = 0
  for (;;) {
    const lineEnd = indexOfDelimiter(input, position, to, delimiter)
    const valueBytes = (lineEnd < 0 ? to : lineEnd) - position
    // An unfinished line may still prove to be too long, but that is for its last byte to say.
    if (lineEnd < 0) return { position, recordCount, stopped: 'input-exhausted' }
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
  const { fromOffset, toOffset, delimiter, nullText, out } = job
  const cursor = new RecordCursor(job.area)
  let recordCount = 0
  while (cursor.next()) {
    if (cursor.offset < fromOffset || cursor.offset >= toOffset) continue
    const isNull = cursor.valueStart < 0
    const source = isNull ? nullText : cursor.bytes
    const start = isNull ? 0 : cursor.valueStart
    const end = isNull ? nullText.length : cursor.valueEnd
    out.reserve(end - start + delimiter.length)
    out.length = copy(source, start, end, out.bytes, out.length)
    out.length = copy(delimiter, 0, delimiter.length, out.bytes, out.length)
    recordCount++
  }
  return recordCount
}

/** Where `delimiter` begins, wholly inside `[from, to)`, or -1. */
function indexOfDelimiter(input: Uint8Array, from: number, to: number, delimiter: Uint8Array): number {
  const last = to - delimiter.length
  const first = delimiter[0] ?? 0
  for (let position = from; position <= last; position++) {
    if (input[position] !== first) continue
    let matched = 1
    while (matched < delimiter.length && input[position + matched] === delimiter[matched]) matched++
    if (matched === delimiter.length) return position
  }
  return -1
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
