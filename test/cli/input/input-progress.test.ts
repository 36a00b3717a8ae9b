import test from 'ava'
import { InputProgress } from '../../../cli/input/input-progress.js'

test('an item is named by the input it came from and its line there', (t) => {
  const progress = new InputProgress('line')
  progress.begin('a')
  progress.itemCount = 2
  progress.begin('empty')
  progress.begin('b')
  progress.itemCount = 5
  t.is(progress.label(1), 'a: line 1')
  t.is(progress.label(2), 'a: line 2')
  t.is(progress.label(3), 'b: line 1')
  t.is(progress.place(5), "line 3 of 'b'")
  t.is(new InputProgress('batch').label(4), 'input: batch 4')
})
