/** Many rounds of kill.test.ts: a producer killed at random moments. */
import test from 'ava'
import { killRounds, killedWhile } from '../helpers/kill-rounds.js'

for (const [title, settings] of killedWhile) {
  test(`a producer killed at 60 random moments ${title} loses nothing that it acknowledged`, (t) => killRounds(t, settings, 60))
}
