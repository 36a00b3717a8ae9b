import test from 'ava'
import fc from 'fast-check'
import { parseJsonRecord } from '../../../cli/print/json-parse.js'
import { jsonPrinter } from '../../../cli/print/json-print.js'
import type { ParsedRecord } from '../../../cli/print/parsed-record.js'
import { isLogqError } from '../../../lib/errors.js'
import { plain, printed, someRecord } from './records.js'

function parse(line: string): ParsedRecord {
  return parseJsonRecord(Buffer.from(line, 'utf8'))
}

test('parseJsonRecord() reads back every record that jsonPrinter() prints', (t) => {
  const printer = jsonPrinter({ gate: (bytes) => bytes })
  fc.assert(
    fc.property(someRecord, fc.nat(1000), (record, partition) => {
      const line = printed((out) => {
        printer.print('a-topic', partition, record, out)
      })
      t.is(line.indexOf('\n'), line.length - 1)
      const { key, value, headers, timestampMs } = record
      t.deepEqual(plain(parse(line.trimEnd())), plain({ record: { value, key, headers, timestampMs }, partition }))
    }),
    { numRuns: 1000 },
  )
})

const accepted: readonly [line: string, key: string | null | undefined, value: string | null][] = [
  ['{"value":"v"}', undefined, 'v'],
  [' { "value" : "v" } ', undefined, 'v'],
  ['{"value":null}', undefined, null],
  ['{"key":null,"value":""}', null, ''],
  ['{"key":"","value":"null"}', '', 'null'],
  ['{"value":1e3}', undefined, '1e3'],
  ['{"value":-0.10}', undefined, '-0.10'],
  ['{"value":12345678901234567890}', undefined, '12345678901234567890'],
  ['{"value":true,"key":false}', 'false', 'true'],
  ['{"value":{"b": 1, "a":[1 ,2]} }', undefined, '{"b": 1, "a":[1 ,2]}'],
  ['{"value":[]}', undefined, '[]'],
  ['{"value":{"a":"}]\\"{"},"key":[ "]" ]}', '[ "]" ]', '{"a":"}]\\"{"}'],
  ['{"value":{"a":"\\ud800"}}', undefined, '{"a":"\\ud800"}'],
  ['{"value":"\\ud83c\\udf89"}', undefined, '🎉'],
  ['{"value":"\\u0000\\n\\/"}', undefined, '\0\n/'],
  ['{"\\u0076alue":"v"}', undefined, 'v'],
  ['{"value":"aGk=","valueEncoding":"base64"}', undefined, 'hi'],
  ['{"value":"","valueEncoding":"base64"}', undefined, ''],
  ['{"topic":"other","offset":"ignored","value":"v"}', undefined, 'v'],
  ['{"topic":null,"offset":null,"partition":null,"timestamp":null,"value":"v"}', undefined, 'v'],
]

for (const [line, key, value] of accepted) {
  test(`parseJsonRecord() accepts ${line}`, (t) => {
    const parsed = parse(line)
    t.deepEqual(text(parsed.record.value), value)
    t.deepEqual(text(parsed.record.key), key)
    t.is(parsed.record.timestampMs, undefined)
    t.is(parsed.partition, undefined)
  })
}

test('parseJsonRecord() keeps timestamp and partition', (t) => {
  t.is(parse('{"value":"","timestamp":5}').record.timestampMs, 5)
  t.is(parse('{"value":"","timestamp":-1}').record.timestampMs, -1)
  t.is(parse('{"value":"","timestamp":"5"}').record.timestampMs, 5)
  t.is(parse('{"value":"","timestamp":9007199254740991}').record.timestampMs, Number.MAX_SAFE_INTEGER)
  t.is(parse('{"value":"","partition":7}').partition, 7)
})

