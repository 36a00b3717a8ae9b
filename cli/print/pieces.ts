/** Large bytes in pieces, so that their text is made piece by piece: no string may be longer than 512 MiB, and memory is dear. */

/** A multiple of 3, so that base64 of the pieces is base64 of the whole. */
const PIECE_BYTES = 3 << 18

/** `bytes` themselves when they are not large. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length || start === 0; start += PIECE_BYTES) {
    yield bytes.length <= PIECE_BYTES ? bytes : bytes.subarray(start, start + PIECE_BYTES)
  }
}

/** The same, never cut within a UTF-8 sequence. */
export function* textPiecesOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  if (bytes.length <= PIECE_BYTES) {
    yield bytes
    return
  }
  for (let start = 0; start < bytes.length;) {
    let end = Math.min(bytes.length, start + PIECE_BYTES)
    for (let back = 0; back < 3 && end < bytes.length && isContinuation(bytes[end]); back += 1) end -= 1
    yield bytes.subarray(start, end)
    start = end
  }
}

/** A byte of a UTF-8 sequence after its first. */
export function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
