/** What each format writes, byte for byte, and that what import reads is what export wrote. */
import test from 'ava'
import fc from 'fast-check'
import { csvFormat } from '../../../cli/export/csv.js'
import { parseColumns } from '../../../cli/export/columns.js'
import type { ExportFormat } from '../../../cli/export/export-format.js'
import { kcatFormat } from '../../../cli/export/kcat.js'
import { ndjsonFormat } from '../../../cli/export/ndjson.js'
import { rpkFormat } from '../../../cli/export/rpk.js'
import { csvSource } from '../../../cli/import/csv-records.js'
import { kcatFormat as kcatInput } from '../../../cli/import/kcat.js'
import { ObjectSource, type ObjectFormat } from '../../../cli/import/object-records.js'
import { rpkFormat as rpkInput } from '../../../cli/import/rpk.js'
import type { RecordSource, SourceInput } from '../../../cli/input/record-source.js'
import type { PrintedRecord } from '../../../cli/print/printer.js'
import { GrowableBytes } from '../../../lib/bytes/growable-bytes.js'
import type { RecordInput } from '../../../lib/record/record.js'
import { idlePace, inputInPieces } from '../import/pieces.js'
import { record, someRecord } from '../print/records.js'

/** One character for each byte. */
function written(format: ExportFormat, records: readonly PrintedRecord[]): string {
  const out = new GrowableBytes()
  for (const [index, one] of records.entries()) {
    format.prepare?.('t', 3, one)
    if (index === 0) format.begin(out)
    format.print('t', 3, one, out)
  }
  return Buffer.from(out.view()).toString('latin1')
}

const bytes = (text: string) => Buffer.from(text, 'latin1')
const TIME = 1_700_000_000_123

const lines: readonly (readonly [title: string, format: ExportFormat, given: Partial<PrintedRecord>, line: string])[] = [
  [
    'kcat: every field',
    kcatFormat,
    {
      headers: [
        { key: 'a', value: bytes('1') },
        { key: 'a', value: null },
      ],
    },
    `{"topic":"t","partition":3,"offset":42,"tstype":"create","ts":${TIME},"broker":-1,"headers":["a","1","a",null],"key":"k","payload":"v"}`,
  ],
  [
    'kcat: null, no timestamp',
    kcatFormat,
    { key: null, value: null, timestampMs: -1 },
    '{"topic":"t","partition":3,"offset":42,"broker":-1,"key":null,"payload":null}',
  ],
  [
    'kcat: bytes as they are, escapes as kcat writes them',
    kcatFormat,
    { key: bytes(''), value: bytes('\xff"\\/\b\f\n\r\t\0\x1f\x7f\xc3\xa9'), timestampMs: -1 },
    '{"topic":"t","partition":3,"offset":42,"broker":-1,"key":"","payload":"\xff\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\x7f\xc3\xa9"}',
  ],
  [
    'kcat: LogAppendTime, a time beyond 2^53',
    kcatFormat,
    { timestampType: 'LogAppendTime', timestampMs: 2n ** 60n, key: null, value: null },
    `{"topic":"t","partition":3,"offset":42,"tstype":"logappend","ts":${2n ** 60n},"broker":-1,"key":null,"payload":null}`,
  ],
  [
    'rpk: every field',
    rpkFormat,
    {
      headers: [
        { key: 'a', value: bytes('1') },
        { key: 'a', value: bytes('') },
      ],
    },
    `{"topic":"t","key":"k","value":"v","headers":[{"key":"a","value":"1"},{"key":"a","value":""}],"timestamp":${TIME},"partition":3,"offset":42}`,
  ],
  ['rpk: null', rpkFormat, { key: null, value: null }, `{"topic":"t","timestamp":${TIME},"partition":3,"offset":42}`],
  [
    'rpk: escapes as Go writes them',
    rpkFormat,
    { key: null, value: Buffer.from('<a&b>\u2028"\n\u001f') },
    `{"topic":"t","value":"\\u003ca\\u0026b\\u003e\\u2028\\"\\n\\u001f","timestamp":${TIME},"partition":3,"offset":42}`,
  ],
  ['ndjson: JSON as it was written', ndjsonFormat, { value: bytes(' {"a" : 1.50, "b":1e3}') }, ' {"a" : 1.50, "b":1e3}'],
  [
    'ndjson: one line',
    ndjsonFormat,
    { value: bytes('{\n  "a": "x \\" \\n  y",\r\n  "b": [1.50, 2]\n}') },
    '{"a":"x \\" \\n  y","b":[1.50,2]}',
  ],
  ['ndjson: other text', ndjsonFormat, { value: bytes('a "b"\n') }, '"a \\"b\\"\\n"'],
  ['ndjson: empty', ndjsonFormat, { value: bytes('') }, '""'],
  ['ndjson: a tombstone', ndjsonFormat, { value: null }, 'null'],
]

