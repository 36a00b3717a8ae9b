import test from 'ava'
import fc from 'fast-check'
import type { PrintedRecord, PrinterOptions } from '../../../cli/print/printer.js'
import { tsvPrinter } from '../../../cli/print/tsv.js'
import { plain, plainOptions, printed, record, someRecord } from './records.js'

function tsv(fields: Partial<PrintedRecord>, options: Partial<PrinterOptions> = {}): string {
  return printed((out) => {
    tsvPrinter({ ...plainOptions, ...options }).print('orders', 3, record(fields), out)
  })
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')

const values: readonly [name: string, value: Uint8Array | null, field: string][] = [
  ['text', bytes('größe 🎉'), 'größe 🎉'],
  ['null', null, '\\N'],
  ['empty', bytes(''), ''],
  ['the text \\N', bytes('\\N'), '\\\\N'],
  ['tab, line feed, CR, backslash', bytes('a\tb\nc\rd\\e'), 'a\\tb\\nc\\rd\\\\e'],
  ['NUL', bytes('a\0b'), 'a\\0b'],
  ['NUL before a digit', bytes('\x001\0x\0'), '\\x001\\0x\\0'],
  ['other control bytes', bytes('\x01\x1b[2J\x7f'), '\\x01\\x1b[2J\\x7f'],
  ['the text \\x41', bytes('\\x41'), '\\\\x41'],
  ['bytes that are not UTF-8', Uint8Array.of(0xff, 0x61, 0xc3, 0xe2, 0x82), '\\xffa\\xc3\\xe2\\x82'],
  ['UTF-8 beside what is not', Uint8Array.of(0xc3, 0xbc, 0xff, 0x09), 'ü\\xff\\t'],
  ['comma and equals sign', bytes('a=1,b'), 'a=1,b'],
]

for (const [name, value, field] of values) {
  test(`tsvPrinter() prints a key and value of ${name} as ${JSON.stringify(field)}`, (t) => {
    t.is(tsv({ key: value, value }), `orders\t3\t42\t1700000000123\t${field}\t${field}\t\n`)
  })
}

const headers: readonly [headers: PrintedRecord['headers'], field: string][] = [
  [[], ''],
  [[{ key: 'a', value: bytes('1') }], 'a=1'],
  [[{ key: '', value: null }], '=\\N'],
  [[{ key: '', value: bytes('') }], '='],
  [
    [
      { key: 'a', value: null },
      { key: 'a', value: bytes('') },
      { key: 'a', value: bytes('\\N') },
    ],
    'a=\\N,a=,a=\\\\N',
  ],
  [[{ key: 'k=,\t', value: bytes('v=,\t') }], 'k\\x3d\\x2c\\t=v=\\x2c\\t'],
  [[{ key: 'b', value: Uint8Array.of(0x80, 0) }], 'b=\\x80\\0'],
]

for (const [list, field] of headers) {
  test(`tsvPrinter() prints headers as ${JSON.stringify(field)}`, (t) => {
    t.is(tsv({ headers: list }), `orders\t3\t42\t1700000000123\tk\tv\t${field}\n`)
  })
}

test('tsvPrinter() prints lengths with --no-value, and times as --time says', (t) => {
  t.is(tsv({ value: bytes('größe') }, { withoutValue: true }), 'orders\t3\t42\t1700000000123\tk\t7\t\n')
  t.is(tsv({ value: null }, { withoutValue: true }), 'orders\t3\t42\t1700000000123\tk\t\\N\t\n')
  t.is(tsv({}, { time: 'iso' }), 'orders\t3\t42\t2023-11-14T22:13:20.123Z\tk\tv\t\n')
  t.is(tsv({}, { time: 'rel' }), 'orders\t3\t42\t-9m59s\tk\tv\t\n')
})

test('what tsvPrinter() prints is one line of text, and reads back as documented', (t) => {
  const printer = tsvPrinter(plainOptions)
  fc.assert(
    fc.property(someRecord, (some) => {
      const line = printed((out) => {
        printer.print('orders', 3, some, out)
      })
      t.regex(line, /^[^\p{Cc}]*(\t[^\x00-\x1f\x7f]*){6}\n$/u)
      // A replacement character stands where the record has one, and never for bytes that are not text.
      const parts = [some.key, some.value, ...Array.from(some.headers, ({ key, value }) => [bytes(key), value]).flat()]
      const given = parts.some((part) => part !== null && Buffer.from(part).includes('\ufffd'))
      t.is(line.includes('\ufffd'), given)
      const [topic, partition, offset, timestamp, key = '', value = '', headersText = ''] = line.slice(0, -1).split('\t')
      t.deepEqual([topic, partition, offset, timestamp], ['orders', '3', String(some.offset), String(some.timestampMs)])
      const read = { key: unescape(key), value: unescape(value), headers: readHeaders(headersText) }
      const expected = Array.from(some.headers, (header) => ({ key: bytes(header.key), value: header.value }))
      t.deepEqual(plain(read), plain({ key: some.key, value: some.value, headers: expected }))
    }),
    { numRuns: 1000 },
  )
})

test('tsvPrinter() escapes across the pieces of a large value', (t) => {
  // A character of three bytes, one after another: no size of a piece falls between all of them.
  const text = `${'€'.repeat(700_000)}\n`
  t.is(tsv({ value: bytes(text) }), `orders\t3\t42\t1700000000123\tk\t${text.replace('\n', '\\n')}\t\n`)
})

/** By the rule of the man page, and by nothing else. */
function unescape(field: string): Uint8Array | null {
  if (field === '\\N') return null
  const short: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, '0': 0, '\\': 0x5c }
  const parts = field.split(/(\\x[0-9a-f]{2}|\\.)/).map((part) => {
    if (part.startsWith('\\x')) return Uint8Array.of(Number.parseInt(part.slice(2), 16))
    return part.startsWith('\\') ? Uint8Array.of(short[part.slice(1)] ?? -1) : bytes(part)
  })
  return Buffer.concat(parts)
}

function readHeaders(field: string): { key: unknown; value: unknown }[] {
  if (field === '') return []
  return field.split(',').map((header) => {
    const equals = header.indexOf('=')
    return { key: unescape(header.slice(0, equals)), value: unescape(header.slice(equals + 1)) }
  })
}
