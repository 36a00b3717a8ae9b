/** The record: one entry of a log. See format-spec/record-batch.md for its bytes. */

export interface Header {
  readonly key: string
  /** null is kept apart from empty. */
  readonly value: Uint8Array | null
}

export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** A record to be written. */
export interface RecordInput {
  readonly key?: Uint8Array | null
  /** null is a tombstone. */
  readonly value: Uint8Array | null
  readonly headers?: readonly Header[]
  /** ms since the Unix epoch; the producer's clock when absent; -1 for none. */
  readonly timestampMs?: number
}

/** A record that was read. The byte arrays are the reader's own copies unless the function that gave them says otherwise. */
export interface LogRecord {
  readonly offset: number
  /** ms since the Unix epoch, -1 for none; a bigint only where a foreign producer wrote one beyond 2^53-1. */
  readonly timestampMs: number | bigint
  readonly timestampType: TimestampType
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
}
