/** What decompresses a stream, a step at a time: compressed bytes are given, plain ones taken. */
import { LogqError } from '../errors.js'

export interface Decoder {
  /** Takes compressed bytes, which may be reused when this resolved. Nothing is given while there is output to take. */
  write(bytes: Uint8Array): Promise<void>
  /** No more compressed bytes come. */
  end(): Promise<void>
  /**
   * The next plain bytes, which hold until the next call; undefined when more input is needed, or at the end. Throws when the
   * compressed bytes are damaged, or end too early.
   */
  take(): Promise<Uint8Array | undefined>
  close(): void
}

/** The compressed bytes are not what they should be. */
export function damagedInput(format: string, what: string): LogqError {
  return new LogqError('LOGQ_IO', `damaged, or not ${format}: ${what}`, {
    hint: 'what came before it was taken; --no-decompress takes the bytes of a file as they are',
  })
}

export function truncatedInput(format: string): LogqError {
  return new LogqError('LOGQ_IO', `it ends in the midst of its ${format} data`, {
    hint: 'what came before the end was taken; the file may not be complete',
  })
}
