/** Snapshots and clones that die between two of their steps; before any change of the disk: snapshot-crash.long.ts. */
import test from 'ava'
import { crashAt } from './crash-everywhere.js'
import { cloning, removingSnapshot, takingSnapshot } from './snapshot-scenarios.js'

for (const failpoint of ['share.after-end', 'share.after-links', 'snapshot.after-topic', 'snapshot.before-rename']) {
  test(`snapshot dies at ${failpoint}`, async (t) => {
    await crashAt(takingSnapshot, failpoint)
    t.pass()
  })
}

test('snapshot rm dies after the rename', async (t) => {
  await crashAt(removingSnapshot, 'snapshot-rm.after-rename')
  t.pass()
})

for (const failpoint of ['topic-clone.before-create', 'topic-import.after-rename', 'topic-create.before-commit']) {
  test(`topic clone dies at ${failpoint}`, async (t) => {
    await crashAt(cloning, failpoint)
    t.pass()
  })
}
