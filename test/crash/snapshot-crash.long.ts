/** Snapshots and clones that die before any change of the disk, killed and with the power cut. CRASH_SEEDS=N tries more of the latter. */
import test from 'ava'
import { crashEverywhere } from './crash-everywhere.js'
import { cloning, removingSnapshot, takingSnapshot } from './snapshot-scenarios.js'

test('snapshot', async (t) => {
  const { deaths, behind } = await crashEverywhere(takingSnapshot)
  t.true(deaths > 30)
  for (const failpoint of ['share.after-end', 'share.after-links', 'snapshot.before-rename'])
    t.true((behind.get(failpoint) ?? 0) > 0, failpoint)
})

test('snapshot rm', async (t) => {
  const { deaths, behind } = await crashEverywhere(removingSnapshot)
  t.true(deaths > 5)
  t.true((behind.get('snapshot-rm.after-rename') ?? 0) > 0)
})

test('topic clone', async (t) => {
  const { deaths, behind } = await crashEverywhere(cloning)
  t.true(deaths > 30)
  t.true((behind.get('topic-clone.before-create') ?? 0) > 0)
})
