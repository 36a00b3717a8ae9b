/** An input that comes in pieces of given sizes, as from a pipe, for readers that must not care where a read ends. */
import { ChunkedInput } from '../../../cli/input/chunked-input.js'
import { Pace } from '../../../cli/input/pace.js'

export const idlePace = new Pace(
  { flush: () => Promise.resolve(), sync: () => Promise.resolve() },
  { monotonicMs: () => 0 },
  0,
  undefined,
)

/** `sizes` are used over and over; without them the bytes come as fast as they are read. */
export function inputInPieces(bytes: Buffer, sizes: readonly number[] = []): ChunkedInput {
  let at = 0
  let turn = 0
  return new ChunkedInput(
    {
      isTerminal: false,
      name: 'pieces',
      read(buffer) {
        const size = sizes[turn++ % Math.max(1, sizes.length)] ?? buffer.length
        const piece = bytes.subarray(at, at + Math.min(size, buffer.length))
        buffer.set(piece)
        at += piece.length
        return Promise.resolve(piece.length)
      },
      hasDataReady: () => true,
      close: () => undefined,
    },
    () => Promise.resolve(),
    new AbortController().signal,
  )
}
