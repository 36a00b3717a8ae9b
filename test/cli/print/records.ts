/** Records for the tests of printers and parsers. */
import fc from 'fast-check'
import type { PrintedRecord, PrinterOptions } from '../../../cli/print/printer.js'
import { GrowableBytes } from '../../../lib/bytes/growable-bytes.js'
import type { Header } from '../../../lib/record/record.js'

export function record(fields: Partial<PrintedRecord> = {}): PrintedRecord {
  return {
    offset: 42,
    timestampMs: 1_700_000_000_123,
    timestampType: 'CreateTime',
    key: Buffer.from('k'),
    value: Buffer.from('v'),
    headers: [],
    ...fields,
  }
}

/** What printers get where nothing was asked for, at a fixed time. */
export const plainOptions: PrinterOptions = {
  delimiter: Buffer.from('\n'),
  keySeparator: undefined,
  nullText: undefined,
  gate: (bytes) => bytes,
  time: 'ms',
  nowMs: () => 1_700_000_600_000,
  withoutValue: false,
}

/** Bytes that are sometimes text and sometimes not. */
export const someBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text, 'utf8')),
  fc.constantFrom('', '\ufeffbom', 'null', '"', '\\', '{"a":1}', '\u2028', '\0').map((text) => Buffer.from(text, 'utf8')),
  fc.uint8Array({ maxLength: 20 }),
)

const someHeader: fc.Arbitrary<Header> = fc.record({
  key: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.constantFrom('a', '7', '__proto__', '')),
  value: fc.option(someBytes),
})

export const someRecord: fc.Arbitrary<PrintedRecord> = fc.record({
  offset: fc.nat(Number.MAX_SAFE_INTEGER),
  timestampMs: fc.oneof(fc.constant(-1), fc.nat(Number.MAX_SAFE_INTEGER)),
  timestampType: fc.constantFrom('CreateTime' as const, 'LogAppendTime' as const),
  key: fc.option(someBytes),
  value: fc.option(someBytes),
  headers: fc.array(someHeader, { maxLength: 4 }),
})

/** What a printer prints. */
export function printed(print: (out: GrowableBytes) => void): string {
  const out = new GrowableBytes()
  print(out)
  return Buffer.from(out.view()).toString('utf8')
}

/** Byte lists, so that a Buffer equals a Uint8Array. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('latin1') }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
