import test from 'ava'
import { parseEscapes, parseSeparator } from '../../../cli/values/delimiter.js'
import { isLogqError } from '../../../lib/errors.js'

test('parseEscapes() replaces \\n \\t \\0 \\\\ \\xNN and keeps the rest', (t) => {
  const cases: [text: string, bytes: number[]][] = [
    ['', []],
    ['ab', [0x61, 0x62]],
    ['\\n\\t\\0\\\\', [10, 9, 0, 92]],
    ['\\x00\\xfF\\x5c', [0, 255, 92]],
    ['\\\\n', [92, 110]],
    ['\\01', [0, 0x31]],
    ['%v', [0x25, 0x76]],
    ['ü', [0xc3, 0xbc]],
    ['a\\nb', [0x61, 10, 0x62]],
    ['\n', [10]],
  ]
  for (const [text, bytes] of cases) t.deepEqual([...parseEscapes(text)], bytes, text)
})

test('parseEscapes() refuses every other escape', (t) => {
  for (const text of ['\\', '\\r', '\\a', '\\u0041', '\\x', '\\x1', '\\xgg', '\\x 1', 'a\\', '\\N']) {
    const error = t.throws(() => parseEscapes(text), undefined, text)
    t.true(isLogqError(error, 'LOGQ_USAGE'))
    t.regex(error.message, /^invalid escape/)
  }
})

test('parseEscapes() refuses text whose bytes Node.js has already lost', (t) => {
  t.throws(() => parseEscapes('\ufffd'), { message: /not valid UTF-8/ })
})

test('parseSeparator() wants at least one byte', (t) => {
  t.throws(() => parseSeparator(''), { message: 'the separator is empty' })
  t.deepEqual([...parseSeparator('\\0')], [0])
})
