/**
 * An input whose items find their own ends, such as the rows of a CSV file: what `import` reads. ingest.ts takes the items one by
 * one and treats them as it treats the lines of `produce`.
 */
import type { ParsedRecord } from '../print/parsed-record.js'
import type { ChunkedInput } from './chunked-input.js'
import type { Pace } from './pace.js'

export interface SourceItem {
  /** The line of the input on which it begins, from 1. */
  readonly line: number
  /**
   * Throws LOGQ_INVALID_RECORD or LOGQ_RECORD_TOO_LARGE when it cannot become a record. To be called before the next item is asked
   * for, since it may read the input's window.
   */
  readonly read: () => ParsedRecord
}

export interface RecordSource {
  /**
   * The next item; undefined at the end, and when a signal cut the last one off. Throws LOGQ_INVALID_RECORD when the input as a
   * whole cannot be read as what it was said to be.
   */
  next(): Promise<SourceItem | undefined>
}

/** What a source reads from. */
export interface SourceInput {
  readonly input: ChunkedInput
  /** As messages call it: a path, or 'stdin'. */
  readonly name: string
  readonly pace: Pace
  /** max.message.bytes now. */
  readonly recordLimitBytes: () => number
  /** Says something about the input that is no failure. */
  readonly warn: (message: string, hint?: string) => Promise<void>
}

/** An item that is bad as it stands: reading it throws. */
export function badItem(line: number, error: Error): SourceItem {
  return {
    line,
    read: () => {
      throw error
    },
  }
}
