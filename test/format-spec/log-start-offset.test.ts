import test from 'ava'
import { formatLogStartOffset, parseLogStartOffset } from '../../lib/log/log-start-offset.js'
import { readTextExamples } from './text-examples.js'

for (const { text, expected } of readTextExamples('log-start-offset.md')) {
  const { logStartOffset } = expected as { readonly logStartOffset: number }

  test('log-start-offset.md: the text is read as what the page says', (t) => {
    t.is(parseLogStartOffset(Buffer.from(text)), logStartOffset)
  })

  test('log-start-offset.md: what the page says is written as the text', (t) => {
    t.is(Buffer.from(formatLogStartOffset(logStartOffset)).toString(), text)
  })

  test('log-start-offset.md: the text with any character changed is refused', (t) => {
    for (let n = 0; n < text.length; n += 1) {
      const other = text[n] === '1' ? '2' : '1'
      t.is(parseLogStartOffset(Buffer.from(text.slice(0, n) + other + text.slice(n + 1))), undefined)
      t.is(parseLogStartOffset(Buffer.from(text.slice(0, n))), undefined)
    }
  })
}
