import test from 'ava'
import { spansOf, withoutMarkup } from '../../../cli/man/markup.js'

test('withoutMarkup() takes off ** and _ around words and leaves those inside names', (t) => {
  const cases: [string, string][] = [
    ['plain', 'plain'],
    ['**-s** _PATH_', '-s PATH'],
    ['$LOGQ_STORE and read_committed stay', '$LOGQ_STORE and read_committed stay'],
    ['[_POINT_]**:**[_POINT_]', '[POINT]:[POINT]'],
    ['**logq**(1), _two words_.', 'logq(1), two words.'],
    ['2 ** 3 _ 4', '2 ** 3 _ 4'],
  ]
  for (const [marked, text] of cases) t.is(withoutMarkup(marked), text)
})

test('spansOf() says what is bold and what italic', (t) => {
  t.deepEqual(spansOf('a **b** _c_'), [
    { style: 'plain', text: 'a ' },
    { style: 'bold', text: 'b' },
    { style: 'plain', text: ' ' },
    { style: 'italic', text: 'c' },
  ])
})
