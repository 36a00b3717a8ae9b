import test from 'ava'
import fc from 'fast-check'
import { parseInputTemplate } from '../../../cli/print/input-template.js'
import { templatePrinter } from '../../../cli/print/output-template.js'
import { parseTemplate } from '../../../cli/print/template.js'
import { isLogqError } from '../../../lib/errors.js'
import { plain, plainOptions, printed, record } from './records.js'

function parse(template: string, item: string, nullText?: string): unknown {
  const compiled = parseInputTemplate(template)
  return plain(compiled.parse(Buffer.from(item, 'utf8'), nullText === undefined ? undefined : Buffer.from(nullText)))
}

function b(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

const accepted: readonly [template: string, delimiter: string | undefined, item: string, record: object, partition?: number][] =
  [
    ['%v', undefined, 'a b', { value: b('a b') }],
    ['%v\\n', '\n', 'a b', { value: b('a b') }],
    ['%s\\n', '\n', '', { value: b('') }],
    ['%k\\t%v\\n', '\n', 'k\tv', { key: b('k'), value: b('v') }],
    ['%k\\t%v\\n', '\n', '\t', { key: b(''), value: b('') }],
    ['%k\\t%v\\n', '\n', 'k\tv\tw', { key: b('k'), value: b('v\tw') }],
    ['%v --- %k\\0', '\0', 'v --- k', { key: b('k'), value: b('v') }],
    ['%v --- %k\\0', '\0', 'v - --- k', { key: b('k'), value: b('v -') }],
    ['key=%k value=%v', undefined, 'key=a value=b', { key: b('a'), value: b('b') }],
    ['%%%v', undefined, '%x', { value: b('x') }],
    ['%p %T %k %v\\n', '\n', '3 -1 k v', { key: b('k'), value: b('v'), timestampMs: -1 }, 3],
    ['%T{iso} %v\\n', '\n', '2023-11-14T22:13:20.123Z v', { value: b('v'), timestampMs: 1_700_000_000_123 }],
    ['%T{iso} %v\\n', '\n', '-1 v', { value: b('v'), timestampMs: -1 }],
    ['%v{base64} %k{hex}\\n', '\n', 'aGk= ff', { key: Uint8Array.of(255), value: b('hi') }],
    ['%h\\t%v', undefined, '\tv', { value: b('v'), headers: [] }],
    [
      '%h\\t%v',
      undefined,
      'a=1,b,a=x=y,c=\tv',
      {
        value: b('v'),
        headers: [
          { key: 'a', value: b('1') },
          { key: 'b', value: null },
          { key: 'a', value: b('x=y') },
          { key: 'c', value: b('') },
        ],
      },
    ],
  ]

for (const [template, delimiter, item, fields, partition] of accepted) {
  test(`parseInputTemplate() reads ${JSON.stringify(item)} by '${template}'`, (t) => {
    const compiled = parseInputTemplate(template)
    t.deepEqual(plain(compiled.delimiter), plain(delimiter === undefined ? undefined : b(delimiter)))
    t.deepEqual(parse(template, item), plain({ record: fields, partition }))
  })
}

test('parseInputTemplate() makes null of the text of --null, for keys and values only', (t) => {
  t.deepEqual(parse('%k\\t%v', '\\N\t\\N', '\\N'), { record: { key: null, value: null }, partition: undefined })
  t.deepEqual(parse('%k\\t%v', '\t', ''), { record: { key: null, value: null }, partition: undefined })
  t.deepEqual(parse('%k\\t%v', '\t'), plain({ record: { key: b(''), value: b('') }, partition: undefined }))
})

const badItems: readonly [template: string, item: string, message: RegExp][] = [
  ['%k\\t%v\\n', 'no tab', /^no '\\t' after %k$/],
  ['key=%k %v', 'kex=a b', /^does not begin with 'key='$/],
  ['key=%k %v', 'ke', /^does not begin with 'key='$/],
  ['%T %v', 'soon v', /^'soon' for %T is not a timestamp$/],
  ['%T %v', '1.5 v', /not a timestamp/],
  ['%T %v', '-2 v', /not a timestamp/],
  ['%T %v', ' v', /not a timestamp/],
  ['%T %v', '9007199254740992 v', /not a timestamp/],
  ['%T{iso} %v', '2023-11-14 v', /not a timestamp/],
  ['%T{iso} %v', '2023-02-30T00:00:00Z v', /not a timestamp/],
  ['%p %v', 'x v', /^'x' for %p is not a partition number$/],
  ['%p %v', '2147483648 v', /not a partition number/],
  ['%v{hex}', 'abc', /^what stands for %v\{hex\} is not hexadecimal$/],
  ['%v{base64}', 'a', /^what stands for %v\{base64\} is not base64$/],
]

for (const [template, item, message] of badItems) {
  test(`an input template '${template}' names what is wrong with '${item}'`, (t) => {
    const error = t.throws(() => parse(template, item))
    t.true(isLogqError(error, 'LOGQ_INVALID_RECORD'))
    t.regex(error.message, message)
  })
}

test('an input template refuses a header name that is not UTF-8', (t) => {
  const compiled = parseInputTemplate('%h\\t%v')
  t.throws(() => compiled.parse(Uint8Array.of(0xff, 0x09), undefined), { message: 'a header name is not valid UTF-8' })
})

const badTemplates: readonly [template: string, message: RegExp][] = [
  ['%k%v', /nothing separates %k from %v$/],
  ['%v{hex}%k\\n', /nothing separates %v\{hex\} from %k$/],
  ['%k\\n', /has no %v$/],
  ['\\n', /has no %v$/],
  ['%%', /has no %v$/],
  ['%t %v', /^'%t' is for output only$/],
  ['%o %v', /^'%o' is for output only$/],
  ['%K %v', /^'%K' is for output only$/],
  ['%v %V', /^'%V' is for output only$/],
  ['%v %s', /has %s twice$/],
  ['%k %k %v', /has %k twice$/],
  ['%v %q', /there is no '%q'$/],
]

for (const [template, message] of badTemplates) {
  test(`parseInputTemplate() refuses '${template}'`, (t) => {
    const error = t.throws(() => parseInputTemplate(template))
    t.true(isLogqError(error, 'LOGQ_USAGE'))
    t.regex(error.message, message)
  })
}

test('a template reads back what it printed when no field holds its separators', (t) => {
  const template = '%k{hex}|%v{base64}|%T|%p;'
  const compiled = parseInputTemplate(template)
  const printer = templatePrinter(parseTemplate(template), { ...plainOptions, nullText: b('null') })
  fc.assert(
    fc.property(
      fc.option(fc.uint8Array()),
      fc.option(fc.uint8Array()),
      fc.nat(),
      fc.nat(100),
      (key, value, timestampMs, partition) => {
        const text = printed((out) => {
          printer.print('t', partition, record({ key, value, timestampMs }), out)
        })
        const parsed = compiled.parse(b(text.slice(0, -1)), b('null'))
        t.deepEqual(plain(parsed), plain({ record: { value, key, timestampMs }, partition }))
      },
    ),
    { numRuns: 300 },
  )
})
