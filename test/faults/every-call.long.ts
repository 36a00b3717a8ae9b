/**
 * The calls of every command fail one after the other, for real: status, message, nothing lost, and work that goes on. One call fails
 * in a run; the errors that it can have are taken in turn. Of opens, reads and long rows of writes an even choice is tried.
 */
import test from 'ava'
import { straceMissing } from '../helpers/crash-points.js'
import { everyCall, rows } from './every-call.js'

const missing = straceMissing()

for (const row of rows) {
  test.serial(`${row.name}: each call fails in turn`, async (t) => {
    if (missing !== undefined) {
      t.log(`left out: ${missing}`)
      t.pass()
      return
    }
    t.timeout(1_200_000)
    const { tried, callCount, problems } = await everyCall(t, row)
    t.log(`${tried} faults, of ${callCount} calls`)
    t.deepEqual(problems, [])
    t.true(tried > 3)
  })
}
