/**
 * --whole: an input as one record, its bytes untouched. Of an input that is too large no more is read than shows that it is; a window
 * that was made for the size that is known does not have to grow.
 */
import { LogqError } from '../../lib/errors.js'
import type { InputStream } from '../../lib/system/streams.js'
import type { ChunkedInput } from './chunked-input.js'
import type { Pace } from './pace.js'

/** The whole input, to be read with a call that throws LOGQ_RECORD_TOO_LARGE; undefined when a signal cut it off. */
export async function readWhole(
  stream: InputStream,
  input: ChunkedInput,
  pace: Pace,
  limitBytes: number,
): Promise<(() => Buffer) | undefined> {
  const sizeBytes = stream.sizeBytes?.()
  if (sizeBytes !== undefined && sizeBytes > limitBytes) return tooLarge(`${sizeBytes} bytes are`, limitBytes)
  if (sizeBytes !== undefined) input.reserve(sizeBytes)
  while (await input.fill(pace)) {
    if (input.end - input.start > limitBytes) return tooLarge(`more than ${limitBytes} bytes are`, limitBytes)
  }
  return input.isEnded ? () => input.buffer.subarray(input.start, input.end) : undefined
}

function tooLarge(what: string, limitBytes: number): () => never {
  return () => {
    throw new LogqError('LOGQ_RECORD_TOO_LARGE', `${what} above max.message.bytes, ${limitBytes}`, {
      hint: 'see logq topic set TOPIC max.message.bytes=…',
    })
  }
}
