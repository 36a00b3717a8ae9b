/** What a conditional append expects of a log, and whether it holds: see conditional-producer.ts. */
import { LogqError } from '../errors.js'
import { latestOfKey } from '../log/latest-of-key.js'
import { partitionOffsets, viewContext } from '../store/partition.js'
import type { Store } from '../store/store.js'

/** What must hold at the moment of the append. */
export type Expectation =
  /** The log of the partition ends at this offset: the first record is going to have it. */
  | { readonly kind: 'log-end'; readonly offset: number }
  /** The latest record of the key, which may be a tombstone, is at this offset; undefined: there is none. */
  | { readonly kind: 'key'; readonly key: Uint8Array; readonly offset: number | undefined }

/** LOGQ_CONFLICT: an expectation does not hold. Nothing was appended. */
export class ExpectationError extends LogqError {
  constructor(
    message: string,
    /** What was expected, and what is: a log end offset, or the offset of a key's latest record (undefined for none). */
    readonly expectedOffset: number | undefined,
    readonly actualOffset: number | undefined,
    hint: string,
  ) {
    super('LOGQ_CONFLICT', message, { hint: `nothing was appended; ${hint}` })
  }
}

export class ExpectationCheck {
  /** The latest record of the expected key among offsets below `toOffset`. */
  #latest: { readonly offset: number | undefined; readonly toOffset: number } | undefined

  constructor(
    private readonly store: Store,
    private readonly topic: string,
    private readonly expectation: Expectation,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * Returns when the expectation holds of the partition up to `logEndOffset`, else throws ExpectationError. Asked again with a later end,
   * it reads only what came since.
   */
  async check(partition: number, logEndOffset: number): Promise<void> {
    const { expectation } = this
    if (expectation.kind === 'log-end') {
      if (logEndOffset !== expectation.offset) throw this.#otherEnd(partition, expectation.offset, logEndOffset)
      return
    }
    const offset = await this.#latestOffset(partition, expectation.key, logEndOffset)
    if (offset !== expectation.offset) throw this.#otherRecord(partition, expectation, offset)
  }

  async #latestOffset(partition: number, key: Uint8Array, toOffset: number): Promise<number | undefined> {
    const context = viewContext(this.store, this.topic, partition)
    // A log that ends lower than before lost its end to a recovery: what was seen there says nothing.
    const known = this.#latest !== undefined && this.#latest.toOffset <= toOffset ? this.#latest : undefined
    const fromOffset = known?.toOffset ?? partitionOffsets(context).logStartOffset
    const found = await latestOfKey(context, key, fromOffset, toOffset, this.signal)
    if (this.signal?.aborted === true)
      throw new LogqError('LOGQ_ABORTED', 'stopped while looking for the latest record of a key')
    this.#latest = { offset: found?.offset ?? known?.offset, toOffset }
    return this.#latest.offset
  }

  #otherEnd(partition: number, expected: number, actual: number): ExpectationError {
    const next =
      actual > expected
        ? `see what came with 'logq cat ${this.topic} -p ${partition} -o ${expected}:', then expect ${actual}`
        : `the next record gets offset ${actual}`
    return new ExpectationError(`${this.#name(partition)} ends at offset ${actual}, not at ${expected}`, expected, actual, next)
  }

  #otherRecord(
    partition: number,
    { key, offset: expected }: Extract<Expectation, { kind: 'key' }>,
    actual: number | undefined,
  ): ExpectationError {
    const name = `'${shown(key)}' in ${this.#name(partition)}`
    const wanted = expected === undefined ? 'none was expected' : `not at ${expected}`
    const message =
      actual === undefined
        ? `there is no record of key ${name}, one at offset ${String(expected)} was expected`
        : `the latest record of key ${name} is at offset ${actual}, ${wanted}`
    const next =
      actual === undefined
        ? 'expect none'
        : `see it with 'logq cat ${this.topic} -p ${partition} -o ${actual}:${actual + 1}', then expect ${actual}`
    return new ExpectationError(message, expected, actual, next)
  }

  #name(partition: number): string {
    return `'${this.topic}-${partition}'`
  }
}

const SHOWN_KEY_BYTES = 100

function shown(key: Uint8Array): string {
  const text = Buffer.from(key.buffer, key.byteOffset, Math.min(key.length, SHOWN_KEY_BYTES)).toString('utf8')
  return key.length > SHOWN_KEY_BYTES ? `${text}…` : text
}
