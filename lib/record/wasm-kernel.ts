/**
 * The line kernel in WebAssembly with SIMD. It takes the input in pieces through the module's memory; lines and records that are larger
 * than a piece, and everything that is out of the ordinary, go to the plain kernel one by one. See kernel-wasm/kernel.ts.
 */

import type { EncodeLinesJob, EncodeLinesResult, JoinValuesJob, LineKernel } from './line-kernel.js'
import { appendValue, plainKernel } from './plain-kernel.js'
import { RecordCursor, type RecordPlace } from './record-cursor.js'
import * as memory from './wasm-memory.js'

export const wasmKernel: LineKernel = { name: 'wasm', encodeLines, joinValues }

// How a call of encodeLines ends.
const INPUT_EXHAUSTED = 0
const BATCH_FULL = 1
const RECORD_TOO_LARGE = 2

const MIN_PIECE_BYTES = 4096

/** The prefix of a record lies behind the delimiter's region, in the text's, which encodeLines does not use. */
const PREFIX_ADDRESS = memory.TEXT_ADDRESS

function encodeLines(job: EncodeLinesJob): EncodeLinesResult {
  const { input, to, delimiter, recordPrefix, firstOffsetDelta, out, outLimit } = job
  if (delimiter.length > memory.SMALL_BYTES) return plainKernel.encodeLines(job)
  const kernel = memory.kernelInstance()
  kernel.bytes.set(delimiter, memory.DELIMITER_ADDRESS)
  kernel.bytes.set(recordPrefix, PREFIX_ADDRESS)
  let position = job.from
  let recordCount = 0
  for (;;) {
    // No more than the batch has room for, within reason: what does not fit would be copied in vain.
    const pieceBytes = Math.min(to - position, memory.INPUT_BYTES, Math.max(outLimit - out.length, MIN_PIECE_BYTES))
    kernel.bytes.set(input.subarray(position, position + pieceBytes), memory.INPUT_ADDRESS)
    const ending = kernel.encodeLines(
      memory.INPUT_ADDRESS,
      memory.INPUT_ADDRESS + pieceBytes,
      memory.DELIMITER_ADDRESS,
      delimiter.length,
      PREFIX_ADDRESS,
      recordPrefix.length,
      firstOffsetDelta + recordCount,
      job.maxValueBytes,
      memory.OUTPUT_ADDRESS,
      memory.OUTPUT_ADDRESS + memory.OUTPUT_BYTES,
      outLimit - out.length,
    )
    const encodedCount = kernel.result(memory.RECORD_COUNT_RESULT)
    out.append(kernel.bytes.subarray(memory.OUTPUT_ADDRESS, kernel.result(memory.OUTPUT_END_RESULT)))
    recordCount += encodedCount
    const isWholeInput = position + pieceBytes === to
    position += kernel.result(memory.POSITION_RESULT) - memory.INPUT_ADDRESS
    if (ending === BATCH_FULL) return { position, recordCount, stopped: 'batch-full' }
    if (ending === RECORD_TOO_LARGE) return { position, recordCount, stopped: 'record-too-large' }
    if (ending !== INPUT_EXHAUSTED) continue
    if (isWholeInput) return { position, recordCount, stopped: 'input-exhausted' }
    if (encodedCount > 0) continue

    // A line that is larger than a piece.
    const lineEnd = Buffer.from(input.buffer, input.byteOffset, to).indexOf(delimiter, position)
    if (lineEnd < 0) return { position, recordCount, stopped: 'input-exhausted' }
    const line = { from: position, to: lineEnd + delimiter.length, firstOffsetDelta: firstOffsetDelta + recordCount }
    const result = plainKernel.encodeLines({ ...job, ...line })
    position = result.position
    recordCount += result.recordCount
    if (result.stopped !== 'input-exhausted') return { position, recordCount, stopped: result.stopped }
  }
}

function joinValues(job: JoinValuesJob): number {
  const { area, delimiter, nullText, out } = job
  if (delimiter.length > memory.SMALL_BYTES || nullText.length > memory.SMALL_BYTES) return plainKernel.joinValues(job)
  // Refuses an impossible record count; takes what the kernel leaves.
  const cursor = new RecordCursor(area)
  const kernel = memory.kernelInstance()
  kernel.bytes.set(delimiter, memory.DELIMITER_ADDRESS)
  kernel.bytes.set(nullText, memory.TEXT_ADDRESS)
  let place: RecordPlace = cursor.place()
  let writtenCount = 0
  while (place.recordsRead < area.recordCount) {
    const pieceBytes = Math.min(area.end - place.position, memory.INPUT_BYTES)
    kernel.bytes.set(area.bytes.subarray(place.position, place.position + pieceBytes), memory.INPUT_ADDRESS)
    kernel.joinValues(
      memory.INPUT_ADDRESS,
      memory.INPUT_ADDRESS + pieceBytes,
      area.recordCount - place.recordsRead,
      place.previousDelta,
      area.lastOffsetDelta,
      deltaOf(job.fromOffset, area.baseOffset),
      deltaOf(job.toOffset, area.baseOffset),
      memory.DELIMITER_ADDRESS,
      delimiter.length,
      memory.TEXT_ADDRESS,
      nullText.length,
      memory.OUTPUT_ADDRESS,
      memory.OUTPUT_ADDRESS + memory.OUTPUT_BYTES,
    )
    const readCount = kernel.result(memory.RECORD_COUNT_RESULT)
    out.append(kernel.bytes.subarray(memory.OUTPUT_ADDRESS, kernel.result(memory.OUTPUT_END_RESULT)))
    writtenCount += kernel.result(memory.WRITTEN_COUNT_RESULT)
    place = {
      position: place.position + kernel.result(memory.POSITION_RESULT) - memory.INPUT_ADDRESS,
      recordsRead: place.recordsRead + readCount,
      previousDelta: kernel.result(memory.PREVIOUS_DELTA_RESULT),
    }
    if (readCount > 0) continue

    // A record that is larger than a piece, or one that is wrong, which the cursor then says.
    cursor.continueAt(place)
    cursor.next()
    if (appendValue(cursor, job)) writtenCount++
    place = cursor.place()
  }
  // The cursor says what is left over after the last record.
  cursor.continueAt(place)
  cursor.next()
  return writtenCount
}

/** An offset as an unsigned 32-bit delta: 0 for anything before the batch, 2^31 for anything beyond the last delta there can be. */
function deltaOf(offset: number, baseOffset: number): number {
  return Math.min(Math.max(offset - baseOffset, 0), 0x8000_0000)
}
