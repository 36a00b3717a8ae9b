import test from 'ava'
import { parseWorkedExamples, readWorkedExamples } from './worked-examples.js'

const page = `# Page

\`\`\`hex
00ff  # a comment with 12 34
01 0203
\`\`\`

\`\`\`json
{ "a": 1 }
\`\`\`

## Second

\`\`\`sh
# not a heading of an example
\`\`\`

\`\`\`hex
aa
\`\`\`
`

test('parseWorkedExamples() gives bytes, heading and the JSON that follows', (t) => {
  t.deepEqual(parseWorkedExamples(page), [
    { title: 'Page', bytes: Uint8Array.of(0, 255, 1, 2, 3), expected: { a: 1 } },
    { title: 'Second', bytes: Uint8Array.of(0xaa), expected: undefined },
  ])
})

test('parseWorkedExamples() refuses what is not whole bytes', (t) => {
  t.throws(() => parseWorkedExamples('```hex\n0\n```\n'))
  t.throws(() => parseWorkedExamples('```hex\nxy\n```\n'))
})

test('readWorkedExamples() refuses a page that has none', (t) => {
  t.throws(() => readWorkedExamples('no-such-page.md'))
  t.true(readWorkedExamples('record-batch.md').length > 0)
})
