import test from 'ava'
import { crashRepairs } from './repair-crash.js'

/** repair-crash.long.ts has all of them. */
for (const name of [
  'a damaged batch in a closed segment',
  'a copy of a segment under another name',
  'a missing last segment',
] as const) {
  test(`a repair of ${name} may die before any change of the disk: the next one does the rest, and leaves no more behind`, async (t) => {
    const { deaths, behind } = await crashRepairs(name)
    t.true(deaths > 10, `${deaths} deaths`)
    t.true(behind.size > 3, [...behind.keys()].join(' '))
  })
}
