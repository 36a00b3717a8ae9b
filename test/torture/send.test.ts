/** What is known of values after a run of `produce`, from its exit status and from what it says. */
import test from 'ava'
import { outcomesOf } from './clients/send.js'

const values = ['a-2', 'a-3', 'a-4', 'a-5']
const end = (status: number | null, stderr = '') => ({ status, signal: status === null ? ('SIGKILL' as const) : null, stderr })

test('exit status 0: everything is written', (t) => {
  t.deepEqual(outcomesOf(end(0), 2, values), [{ type: 'ok', values }])
  t.deepEqual(outcomesOf(end(0), 6, []), [])
})

test('a signal, or a failure of which nothing is said: nobody knows', (t) => {
  t.deepEqual(outcomesOf(end(null), 2, values), [{ type: 'info', values }])
  t.deepEqual(outcomesOf(end(1, 'logq produce: cannot sync'), 2, values), [{ type: 'info', values }])
})

test('what may have been written is not taken for what was not', (t) => {
  for (const words of ['on may not have been written; 3', 'on were not written, others may be lost; 3']) {
    t.deepEqual(outcomesOf(end(1, `records from line 4 of 'stdin' ${words} records were appended before`), 2, values), [
      { type: 'info', values },
    ])
  }
})

test('from the line on that is named, nothing was written; of what is before it nobody knows', (t) => {
  const said = "logq produce: records from line 4 of 'stdin' on were not written; 3 records were appended before"
  t.deepEqual(outcomesOf(end(1, said), 2, values), [
    { type: 'info', values: ['a-2'] },
    { type: 'fail', values: ['a-3', 'a-4', 'a-5'] },
  ])
})

test('records of several partitions: only what follows the last line is known', (t) => {
  const said =
    "2 records from line 3 of 'stdin' on were not written, nor what follows line 5 of 'stdin'; 3 records were appended before"
  t.deepEqual(outcomesOf(end(1, said), 2, values), [
    { type: 'info', values: ['a-2', 'a-3', 'a-4'] },
    { type: 'fail', values: ['a-5'] },
  ])
})

test('an expectation that does not hold: nothing was written', (t) => {
  t.deepEqual(outcomesOf(end(6), 0, values), [{ type: 'fail', values }])
})
