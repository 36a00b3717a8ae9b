/**
 * The calls of every command fail one after the other, for real: status, message, nothing lost, and work that goes on. One call fails
 * in a run; the errors that it can have are taken in turn. Of opens, reads and long rows of writes an even choice is tried. Then the
 * same with devices that are full, or dead, from a call on; an even choice, and FAULTS=all for every one.
 */
import test from 'ava'
import { straceMissing } from '../helpers/crash-points.js'
import { everyCall, type Mode } from './every-call.js'
import { lastingRows, rows, type Row } from './rows.js'

const missing = straceMissing()

function matrix(row: Row, title: string, mode: Mode): void {
  test.serial(title, async (t) => {
    if (missing !== undefined) {
      t.log(`left out: ${missing}`)
      t.pass()
      return
    }
    t.timeout(1_200_000)
    const { tried, callCount, problems } = await everyCall(t, row, mode)
    t.log(`${tried} faults, of ${callCount} calls`)
    t.deepEqual(problems, [])
    t.true(tried > 3)
  })
}

for (const row of rows) matrix(row, `${row.name}: each call fails in turn`, 'each call fails')
for (const row of lastingRows)
  matrix(row, `${row.name}: the device is full, or dead, from a call on`, 'all calls fail from one on')
