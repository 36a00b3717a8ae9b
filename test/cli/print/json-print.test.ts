import test from 'ava'
import { jsonPrinter } from '../../../cli/print/json-print.js'
import type { PrintedRecord } from '../../../cli/print/printer.js'
import { printed, record } from './records.js'

const gate = (bytes: Uint8Array): Uint8Array => bytes

function json(fields: Partial<PrintedRecord>, withoutValue = false): string {
  return printed((out) => {
    jsonPrinter({ gate, withoutValue }).print('orders', 3, record(fields), out)
  })
}

const head = '{"topic":"orders","partition":3,"offset":42,"timestamp":1700000000123,"timestampType":"CreateTime",'

const cases: readonly [name: string, fields: Partial<PrintedRecord>, line: string][] = [
  ['text', {}, `${head}"key":"k","value":"v","headers":[]}\n`],
  ['null key and value', { key: null, value: null }, `${head}"key":null,"value":null,"headers":[]}\n`],
  ['empty key and value', { key: new Uint8Array(0), value: new Uint8Array(0) }, `${head}"key":"","value":"","headers":[]}\n`],
  [
    'bytes that are not UTF-8',
    { key: Uint8Array.of(0xff), value: Uint8Array.of(0xc3) },
    `${head}"key":"/w==","keyEncoding":"base64","value":"ww==","valueEncoding":"base64","headers":[]}\n`,
  ],
  ['a BOM, kept', { value: Uint8Array.of(0xef, 0xbb, 0xbf, 0x61) }, `${head}"key":"k","value":"\ufeffa","headers":[]}\n`],
  ['a line end inside', { value: Buffer.from('a\nb"\\\0') }, `${head}"key":"k","value":"a\\nb\\"\\\\\\u0000","headers":[]}\n`],
  [
    'headers in order, duplicates kept',
    {
      headers: [
        { key: 'b', value: Buffer.from('1') },
        { key: 'a', value: null },
        { key: 'b', value: Uint8Array.of(0x80) },
      ],
    },
    `${head}"key":"k","value":"v","headers":[{"key":"b","value":"1"},{"key":"a","value":null},{"key":"b","value":"gA==","valueEncoding":"base64"}]}\n`,
  ],
  [
    'no timestamp',
    { timestampMs: -1 },
    '{"topic":"orders","partition":3,"offset":42,"timestamp":-1,"timestampType":"CreateTime","key":"k","value":"v","headers":[]}\n',
  ],
  [
    'a timestamp beyond 2^53-1, as a decimal string',
    { timestampMs: 9_223_372_036_854_775_807n, timestampType: 'LogAppendTime' },
    '{"topic":"orders","partition":3,"offset":42,"timestamp":"9223372036854775807","timestampType":"LogAppendTime","key":"k","value":"v","headers":[]}\n',
  ],
]

for (const [name, fields, line] of cases) {
  test(`jsonPrinter() prints ${name}`, (t) => {
    t.is(json(fields), line)
    t.notThrows(() => JSON.parse(line) as unknown)
  })
}

test('jsonPrinter() without values gives their lengths', (t) => {
  t.is(json({ value: Buffer.from('größe') }, true), `${head}"key":"k","valueBytes":7,"headers":[]}\n`)
  t.is(json({ value: null }, true), `${head}"key":"k","valueBytes":null,"headers":[]}\n`)
})

test('jsonPrinter() prints the topic of each record', (t) => {
  const printer = jsonPrinter({ gate })
  const lines = printed((out) => {
    for (const topic of ['a', 'a', 'b', 'a']) printer.print(topic, 0, record(), out)
  })
  t.deepEqual(
    lines
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { topic: string }).topic),
    ['a', 'a', 'b', 'a'],
  )
})
