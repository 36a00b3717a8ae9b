/** What holds for the printers of all formats: large records, many headers, values that are not wanted. */
import test from 'ava'
import { parseOutputFormat } from '../../../cli/print/format.js'
import type { PrintedRecord, PrinterOptions } from '../../../cli/print/printer.js'
import { recordPrinter } from '../../../cli/print/record-printer.js'
import { GrowableBytes } from '../../../lib/bytes/growable-bytes.js'
import { isLogqError } from '../../../lib/errors.js'
import { MAX_TEXT_BYTES } from '../../../lib/record/expression.js'
import type { Header } from '../../../lib/record/record.js'
import { plainOptions, record } from './records.js'

function print(format: string, fields: Partial<PrintedRecord>, options: Partial<PrinterOptions> = {}, before = ''): string {
  const parsed = parseOutputFormat(format)
  if (parsed.kind === 'batch') throw new Error('no printer')
  const out = new GrowableBytes()
  out.append(Buffer.from(before))
  try {
    recordPrinter(parsed, { ...plainOptions, ...options }).print('orders', 3, record(fields), out)
  } catch (error) {
    return `${isLogqError(error, 'LOGQ_RECORD_TOO_LARGE') ? error.message : String(error)}${Buffer.from(out.view()).toString()}`
  }
  return Buffer.from(out.view()).toString()
}

/** Not written to, so that no memory stands behind it. */
const large = new Uint8Array(MAX_TEXT_BYTES + 1)

const tooLarge: readonly [format: string, fields: Partial<PrintedRecord>, message: string][] = [
  ['json', { value: large }, "the record 'orders:3@42' is too large for JSON"],
  ['json', { key: large }, "the record 'orders:3@42' is too large for JSON"],
  ['tsv', { value: large }, "the record 'orders:3@42' is too large for tsv"],
  ['%v', { value: large }, "the record 'orders:3@42' is too large for a template"],
  ['%v{hex}', { value: large }, "the record 'orders:3@42' is too large for a template"],
  ['%k', { key: large }, "the record 'orders:3@42' is too large for a template"],
]

for (const [format, fields, message] of tooLarge) {
  test(`a record above 256 MiB is named, and nothing of it printed: ${format} of ${Object.keys(fields).join()}`, (t) => {
    t.is(print(format, fields, {}, '|before'), `${message}|before`)
  })
}

test('a record above 256 MiB is printed where what is large is not', (t) => {
  const bytes = large.length
  t.is(print('%o %V\\n', { value: large }), `42 ${bytes}\n`)
  t.is(print('tsv', { value: large }, { withoutValue: true }), `orders\t3\t42\t1700000000123\tk\t${bytes}\t\n`)
  t.regex(print('json', { value: large }, { withoutValue: true }), new RegExp(`"valueBytes":${bytes},`))
})

test('with --no-value nothing of a value is read but its length', (t) => {
  const touched: unknown[] = []
  const value = new Proxy(Buffer.from('secret'), {
    get(target, name) {
      if (name === 'length') return target.length
      touched.push(name)
      return Reflect.get(target, name, target) as unknown
    },
  })
  for (const format of ['json', 'tsv', '%k %V\\n']) {
    t.regex(print(format, { value }, { withoutValue: true }), /\b6\b/)
    t.deepEqual(touched, [], format)
  }
  // The same with values does touch them: the count can fail.
  print('json', { value })
  t.true(touched.length > 0)
})

test('large texts are the same as small ones: JSON, base64 and hexadecimal across pieces', (t) => {
  const text = '"€\n'.repeat(600_000)
  t.is((JSON.parse(print('json', { value: Buffer.from(text) })) as Record<string, unknown>)['value'], text)
  const binary = Buffer.alloc(2_000_001, 0xff)
  const parsed = JSON.parse(print('json', { value: binary })) as Record<string, unknown>
  t.is(parsed['valueEncoding'], 'base64')
  t.true(Buffer.from(String(parsed['value']), 'base64').equals(binary))
  t.is(print('%v{base64}', { value: binary }), binary.toString('base64'))
  t.is(print('%v{hex}', { value: binary }), binary.toString('hex'))
})

test('100,000 headers are printed one by one, in every format that has them', (t) => {
  const count = 100_000
  let given = 0
  function* headers(): Generator<Header> {
    for (; given < count; given += 1) yield { key: `h${given}`, value: given % 2 === 0 ? Buffer.from(String(given)) : null }
  }
  for (const [format, last] of [
    ['json', '{"key":"h99999","value":null}]}\n'],
    ['tsv', ',h99998=99998,h99999=\\N\n'],
    ['%h\\n', ',h99998=99998,h99999\n'],
  ] as const) {
    given = 0
    const text = print(format, { headers: headers() })
    t.true(text.endsWith(last), format)
    t.is(given, count)
  }
})

/** Larger than a piece, which is 768 KiB: what stands where two of them meet is told by `middle`. */
function acrossPieces(middle: string): Buffer {
  const pieceBytes = 768 << 10
  const bytes = Buffer.alloc(2 * pieceBytes + 100, 'a')
  bytes.write(middle, pieceBytes - 1, 'latin1')
  return bytes
}

for (const format of ['json', 'tsv']) {
  for (const [what, value] of [
    ['text', acrossPieces('xy')],
    ['a NUL before a digit', acrossPieces('\u00001')],
    ['control bytes', Buffer.alloc(2_000_000)],
    ['a cut character', acrossPieces(Buffer.from('ä€', 'utf8').toString('latin1'))],
    ['bytes that are no text', acrossPieces('\xff\xfe')],
    ['empty', Buffer.alloc(0)],
  ] as const) {
    test(`a value printed in parts is the same text as printed at once: ${format}, ${what}`, (t) => {
      const fields = { value, headers: [{ key: 'h', value: Buffer.from('1') }] }
      const parsed = parseOutputFormat(format)
      if (parsed.kind === 'batch') throw new Error('no printer')
      const parts = recordPrinter(parsed, plainOptions).printInParts?.('orders', 3, record(fields)) ?? []
      const text: string[] = []
      for (const part of parts) {
        t.true(part.length <= 6 << 20)
        text.push(Buffer.from(part).toString('latin1'))
      }
      t.true(Buffer.from(text.join(''), 'latin1').equals(Buffer.from(print(format, fields))))
      if (value.length > 0) t.true(text.length > 2)
    })
  }
}

test('tsv takes a NUL before a digit for what it is, also where two pieces of a large value meet', (t) => {
  t.true(print('tsv', { value: acrossPieces('\u00001') }).includes('a\\x001a'))
  t.true(print('tsv', { value: acrossPieces('\u0000x') }).includes('a\\0xa'))
})