test('parseJsonRecord() takes headers as an array or an object, in their order', (t) => {
  const expected = plain([
    { key: 'z', value: Buffer.from('1') },
    { key: 'a', value: null },
    { key: 'm', value: Buffer.from('{"x": 1}') },
  ])
  t.deepEqual(plain(parse('{"value":"","headers":{"z":"1","a":null,"m":{"x": 1}}}').record.headers), expected)
  const array = '[{"key":"z","value":"1"},{"value":null,"key":"a"},{"key":"m","value":"eyJ4IjogMX0=","valueEncoding":"base64"}]'
  t.deepEqual(plain(parse(`{"value":"","headers":${array}}`).record.headers), expected)
  t.deepEqual(parse('{"value":"","headers":[]}').record.headers, [])
  t.deepEqual(parse('{"value":"","headers":{}}').record.headers, [])
  const duplicates = parse('{"value":"","headers":[{"key":"7","value":"a"},{"key":"7","value":"b"}]}').record.headers
  t.deepEqual(
    duplicates?.map(({ value }) => text(value)),
    ['a', 'b'],
  )
})

const refused: readonly [line: string, message: RegExp, hint?: RegExp][] = [
  ['', /^not a JSON object: it ends too early$/, /leave out '-J'/],
  ['just text', /^not a JSON object: unexpected 'j' at character 1$/],
  ['"text"', /^not a JSON object/],
  ['[1]', /^not a JSON object/],
  ['null', /^not a JSON object/],
  ['{', /ends too early/],
  ['{"value":"v"', /ends too early/],
  ['{"value":"v"}}', /unexpected '}' at character 14/],
  ['{"value":"v"} x', /unexpected 'x'/],
  ['{"value":"v",}', /unexpected '}'/],
  ["{'value':'v'}", /unexpected '''/],
  ['{value:"v"}', /unexpected 'v'/],
  ['{"value" "v"}', /unexpected '"'/],
  ['{"value":}', /unexpected '}'/],
  ['{"value":01}', /what begins at character 10 is not valid/],
  ['{"value":NaN}', /not valid/],
  ['{"value":+1}', /not valid/],
  ['{"value":"a\u0001"}', /not valid/],
  ['{"value":"\\x41"}', /not valid/],
  ['{"value":"v}', /ends too early/],
  ['{"value":[1,}', /ends too early|not valid/],
  ['{"value":{"a":1]}', /ends too early|not valid/],
  ['{"value":[1}]}', /not valid|unexpected/],
  ['\ufeff{"value":"v"}', /not a JSON object/],
  ['{}', /^the field 'value' is missing$/, /tombstone/],
  ['{"key":"k"}', /^the field 'value' is missing$/],
  [
    '{"valueBytes":3}',
    /^'valueBytes' stands in place of the value: the record was printed with --no-value$/,
    /without '--no-value'$/,
  ],
  ['{"value":"","headers":[{"valueBytes":3}]}', /^unknown field 'valueBytes'$/],
  ['{"value":"","vlaue":""}', /^unknown field 'vlaue'$/, /did you mean 'value'\?/],
  ['{"level":"info","msg":"x"}', /^unknown field 'level'$/, /leave out '-J'/],
  ['{"__proto__":1,"value":""}', /^unknown field '__proto__'$/],
  ['{"value":"a","value":"b"}', /^the field 'value' is given twice$/],
  ['{"value":"a","\\u0076alue":"b"}', /^the field 'value' is given twice$/],
  ['{"value":"\\ud800"}', /^'value' has a lone surrogate$/],
  ['{"value":"","key":"\\udc00x"}', /^'key' has a lone surrogate$/],
  ['{"value":"","headers":{"\\ud800":"x"}}', /lone surrogate/],
  ['{"value":"","headers":[{"key":"\\ud800","value":"x"}]}', /lone surrogate/],
  ['{"value":"a","valueEncoding":"hex"}', /^the encoding of 'value' is "hex"$/],
  ['{"value":"a","valueEncoding":null}', /^the encoding of 'value' is null$/],
  ['{"value":"a","valueEncoding":"base64"}', /^'value' is not base64$/],
  ['{"value":"aGk","valueEncoding":"base64"}', /^'value' is not base64$/],
  ['{"value":"aGl=","valueEncoding":"base64"}', /^'value' is not base64$/],
  ['{"value":"aG k=","valueEncoding":"base64"}', /^'value' is not base64$/],
  ['{"value":"_-8=","valueEncoding":"base64"}', /^'value' is not base64$/],
  ['{"value":null,"valueEncoding":"base64"}', /^'value' is not base64$/],
  ['{"value":"","keyEncoding":"base64"}', /^'keyEncoding' without 'key'$/],
  ['{"value":"","timestamp":1.5}', /^invalid timestamp 1\.5$/],
  ['{"value":"","timestamp":-2}', /^invalid timestamp -2$/],
  ['{"value":"","timestamp":1e3}', /^invalid timestamp 1e3$/],
  ['{"value":"","timestamp":"now"}', /^invalid timestamp "now"$/],
  ['{"value":"","timestamp":9007199254740992}', /beyond 2\^53-1/],
  ['{"value":"","timestampType":"Other"}', /^invalid timestampType "Other"$/],
  ['{"value":"","partition":-1}', /^invalid partition -1$/],
  ['{"value":"","partition":"1"}', /^invalid partition "1"$/],
  ['{"value":"","partition":2147483648}', /^invalid partition/],
  ['{"value":"","headers":null}', /^'headers' is neither an array nor an object$/],
  ['{"value":"","headers":"a=1"}', /^'headers' is neither/],
  ['{"value":"","headers":["a"]}', /^an element of 'headers' is not an object$/],
  ['{"value":"","headers":[{"key":1,"value":"a"}]}', /^a header has no 'key' that is a string$/],
  ['{"value":"","headers":[{"value":"a"}]}', /^a header has no 'key'/],
  ['{"value":"","headers":[{"key":"a"}]}', /^the header 'a' has no 'value'$/],
  ['{"value":"","headers":[{"key":"a","value":"b","extra":1}]}', /^unknown field 'extra'$/],
  ['{"value":"","headers":{"7":"a"}}', /^the header name '7' looks like an integer/, /array/],
  ['{"value":"","headers":{"-1":"a"}}', /looks like an integer/],
  ['{"value":"","headers":{"a":"1","a":"2"}}', /^the header 'a' is given twice in an object$/, /array/],
]

for (const [line, message, hint] of refused) {
  test(`parseJsonRecord() refuses ${JSON.stringify(line)}`, (t) => {
    const error = t.throws(() => parse(line))
    t.true(isLogqError(error, 'LOGQ_INVALID_RECORD'), String(error))
    t.regex(error.message, message)
    if (hint !== undefined && isLogqError(error)) t.regex(error.hint ?? '', hint)
  })
}

test('parseJsonRecord() refuses bytes that are not UTF-8', (t) => {
  const error = t.throws(() => parseJsonRecord(Uint8Array.of(0x7b, 0xff, 0x7d)))
  t.is(error.message, 'not valid UTF-8')
})

test('parseJsonRecord() takes deep nesting and long strings without running out of stack', (t) => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  t.is(parse(`{"value":${deep}}`).record.value?.length, deep.length)
  const long = 'a\\"'.repeat(1_000_000)
  t.is(parse(`{"value":"${long}"}`).record.value?.length, 2_000_000)
})

test('parseJsonRecord() judges whole lines as JSON.parse does', (t) => {
  fc.assert(
    fc.property(fc.json(), fc.nat(200), fc.string({ unit: 'binary-ascii', maxLength: 1 }), (json, at, edit) => {
      const damaged = json.slice(0, at) + edit + json.slice(at)
      const line = `{"value":${damaged}}`
      // Only what stays one value can be compared: an edit may add fields.
      const judged = isJson(`[${damaged}]`) && isJson(damaged)
      try {
        parse(line)
        return judged
      } catch (error) {
        return !judged || (error instanceof Error && /lone surrogate/.test(error.message))
      }
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function text(bytes: Uint8Array | null | undefined): string | null | undefined {
  return bytes === null || bytes === undefined ? bytes : Buffer.from(bytes).toString('utf8')
}