test('lines as they are written', (t) => {
  for (const [title, format, given, line] of lines) t.is(written(format, [record(given)]), `${line}\n`, title)
})

test('what rpk cannot say is said of the record', (t) => {
  const changed = (given: Partial<PrintedRecord>) => rpkFormat.print('t', 0, record(given), new GrowableBytes())
  t.is(changed({}), undefined)
  t.is(changed({ key: null, value: null }), undefined)
  t.is(changed({ key: bytes('') }), 'the key is empty, and left out like one that is null')
  t.is(changed({ headers: [{ key: 'a', value: null }] }), 'a header that is null becomes empty')
  t.is(changed({ key: bytes('\xff'), value: bytes('\xfe') }), 'bytes that are not UTF-8 become U+FFFD')
})

test('a value that is not UTF-8 is no JSON', (t) => {
  t.throws(() => written(ndjsonFormat, [record({ value: bytes('\xff') })]), { code: 'LOGQ_INVALID_RECORD' })
})

const csvDefaults = {
  extension: 'csv',
  delimiter: 0x2c,
  flatten: false,
  headerRow: true,
  byteOrderMark: false,
  time: 'ms',
} as const

function csv(
  columns: string,
  records: readonly PrintedRecord[],
  options: Partial<Parameters<typeof csvFormat>[0]> = {},
): string {
  return written(csvFormat({ ...csvDefaults, columns: columns === '' ? [] : parseColumns(columns), ...options }), records)
}

test('csv: columns', (t) => {
  const full = record({
    value: bytes('{"a":"x,\\n\\"y\\"","b":1.50,"c":{"d":[1, 2],"e":null},"f":true,"g":"","a.b":2}'),
    headers: [
      { key: 'h', value: bytes('1') },
      { key: 'h', value: bytes('\xff') },
      { key: 'n', value: null },
    ],
  })
  const cells: readonly (readonly [column: string, cell: string])[] = [
    ['topic', 't'],
    ['partition', '3'],
    ['offset', '42'],
    ['timestamp', `${TIME}`],
    ['timestampType', 'CreateTime'],
    ['key', 'k'],
    ['value.a', '"x,\n""y"""'],
    ['value.b', '1.50'],
    ['value.c', '"{""d"":[1, 2],""e"":null}"'],
    ['value.c.d', '"[1, 2]"'],
    ['value.c.e', ''],
    ['value.c.x', ''],
    ['value.b.x', ''],
    ['value.f', 'true'],
    ['value.g', '""'],
    ['key.a', ''],
    ['header.h', '1'],
    ['header.n', ''],
    ['header.x', ''],
    [
      'headers',
      '"[{""key"":""h"",""value"":""1""},{""key"":""h"",""value"":""/w=="",""valueEncoding"":""base64""},{""key"":""n"",""value"":null}]"',
    ],
  ]
  for (const [column, cell] of cells) t.is(csv(column, [full]), `${column}\n${cell}\n`, column)
  t.is(csv('no=offset,total=value.b', [full]), 'no,total\n42,1.50\n')
})

test('csv: quoting, null and empty', (t) => {
  const value = (text: string | null) => record({ value: text === null ? null : bytes(text) })
  for (const [text, cell] of [
    [null, ''],
    ['', '""'],
    ['a', 'a'],
    [' a ', ' a '],
    ['a,b', '"a,b"'],
    ['a;b', 'a;b'],
    ['"', '""""'],
    ['a\nb', '"a\nb"'],
    ['a\r', '"a\r"'],
    ['\xff\0', '\xff\0'],
    ['=1+1', '=1+1'],
  ] as const)
    t.is(csv('offset,value', [value(text)], { headerRow: false }), `42,${cell}\n`, String(text))
  t.is(csv('offset,value', [value('a;b')], { headerRow: false, delimiter: 0x3b }), '42;"a;b"\n')
  t.is(csv('value', [value('a')], { byteOrderMark: true }), '\xef\xbb\xbfvalue\na\n')
  t.is(csv('timestamp', [value('a')], { time: 'iso' }), 'timestamp\n2023-11-14T22:13:20.123Z\n')
})

