/**
 * Commands of several steps, killed before each system call that changes something, twice in a row; then the next command does the rest,
 * without help. An even choice of the calls; FAULTS=all for every one. Appends, rolls, recovery and changes of topics: crash-strace.
 */
import test from 'ava'
import { everyCall } from '../faults/every-call.js'
import { killedRows } from '../faults/rows.js'
import { straceMissing } from '../helpers/crash-points.js'

const missing = straceMissing()

for (const row of killedRows) {
  test.serial(`${row.name}, killed before each change, twice in a row: the next command does the rest`, async (t) => {
    if (missing !== undefined) {
      t.log(`left out: ${missing}`)
      t.pass()
      return
    }
    t.timeout(1_200_000)
    const { tried, callCount, problems } = await everyCall(t, row, 'killed before a call')
    t.log(`${tried} kills, of ${callCount} calls`)
    t.deepEqual(problems, [])
    t.true(tried > 5)
  })
}
