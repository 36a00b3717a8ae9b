import test from 'ava'
import { editDistance, nearest } from '../../cli/suggest.js'

test('editDistance() counts insertions, deletions, replacements and swaps', (t) => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['a', '', 1],
    ['cat', 'cat', 0],
    ['cat', 'cut', 1],
    ['cat', 'act', 1],
    ['produce', 'prduce', 1],
    ['produce', 'porduce', 1],
    ['topic', 'tpoci', 2],
    ['abc', 'cba', 2],
  ]
  for (const [a, b, distance] of cases) t.is(editDistance(a, b), distance, `${a} ${b}`)
})

test('nearest() gives the candidate that was meant, or none', (t) => {
  const commands = ['produce', 'cat', 'tail', 'topic', 'fsck', 'digest']
  const cases: [string, string | undefined][] = [
    ['prodcue', 'produce'],
    ['prod', 'produce'],
    ['cta', 'cat'],
    ['tial', 'tail'],
    ['topics', 'topic'],
    ['x', undefined],
    ['consume', undefined],
    ['', undefined],
  ]
  for (const [typed, meant] of cases) t.is(nearest(typed, commands), meant, typed)
})