test('csv: the members of the first value as columns', (t) => {
  const [first, second] = [record({ value: bytes('{"b":1,"a":"x"}') }), record({ value: bytes('{"a":"y","c":3}') })]
  const flatten = { flatten: true }
  t.is(csv('', [first], flatten), 'b,a\n1,x\n')
  t.is(csv('key', [first, first], flatten), 'key,b,a\nk,1,x\nk,1,x\n')
  const format = csvFormat({ ...csvDefaults, columns: [], ...flatten })
  written(format, [first])
  const out = new GrowableBytes()
  t.is(format.print('t', 0, second, out), "the value has 'c', which is no column since the first value did not have it")
  t.is(Buffer.from(out.view()).toString(), ',y\n')
  t.throws(() => csv('', [record()], flatten), { code: 'LOGQ_INVALID_RECORD' })
})

/** All records of a source, as something that can be compared. */
async function readBack(text: string, open: (source: SourceInput) => RecordSource | Promise<RecordSource>): Promise<unknown[]> {
  const warn = () => Promise.resolve()
  const input = inputInPieces(bytes(text), [1000, 1])
  const source = await open({ input, name: 'x', pace: idlePace, recordLimitBytes: () => 1 << 20, warn })
  const records: unknown[] = []
  for (let item = await source.next(); item !== undefined; item = await source.next()) records.push(plain(item.read().record))
  return records
}

function plain({ key = null, value, headers = [], timestampMs }: RecordInput | PrintedRecord): unknown {
  const hex = (part: Uint8Array | null) => (part === null ? null : Buffer.from(part).toString('hex'))
  return [hex(key), hex(value), Array.from(headers, (header) => [header.key, hex(header.value)]), timestampMs]
}

const objects = (format: ObjectFormat) => (source: SourceInput) => new ObjectSource(source, format)

test('kcat: what was written is read back as it was, any bytes', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(someRecord, { maxLength: 5 }), async (records) => {
      t.deepEqual(await readBack(written(kcatFormat, records), objects(kcatInput)), records.map(plain))
    }),
    { numRuns: 300 },
  )
})

test('rpk: what was written without a word is read back as it was', async (t) => {
  const silent = someRecord.filter((one) => rpkFormat.print('t', 0, one, new GrowableBytes()) === undefined)
  await fc.assert(
    fc.asyncProperty(fc.array(silent, { maxLength: 5 }), async (records) => {
      t.deepEqual(await readBack(written(rpkFormat, records), objects(rpkInput)), records.map(plain))
    }),
    { numRuns: 300 },
  )
})

test('csv: a table of objects is the same table after import and export', async (t) => {
  const cell = fc.string({ unit: fc.constantFrom('a', '\u00e9', '"', ',', '\n', '\r', ' ', '\0'), maxLength: 6 })
  const names = fc.uniqueArray(cell, { minLength: 2, maxLength: 5 })
  const options = {
    delimiter: 0x2c,
    quotes: true,
    headerRow: true,
    columns: undefined,
    keyColumn: undefined,
    valueColumn: undefined,
    timestampColumn: undefined,
    headerColumns: [],
    types: 'strings',
    nullText: undefined,
  } as const
  await fc.assert(
    fc.asyncProperty(
      names,
      fc.array(fc.array(cell, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
      async (header, rows) => {
        const quoted = (text: string) => (text === '' || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
        const table = [header, ...rows.map((row) => row.slice(0, header.length))]
          .map((row) => `${row.map(quoted).join(',')}\n`)
          .join('')
        const text = Buffer.from(table, 'utf8').toString('latin1')
        const records = (await readBack(text, (source) => csvSource(source, options))) as [null, string][]
        t.is(
          csv(
            '',
            records.map(([, value]) => record({ value: Buffer.from(value, 'hex') })),
            { flatten: true },
          ),
          text,
        )
      },
    ),
    { numRuns: 200 },
  )
})
