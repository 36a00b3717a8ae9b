import test from 'ava'
import { twoColumns, wrap } from '../../cli/text.js'

test('wrap() breaks at spaces and leaves a long word alone', (t) => {
  t.deepEqual(wrap('a bb ccc', 4), ['a bb', 'ccc'])
  t.deepEqual(wrap('toolongword a', 4), ['toolongword', 'a'])
  t.deepEqual(wrap('', 4), [''])
})

test('twoColumns() aligns meanings and puts them under a long term', (t) => {
  t.deepEqual(
    twoColumns(
      [
        ['-a', 'one two three'],
        ['--a-very-long-option-name WITH-A-VALUE', 'four'],
      ],
      40,
    ),
    [
      '  -a                          one two',
      '                              three',
      '  --a-very-long-option-name WITH-A-VALUE',
      '                              four',
    ],
  )
  t.deepEqual(twoColumns([]), [])
})
