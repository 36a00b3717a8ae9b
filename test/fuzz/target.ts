/** What is fuzzed: the one interface of everything in targets/, and what several of them judge by. */
import assert from 'node:assert/strict'
import type fc from 'fast-check'
import { isLogqError } from '../../lib/errors.js'

export interface FuzzTarget {
  /** Also the name of its corpus, corpus/NAME.jsonl. */
  readonly name: string
  /** Inputs that are well formed, or nearly so: from these and the corpus mutations begin. */
  readonly inputs: fc.Arbitrary<Uint8Array>
  /** Pieces of the language, for mutations to put in. */
  readonly words?: readonly string[]
  /** What has to be loaded before the first check. */
  prepare?(): Promise<void>
  /** Throws for an input on which something does not hold. */
  check(input: Uint8Array): void | Promise<void>
}

/** What `parse` gives, or undefined when it refused the input as it may: with an error of logq's own, and no other. */
export function unlessRefused<Result>(parse: () => Result): Result | undefined {
  try {
    return parse()
  } catch (error) {
    if (isLogqError(error)) return undefined
    throw error
  }
}

export function textOf(input: Uint8Array): string {
  return Buffer.from(input.buffer, input.byteOffset, input.length).toString('utf8')
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

export function hex(bytes: Uint8Array | null | undefined): string | null | undefined {
  return bytes === null || bytes === undefined ? bytes : Buffer.from(bytes).toString('hex')
}

/** The first byte chooses, the rest is the input. */
export function chosen<Choice>(input: Uint8Array, choices: readonly Choice[]): readonly [Choice, Uint8Array] {
  const choice = choices[(input[0] ?? 0) % choices.length]
  assert(choice !== undefined)
  return [choice, input.subarray(1)]
}
