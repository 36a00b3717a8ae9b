/**
 * The line kernel in AssemblyScript: compiled to WebAssembly with SIMD, embedded as lib/record/kernel-bytes.ts, driven by
 * lib/record/wasm-kernel.ts. The reference is lib/record/plain-kernel.ts; both must give the same bytes.
 *
 * It works on raw memory and allocates nothing. Whatever is out of the ordinary it leaves to the reference: it only ever says "not me",
 * never what is wrong. Sixteen bytes beyond every region may be read, and beyond the output written.
 */

// What a call leaves behind, as 32-bit little-endian integers from address 0.
const POSITION: usize = 0
const RECORD_COUNT: usize = 4
const OUT_END: usize = 8
const PREVIOUS_DELTA: usize = 12
const WRITTEN_COUNT: usize = 16

// How encodeLines ends.
const INPUT_EXHAUSTED: i32 = 0
const BATCH_FULL: i32 = 1
const RECORD_TOO_LARGE: i32 = 2
const OUT_FULL: i32 = 3

// How joinValues ends; OUT_FULL too.
const ALL_READ: i32 = 0
const RECORD_CUT: i32 = 1
const UNUSUAL: i32 = 2

/** Encodes the complete lines in memory[from, end) to memory[out, outEnd). `roomBytes` is what the batch may still take. */
export function encodeLines(
  from: usize, end: usize, delimiter: usize, delimiterBytes: i32, prefix: usize, prefixBytes: i32,
  firstOffsetDelta: i32, maxValueBytes: i32, out: usize, outEnd: usize, roomBytes: i32
): i32 {
  let position = from
  let place = out
  let offsetDelta = firstOffsetDelta
  let status = INPUT_EXHAUSTED
  const first = i8x16.splat(load<i8>(delimiter))
  // The prefix, at most eleven bytes, is written as a whole vector.
  const prefixVector = v128.load(prefix)
  for (;;) {
    const lineEnd = find(position, end, first, delimiter, delimiterBytes)
    if (lineEnd == 0) break
    const valueBytes = <i32>(lineEnd - position)
    if (valueBytes > maxValueBytes) { status = RECORD_TOO_LARGE; break }
    const bodyBytes = prefixBytes + sizeOf(offsetDelta) + 1 + sizeOf(valueBytes) + valueBytes + 1
    const recordBytes = sizeOf(bodyBytes) + bodyBytes
    if (<i32>(place - out) + recordBytes > roomBytes && offsetDelta > 0) { status = BATCH_FULL; break }
    if (place + recordBytes > outEnd) { status = OUT_FULL; break }
    place = write(place, bodyBytes)
    v128.store(place, prefixVector)
    place += prefixBytes
    place = write(place, offsetDelta)
    // No key: −1.
    store<u8>(place++, 1)
    place = write(place, valueBytes)
    copy(place, position, valueBytes)
    place += valueBytes
    // No headers.
    store<u8>(place++, 0)
    offsetDelta++
    position = lineEnd + delimiterBytes
  }
  store<i32>(POSITION, <i32>position)
  store<i32>(RECORD_COUNT, offsetDelta - firstOffsetDelta)
  store<i32>(OUT_END, <i32>place)
  return status
}

/** Where the delimiter begins, wholly inside memory[from, end), or 0. */
function find(from: usize, end: usize, first: v128, delimiter: usize, delimiterBytes: i32): usize {
  for (let position = from; position < end; position += 16) {
    let mask = i8x16.bitmask(i8x16.eq(v128.load(position), first))
    while (mask != 0) {
      const candidate = position + ctz(mask)
      if (candidate + delimiterBytes > end) return 0
      if (delimiterBytes == 1 || matches(candidate, delimiter, delimiterBytes)) return candidate
      mask &= mask - 1
    }
  }
  return 0
}

function matches(place: usize, delimiter: usize, delimiterBytes: i32): bool {
  for (let index = 1; index < delimiterBytes; index++) {
    if (load<u8>(place + index) != load<u8>(delimiter + index)) return false
  }
  return true
}

/** Copies by sixteen bytes, and so up to fifteen too many. */
function copy(to: usize, from: usize, size: i32): void {
  for (let index = 0; index < size; index += 16) v128.store(to + index, v128.load(from + index))
}

/** Bytes of a varint that is not negative. */
function sizeOf(value: i32): i32 {
  const folded = <u32>value << 1
  if (folded < 0x80) return 1
  if (folded < 0x4000) return 2
  if (folded < 0x200000) return 3
  return folded < 0x10000000 ? 4 : 5
}

