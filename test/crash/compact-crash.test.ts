/** Compaction, killed and cut off before each of its changes of the disk; compact-crash.long.ts is of two passes. */
import test from 'ava'
import { compaction } from './compaction-scenario.js'
import { crashEverywhere } from './crash-everywhere.js'

test('compaction killed anywhere: no key is lost, none that was deleted returns', async (t) => {
  const { behind } = await crashEverywhere(compaction(1))
  for (const point of [
    'compact.after-count',
    'compact.before-swap',
    'compact.after-unlink-indexes',
    'compact.after-rename',
    'compact.after-swap',
  ])
    t.true((behind.get(point) ?? 0) > 0, point)
})
