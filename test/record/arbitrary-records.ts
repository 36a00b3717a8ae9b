/** Records of every shape for property tests, and a plain form of them that can be compared. */

import fc from 'fast-check'
import { BatchBuilder, type BatchBuilderOptions, type RecordToAppend } from '../../lib/record/batch-builder.js'
import type { Header, LogRecord } from '../../lib/record/record.js'

const bytes = fc.oneof({ weight: 4, arbitrary: fc.uint8Array({ maxLength: 40 }) }, fc.uint8Array({ maxLength: 400 }))
const bytesOrNull = fc.option(bytes, { nil: null })

/** Names repeat on purpose: duplicate headers are kept. */
const header: fc.Arbitrary<Header> = fc.record({
  key: fc.oneof(fc.constantFrom('', 'a', 'trace-id', 'ключ'), fc.string({ unit: 'grapheme', maxLength: 8 })),
  value: bytesOrNull,
})

const timestampMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }) },
  fc.constantFrom(-1, 0, Number.MAX_SAFE_INTEGER),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
)

export const arbitraryRecord: fc.Arbitrary<Required<RecordToAppend>> = fc.record({
  key: bytesOrNull,
  value: bytesOrNull,
  headers: fc.array(header, { maxLength: 4 }),
  timestampMs,
})

export const arbitraryRecords = fc.array(arbitraryRecord, { minLength: 1, maxLength: 30 })

/** What a record is, without where it lies, for deepEqual. */
export function content(record: Required<RecordToAppend> | LogRecord): unknown {
  return {
    key: text(record.key),
    value: text(record.value),
    headers: record.headers.map(({ key, value }) => [key, text(value)]),
    timestampMs: record.timestampMs,
  }
}

function text(part: Uint8Array | null): string | null {
  return part === null ? null : Buffer.from(part).toString('hex')
}

/** One sealed batch of all `records`, as a copy. */
export function batchOf(records: readonly RecordToAppend[], options: Partial<BatchBuilderOptions> = {}): Uint8Array {
  const builder = new BatchBuilder({ codec: 'none', maxBatchBytes: 0x7fff_ffff, ...options })
  for (const record of records) builder.append(record)
  return builder.seal().bytes.slice()
}

/** A record with a text value and nothing else. */
export function textRecord(value: string, timestampMs = 1_700_000_000_000): RecordToAppend {
  return { value: new TextEncoder().encode(value), timestampMs }
}
