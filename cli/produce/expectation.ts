/** --expect-offset and --expect-key-offset: what must hold of the log at the moment of the append. */
import type { Expectation } from '../../lib/produce/expectation.js'
import { usageError } from '../errors.js'
import { parseWholeNumber } from '../values/units.js'

/** `K=N` or `K=none`. A key may contain `=`, so the last one separates. */
export function parseKeyExpectation(text: string): Expectation {
  const separator = text.lastIndexOf('=')
  const offset = text.slice(separator + 1)
  if (separator === -1 || (offset !== 'none' && !/^\d+$/.test(offset))) {
    throw usageError(
      `'${text}' is not KEY=N`,
      'it is the key and the offset of its latest record, such as user-1=42, or user-1=none for a key without a record',
    )
  }
  return {
    kind: 'key',
    key: Buffer.from(text.slice(0, separator)),
    offset: offset === 'none' ? undefined : parseWholeNumber(offset),
  }
}

export interface ExpectationOptions {
  readonly expectOffset: number | undefined
  readonly expectKeyOffset: Expectation | undefined
}

/** Undefined when nothing is expected. */
export function expectationOf({ expectOffset, expectKeyOffset }: ExpectationOptions): Expectation | undefined {
  return expectOffset === undefined ? expectKeyOffset : { kind: 'log-end', offset: expectOffset }
}
