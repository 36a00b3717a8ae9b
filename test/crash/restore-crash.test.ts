/** `restore` that dies before any change of the disk: the topic is there as a whole or not at all, and the next run makes it whole. */
import test from 'ava'
import { archiveTopic } from '../../lib/archive/archive-topic.js'
import { restoreTopic } from '../../lib/archive/restore-topic.js'
import { listSegments, logStartOffset } from '../../lib/log/log-view.js'
import { unlinkSegment } from '../../lib/log/segment-files.js'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { appendContext, viewContext } from '../../lib/store/partition.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { TopicConfig } from '../../lib/store/topic-config.js'
import { findTopic, removeTopic } from '../../lib/store/topics.js'
import { ARCHIVE, VALUES, archivableStore } from '../archive/tiny-archive.js'
import { STORE, values } from '../store/tiny-store.js'
import { crashEverywhere } from './crash-everywhere.js'

test('a restore of a topic that is gone may die before any change of the disk', async (t) => {
  let wanted = ''
  const { deaths, behind } = await crashEverywhere({
    prepare: async (system) => {
      const { store } = await archivableStore(system)
      const [done] = await archiveTopic(store, 't', ARCHIVE)
      wanted = VALUES.slice(0, done?.archivedUpTo).join()
      await removeTopic(store, 't')
    },
    run: async (system) => {
      await restoreTopic(openStore(system, STORE), ARCHIVE, 't')
    },
    check: async (after) => {
      const store = openStore(after, STORE)
      const whole = async () => (await values(store, 't')).join() === wanted
      if (findTopic(store, 't') !== undefined && !(await whole())) throw new Error('half of the topic is there')
      await restoreTopic(store, ARCHIVE, 't')
      if (!(await whole())) throw new Error('the topic is not what was archived')
    },
  })
  t.true(deaths > 10)
  t.true((behind.get('restore.after-segment') ?? 0) > 0)
})

/** As retention does it: the log start first, then the oldest segment. */
function retain(store: Store, segmentCount: number): void {
  const context = appendContext(store, 't', 0, () => new TopicConfig({}))
  const bases = listSegments(viewContext(store, 't', 0))
  writeLogStartOffset(context, bases[segmentCount] ?? 0)
  for (const base of bases.slice(0, segmentCount)) unlinkSegment(store.system, context.directory, base)
  store.system.fs.syncDirectory(context.directory)
}

test('segments that go below the log start are read all together, or not yet, wherever it dies', async (t) => {
  let start = 0
  const { deaths, behind } = await crashEverywhere({
    prepare: async (system) => {
      const { store } = await archivableStore(system)
      await archiveTopic(store, 't', ARCHIVE)
      retain(store, 2)
      const context = viewContext(store, 't', 0)
      start = logStartOffset(context, listSegments(context))
    },
    run: async (system) => {
      await restoreTopic(openStore(system, STORE), ARCHIVE, 't')
    },
    check: async (after) => {
      const store = openStore(after, STORE)
      const context = viewContext(store, 't', 0)
      const now = logStartOffset(context, listSegments(context))
      if (now !== 0 && now !== start) throw new Error(`the log starts at ${now}`)
      await restoreTopic(store, ARCHIVE, 't')
      if ((await values(store, 't')).join() !== VALUES.join()) throw new Error('the log is not whole')
    },
  })
  t.true(start > 0)
  t.true(deaths > 10)
  t.true((behind.get('restore.after-rename') ?? 0) > 0)
})
