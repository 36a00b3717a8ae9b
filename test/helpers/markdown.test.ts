import test from 'ava'
import { fencesOf, tableBelow } from './markdown.js'

const page = `# Page

\`\`\`sh
# not a heading
\`\`\`

## Second

| a | b |
|---|---|
| \`x\` | 1 |
| y | 2 |

\`\`\`text
one
\`\`\`
`

test('fencesOf() gives language, text and the heading above', (t) => {
  t.deepEqual(fencesOf(page), [
    { title: 'Page', language: 'sh', text: '# not a heading\n' },
    { title: 'Second', language: 'text', text: 'one\n' },
  ])
})

test('tableBelow() gives the cells of the first table below a heading', (t) => {
  t.deepEqual(tableBelow(page, '## Second'), [
    ['x', '1'],
    ['y', '2'],
  ])
  t.throws(() => tableBelow(page, '## Third'))
})
