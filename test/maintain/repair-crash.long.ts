import test from 'ava'
import { crashRepairs, damageNames } from './repair-crash.js'

for (const name of damageNames) {
  test(`a repair of ${name} may die before any change of the disk: the next one does the rest, and leaves no more behind`, async (t) => {
    const { deaths, behind } = await crashRepairs(name)
    t.true(deaths > 10, `${deaths} deaths`)
    t.true(behind.size > 3, [...behind.keys()].join(' '))
  })
}
