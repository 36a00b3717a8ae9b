/** Two passes of compaction, killed and cut off before each of their changes of the disk. */
import test from 'ava'
import { compaction } from './compaction-scenario.js'
import { crashEverywhere } from './crash-everywhere.js'

test('the pass that removes tombstones killed anywhere: none that was deleted returns', async (t) => {
  const { deaths } = await crashEverywhere(compaction(2))
  t.true(deaths > 20)
})