/** Writes a varint that is not negative. */
function write(place: usize, value: i32): usize {
  let folded = <u32>value << 1
  while (folded >= 0x80) {
    store<u8>(place++, <u8>(folded | 0x80))
    folded >>= 7
  }
  store<u8>(place, <u8>folded)
  return place + 1
}

/** Where the next varint is read. */
let cursor: usize = 0
/** Set by the reading functions when a varint is not valid. */
let isInvalid: bool = false

/**
 * Writes the values of the records in memory[from, end) with an offset delta in [fromDelta, toDelta) to memory[out, outEnd). At most
 * `recordCount` records are read. A record counts only when all of it was read and written.
 */
export function joinValues(
  from: usize, end: usize, recordCount: i32, previousDelta: i32, lastOffsetDelta: i32, fromDelta: u32, toDelta: u32,
  delimiter: usize, delimiterBytes: i32, nullText: usize, nullBytes: i32, out: usize, outEnd: usize
): i32 {
  let position = from
  let place = out
  let read = 0
  let written = 0
  let previous = previousDelta
  let status = ALL_READ
  isInvalid = false
  while (read < recordCount) {
    cursor = position
    const length = readVarint()
    if (cursor > end) { status = RECORD_CUT; break }
    if (isInvalid || length < 6) { status = UNUSUAL; break }
    if (<usize>length > end - cursor) { status = RECORD_CUT; break }
    const recordEnd = cursor + length
    cursor++
    skipVarlong()
    const delta = readVarint()
    if (delta <= previous || delta > lastOffsetDelta) { status = UNUSUAL; break }
    const keyBytes = readVarint()
    if (!isLength(keyBytes, recordEnd)) { status = UNUSUAL; break }
    if (keyBytes > 0) cursor += keyBytes
    const valueBytes = readVarint()
    if (!isLength(valueBytes, recordEnd)) { status = UNUSUAL; break }
    const value = cursor
    if (valueBytes > 0) cursor += valueBytes
    if (!skipHeaders(recordEnd)) { status = UNUSUAL; break }
    if (<u32>delta >= fromDelta && <u32>delta < toDelta) {
      const bytes = valueBytes < 0 ? nullBytes : valueBytes
      if (place + bytes + delimiterBytes > outEnd) { status = OUT_FULL; break }
      copy(place, valueBytes < 0 ? nullText : value, bytes)
      place += bytes
      copy(place, delimiter, delimiterBytes)
      place += delimiterBytes
      written++
    }
    previous = delta
    position = recordEnd
    read++
  }
  store<i32>(POSITION, <i32>position)
  store<i32>(RECORD_COUNT, read)
  store<i32>(OUT_END, <i32>place)
  store<i32>(PREVIOUS_DELTA, previous)
  store<i32>(WRITTEN_COUNT, written)
  return status
}

/** Whether the headers at the cursor are valid and end at `recordEnd`. */
function skipHeaders(recordEnd: usize): bool {
  const count = readVarint()
  if (isInvalid || cursor > recordEnd || count < 0 || <usize>count > (recordEnd - cursor) >> 1) return false
  for (let index = 0; index < count; index++) {
    const keyBytes = readVarint()
    if (keyBytes < 0 || !isLength(keyBytes, recordEnd)) return false
    cursor += keyBytes
    const valueBytes = readVarint()
    if (!isLength(valueBytes, recordEnd)) return false
    if (valueBytes > 0) cursor += valueBytes
  }
  return cursor == recordEnd
}

/** Whether `length`, read just before the cursor, is −1 (null) or that of bytes inside the record. */
function isLength(length: i32, recordEnd: usize): bool {
  if (isInvalid || cursor > recordEnd || length < -1) return false
  return length <= 0 || <usize>length <= recordEnd - cursor
}

function readVarint(): i32 {
  let byte = <u32>load<u8>(cursor++)
  if (byte < 0x80) return <i32>(byte >> 1) ^ -<i32>(byte & 1)
  let folded = byte & 0x7f
  for (let shift: u32 = 7; shift < 35; shift += 7) {
    byte = <u32>load<u8>(cursor++)
    if (shift == 28 && byte > 0x0f) break
    folded |= (byte & 0x7f) << shift
    if (byte < 0x80) return <i32>(folded >> 1) ^ -<i32>(folded & 1)
  }
  isInvalid = true
  return 0
}

function skipVarlong(): void {
  for (let index = 0; index < 10; index++) {
    const byte = load<u8>(cursor++)
    if (index == 9 && byte > 1) break
    if (byte < 0x80) return
  }
  isInvalid = true
}
