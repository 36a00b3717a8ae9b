import test from 'ava'
import fc from 'fast-check'
import { JsonObjectSplitter } from '../../../cli/import/json-objects.js'
import { idlePace, inputInPieces } from './pieces.js'

interface Given {
  readonly sizes?: readonly number[]
  readonly limitBytes?: number
}

/** Every object as `line: text`, or `line! what is wrong`. */
async function read(text: string, { sizes, limitBytes = 1 << 20 }: Given = {}): Promise<string[]> {
  const splitter = new JsonObjectSplitter(inputInPieces(Buffer.from(text, 'latin1'), sizes), () => limitBytes, idlePace)
  const read: string[] = []
  for (let found = await splitter.next(); found !== undefined; found = await splitter.next())
    read.push(
      found.kind === 'bad' ? `${found.line}! ${found.error.message}` : `${found.line}: ${found.bytes.toString('latin1')}`,
    )
  return read
}

const inString = 'the object is cut off: a line ends within a string'
const byNext = 'the object is cut off: the next one begins before it ends'
const byEnd = 'the object is cut off: the input ends before it does'

const byArrayEnd = 'the array that begins here is cut off: the input ends before it does'

const inputs: readonly (readonly [title: string, text: string, objects: readonly string[], given?: Given])[] = [
  ['nothing', '', []],
  ['white space', ' \n\r\n\t', []],
  ['one a line', '{"a":1}\n{"b":2}\n', ['1: {"a":1}', '2: {"b":2}']],
  ['no line ends', '{"a":1}{"b":2}{}', ['1: {"a":1}', '1: {"b":2}', '1: {}']],
  ['CRLF, byte order mark', '\xef\xbb\xbf{"a":1}\r\n{}\r\n', ['1: {"a":1}', '2: {}']],
  ['several lines each', '{\n  "a": {\n    "b": []\n  }\n}\n{\n}\n', ['1: {\n  "a": {\n    "b": []\n  }\n}', '6: {\n}']],
  ['an array', '[{"a":1},\n{"b":2}\n]\n', ['1: {"a":1}', '2: {"b":2}']],
  ['arrays, one in another', '[]\n[[{"a":1}],{"b":2}]\n]{}', ['2: {"a":1}', '2: {"b":2}', '3: {}']],
  ['an array cut off behind an object', '[]\n[{"a":1},\n', ['2: {"a":1}', `2! ${byArrayEnd}`]],
  ['an array cut off at its begin', '{}\n[', ['1: {}', `2! ${byArrayEnd}`]],
  ['an array cut off in an object', '[{}, {"a":', ['1: {}', `1! ${byEnd}`]],
  ['an array of something else', '[1]\n{}', ["1! '1]' is no JSON object", '2: {}']],
  ['brackets and quotes in strings', '{"a":"}{\\"[\\\\"}\n{}', ['1: {"a":"}{\\"[\\\\"}', '2: {}']],
  ['bytes that are not UTF-8', '{"a":"\xff\xfe"}', ['1: {"a":"\xff\xfe"}']],
  ['cut off in a string', '{"a":"bc\n{"b":2}\n', [`1! ${inString}`, '2: {"b":2}']],
  ['cut off behind a comma', '{"a":1,\n{"b":2}\n', [`1! ${byNext}`, '2: {"b":2}']],
  ['cut off on several lines', '{\n  "a": 1,\n{\n  "b": 2\n}', [`1! ${byNext}`, '3: {\n  "b": 2\n}']],
  ['cut off at the end', '{}\n{"a":', ['1: {}', `2! ${byEnd}`]],
  ['cut off at the end, in a string', '{}\n{"a":"b', ['1: {}', `2! ${byEnd}`]],
  [
    'other lines',
    '% end of topic [0]\n{}\n# x {"a":1}\n',
    ["1! '% end of topic [0]' is no JSON object", '2: {}', "3! '# x' is no JSON object", '3: {"a":1}'],
  ],
  ['the rest of an object', 'load":"x{y"}\n{}\n', [`1! 'load":"x{y"}' is no JSON object`, '2: {}']],
  ['other values', '1 {"a":2} null', ["1! '1' is no JSON object", '1: {"a":2}', "1! 'null' is no JSON object"]],
  [
    'above the limit',
    `{}{"a":"${'x'.repeat(50)}"}{"b":1}\n`,
    ['1: {}', '1! the object has 58 bytes', '1: {"b":1}'],
    { limitBytes: 20, sizes: [6] },
  ],
]

test('objects one after the other, whole and cut off, wherever a read ends', async (t) => {
  for (const [title, text, objects, given] of inputs)
    for (const sizes of given?.sizes === undefined ? [[], [1], [2, 3], [5]] : [given.sizes])
      t.deepEqual(await read(text, { ...given, sizes }), objects, `${title}, in pieces of ${sizes.join()}`)
})

test('what JSON.stringify prints is found again, however it is laid out', async (t) => {
  const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 8 })
  const layout = fc.record({
    indent: fc.constantFrom(undefined, 1, 2, '\t'),
    between: fc.constantFrom('', '\n', '\r\n', ',', ' ,\n'),
  })
  await fc.assert(
    fc.asyncProperty(
      objects,
      layout,
      fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }),
      async (given, { indent, between }, sizes) => {
        const texts = given.map((object) => Buffer.from(JSON.stringify(object, undefined, indent)).toString('latin1'))
        const found = await read(texts.join(between), { sizes })
        t.deepEqual(
          found.map((one) => one.replace(/^\d+: /, '')),
          texts,
        )
      },
    ),
    { numRuns: 300 },
  )
})

test('an object of many bytes is passed over without being kept', async (t) => {
  const input = inputInPieces(Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(40 << 20, 'x'), Buffer.from('"}{}')]))
  const splitter = new JsonObjectSplitter(input, () => 1 << 16, idlePace)
  t.like(await splitter.next(), { kind: 'bad', line: 1 })
  t.true(input.buffer.length < 4 << 20)
  t.like(await splitter.next(), { kind: 'object', line: 1 })
})
