/** `archive` that dies before any change of the disk: nothing counts that is not there, and the next run makes the archive whole. */
import test from 'ava'
import { archiveTopic } from '../../lib/archive/archive-topic.js'
import { verifyArchive } from '../../lib/archive/inspect-archive.js'
import { listSegments } from '../../lib/log/log-view.js'
import { archivedUpTo } from '../../lib/store/archive/archived-files.js'
import { viewContext } from '../../lib/store/partition.js'
import { openStore } from '../../lib/store/store.js'
import { getTopic } from '../../lib/store/topics.js'
import { ARCHIVE, VALUES, archivableStore } from '../archive/tiny-archive.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { STORE, values } from '../store/tiny-store.js'
import { crashEverywhere } from './crash-everywhere.js'

/** Gives the offset that the archive reaches, after everything in it was read. */
async function verifiedUpTo(system: FakeSystem): Promise<number> {
  let upTo = 0
  for await (const { endOffset, startOffset } of verifyArchive(system, ARCHIVE)) {
    if (startOffset !== 0) throw new Error(`the archive begins at ${startOffset}`)
    upTo = endOffset
  }
  return upTo
}

test('an archive run may die before any change of the disk', async (t) => {
  const { deaths, behind } = await crashEverywhere({
    prepare: async (system) => {
      await archivableStore(system)
    },
    run: async (system) => {
      await archiveTopic(openStore(system, STORE), 't', ARCHIVE)
    },
    check: async (after) => {
      const store = openStore(after, STORE)
      const promised = archivedUpTo(store, getTopic(store, 't'), 0)
      const proved = await verifiedUpTo(after)
      if (promised > proved) throw new Error(`${promised} is promised, ${proved} is there`)
      await archiveTopic(store, 't', ARCHIVE)
      const end = listSegments(viewContext(store, 't', 0)).at(-1) ?? 0
      const whole = await verifiedUpTo(after)
      const now = archivedUpTo(store, getTopic(store, 't'), 0)
      if (whole !== end || now !== end) throw new Error(`the archive reaches ${whole}, the promise ${now}, not ${end}`)
      for await (const { strayFiles } of verifyArchive(after, ARCHIVE))
        if (strayFiles.length > 0) throw new Error(`left over: ${strayFiles.join(' ')}`)
      const found = await values(store, 't')
      if (found.join() !== VALUES.join()) throw new Error('the log is not what it was')
    },
  })
  t.true(deaths > 10)
  for (const failpoint of ['archive.after-object', 'archive.after-manifest'])
    t.true((behind.get(failpoint) ?? 0) > 0, failpoint)
})
