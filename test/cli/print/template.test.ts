import test from 'ava'
import { parseTemplate } from '../../../cli/print/template.js'
import { templatePrinter } from '../../../cli/print/output-template.js'
import type { PrintedRecord } from '../../../cli/print/printer.js'
import { isLogqError } from '../../../lib/errors.js'
import { plainOptions, printed, record } from './records.js'

function print(template: string, fields: Partial<PrintedRecord> = {}, nullText = ''): string {
  const printer = templatePrinter(parseTemplate(template), { ...plainOptions, nullText: Buffer.from(nullText) })
  return printed((out) => {
    printer.print('orders', 3, record(fields), out)
  })
}

const cases: readonly [template: string, text: string, fields?: Partial<PrintedRecord>][] = [
  ['%t', 'orders'],
  ['%p', '3'],
  ['%o', '42'],
  ['%k', 'k'],
  ['%v', 'v'],
  ['%s', 'v'],
  ['%T', '1700000000123'],
  ['%T{iso}', '2023-11-14T22:13:20.123Z'],
  ['%K', '1'],
  ['%V', '7', { value: Buffer.from('größe') }],
  ['%k=%v\\n', 'k=v\n'],
  ['%t-%p@%o\\t%v\\0', 'orders-3@42\tv\0'],
  ['%v{base64} %v{hex}', 'w7w= c3bc', { value: Buffer.from('ü') }],
  ['%k{base64} %k{hex}', '/w== ff', { key: Uint8Array.of(255) }],
  ['%s{hex}', '76'],
  ['%%%v%%', '%v%'],
  ['%%v', '%v'],
  ['\\\\ \\x41\\x7b}', '\\ A{}'],
  ['größe %v', 'größe v'],
  ['\\n', '\n'],
  ['%k%v', 'kv'],
  ['%h', ''],
  [
    '%h',
    'a=1,b,a=',
    {
      headers: [
        { key: 'a', value: Buffer.from('1') },
        { key: 'b', value: null },
        { key: 'a', value: new Uint8Array(0) },
      ],
    },
  ],
  ['[%k][%v][%K][%V][%k{hex}]', '[][][-1][-1][]', { key: null, value: null }],
  ['%T %T{iso}', '-1 -1', { timestampMs: -1 }],
  ['%T %T{iso}', '9223372036854775807 9223372036854775807', { timestampMs: 9_223_372_036_854_775_807n }],
  ['%T{iso}', '1970-01-01T00:00:00.000Z', { timestampMs: 0 }],
]

for (const [template, text, fields] of cases) {
  test(`templatePrinter() prints '${template}' as '${text.replaceAll('\n', '\\n').replaceAll('\0', '\\0')}'`, (t) => {
    t.is(print(template, fields), text)
  })
}

test('templatePrinter() prints bytes as they are', (t) => {
  const printer = templatePrinter(parseTemplate('%k%v\\xff'), { ...plainOptions, nullText: new Uint8Array(0) })
  t.is(
    printed((out) => {
      printer.print('t', 0, record({ key: Uint8Array.of(0xfe), value: Uint8Array.of(0) }), out)
      t.deepEqual([...out.view()], [0xfe, 0, 0xff])
    }).length > 0,
    true,
  )
})

test('templatePrinter() writes the text of --null for a null key or value, in every form', (t) => {
  t.is(print('%k|%v|%v{hex}|%V', { key: null, value: null }, '\\N'), '\\N|\\N|\\N|-1')
})

test('templatePrinter() passes records through the gate and the template around it', (t) => {
  const gate = (bytes: Uint8Array): Uint8Array => Buffer.from(`<${Buffer.from(bytes).toString()}>`)
  const printer = templatePrinter(parseTemplate('\\x1b[1m%t %k %v %h'), { ...plainOptions, nullText: new Uint8Array(0), gate })
  const text = printed((out) => {
    printer.print('t', 0, record({ headers: [{ key: 'a', value: null }] }), out)
  })
  t.is(text, '\x1b[1m<t> <k> <v> <a>')
})

const refused: readonly [template: string, message: RegExp][] = [
  ['%', /there is no '%'$/],
  ['%x', /there is no '%x'$/],
  ['%P', /there is no '%P'$/],
  ['% v', /there is no '% '$/],
  ['%{hex}', /there is no '%\{'$/],
  ['%v{', /there is no '%v\{'$/],
  ['%v{}', /there is no '%v\{\}'$/],
  ['%v{json}', /there is no '%v\{json\}'$/],
  ['%v{HEX}', /there is no '%v\{HEX\}'$/],
  ['%v{iso}', /there is no '%v\{iso\}'$/],
  ['%T{hex}', /there is no '%T\{hex\}'$/],
  ['%t{hex}', /there is no '%t\{hex\}'$/],
  ['%h{hex}', /there is no '%h\{hex\}'$/],
  ['\\r', /^invalid escape '\\r'$/],
  ['\\', /^invalid escape '\\'$/],
  ['\\x4', /^invalid escape '\\x4'$/],
  ['\\xg0', /^invalid escape '\\xg0'$/],
  ['\\N', /^invalid escape '\\N'$/],
  ['%v\\e', /^invalid escape '\\e'$/],
  ['a\ufffd%v', /not valid UTF-8/],
  ['%__proto__', /there is no '%_'$/],
]

for (const [template, message] of refused) {
  test(`parseTemplate() refuses '${template}'`, (t) => {
    const error = t.throws(() => parseTemplate(template))
    t.true(isLogqError(error, 'LOGQ_USAGE'))
    t.regex(error.message, message)
  })
}
