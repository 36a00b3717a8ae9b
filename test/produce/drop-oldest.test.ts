/** What drop-oldest chose without the append lock, and what others did before it got that. */
import test from 'ava'
import { LOG_SUFFIX, segmentFileName } from '../../lib/log/file-names.js'
import { listSegments } from '../../lib/log/log-view.js'
import { PartitionLock } from '../../lib/log/partition-lock.js'
import { dropOldestSegment } from '../../lib/produce/drop-oldest.js'
import { LiveTopic } from '../../lib/store/live-topic.js'
import { viewContext } from '../../lib/store/partition.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { alterTopic, createTopic, partitionDirectory, removeTopic } from '../../lib/store/topics.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { STORE, produce, tinyStore, values } from '../store/tiny-store.js'

const VALUES = Array.from({ length: 8 }, (_, n) => `${n}`.repeat(80))
const CONFIG = { 'segment.bytes': 256 }

/** A topic of several segments, of which another process holds the append lock until `release`. */
async function locked(): Promise<{ store: Store; other: Store; release: () => void; segments: () => number[] }> {
  const { system, store } = await tinyStore({ config: CONFIG })
  for (const value of VALUES) await produce(store, 't', [value])
  const second = createFakeSystem({ disk: system.disk, clock: system.clock, pid: 1001 })
  const lock = PartitionLock.open(second, partitionDirectory(store, 't', 0))
  await lock.acquire({})
  const release = () => {
    lock.release()
    lock.close()
  }
  return { store, other: openStore(second, STORE), release, segments: () => listSegments(viewContext(store, 't', 0)) }
}

test('two that choose the same segment drop one', async (t) => {
  const { store, other, release, segments } = await locked()
  const [first = 0, second = 0] = segments()
  const droppings = [store, other].map((one) => dropOldestSegment(new LiveTopic(one, 't'), {}))
  release()
  const dropped = await Promise.all(droppings)
  t.like(
    dropped.find((one) => one !== 'changed'),
    { partition: 0, fromOffset: first, toOffset: second },
  )
  t.true(dropped.includes('changed'))
  t.is(segments()[0], second)
  t.deepEqual(await values(store, 't'), VALUES.slice(second))
})

for (const config of [{ 'archive.required': 'true' }, { 'cleanup.policy': 'compact' }]) {
  test(`nothing goes once ${JSON.stringify(config)} says that it is to stay`, async (t) => {
    const { store, other, release } = await locked()
    const dropping = dropOldestSegment(new LiveTopic(store, 't'), {})
    await alterTopic(other, 't', config)
    release()
    t.is(await dropping, 'changed')
    t.is(await dropOldestSegment(new LiveTopic(store, 't'), {}), undefined)
    t.deepEqual(await values(store, 't'), VALUES)
  })
}

test('what a snapshot has, too, stays: nothing would be free; the oldest one that is not shared goes', async (t) => {
  const { store } = await tinyStore({ config: CONFIG, partitions: 2 })
  for (const partition of [0, 1]) for (const value of VALUES) await produce(store, 't', [value], { partition })
  const { fs } = store.system
  const [, second = 0] = listSegments(viewContext(store, 't', 1))
  fs.link(`${partitionDirectory(store, 't', 0)}/${segmentFileName(0, LOG_SUFFIX)}`, `${STORE}/shared-0`)
  t.like(await dropOldestSegment(new LiveTopic(store, 't'), {}), { partition: 1, fromOffset: 0, toOffset: second })
  fs.link(`${partitionDirectory(store, 't', 1)}/${segmentFileName(second, LOG_SUFFIX)}`, `${STORE}/shared-1`)
  t.is(await dropOldestSegment(new LiveTopic(store, 't'), {}), undefined)
  t.deepEqual(await values(store, 't'), VALUES)
})

test('a topic that was made anew under the name keeps its records', async (t) => {
  const { store, other, release } = await locked()
  const removing = removeTopic(other, 't')
  const dropping = dropOldestSegment(new LiveTopic(store, 't'), {})
  release()
  await removing
  await createTopic(other, 't', { config: CONFIG })
  for (const value of VALUES) await produce(other, 't', [value])
  await t.throwsAsync(dropping, { code: 'LOGQ_TOPIC_REMOVED' })
  t.deepEqual(await values(store, 't'), VALUES)
})
