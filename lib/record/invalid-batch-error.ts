/** A record batch whose bytes contradict format-spec/record-batch.md. */

import { LogqError } from '../errors.js'

export class InvalidBatchError extends LogqError {
  /**
   * The byte place inside the batch where the contradiction was found. For the records of a compressed batch it is where the compressed
   * bytes begin, and the message gives the place in the decompressed ones.
   */
  readonly position: number

  constructor(what: string, position: number, options: { hint?: string; cause?: unknown } = {}) {
    super('LOGQ_CORRUPT', what, options)
    this.name = 'InvalidBatchError'
    this.position = position
  }
}
