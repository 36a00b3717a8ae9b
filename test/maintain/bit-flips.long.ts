import test from 'ava'
import { ROLLING, THREE, everyFlip, prepare } from './flip-segment.js'

test('a repair after the flip of any bit of a synced segment loses that batch at most', async (t) => {
  t.true((await everyFlip(await prepare(), 0, () => true)) > 1000)
})

test('a repair after the flip of any bit of a closed segment loses that batch at most', async (t) => {
  t.true((await everyFlip(await prepare(ROLLING, [...THREE, ['f'], ['g']]), 0, () => true)) > 1000)
})
