import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import {
  LogqError,
  Producer,
  TOPIC_SETTINGS,
  addPartitions,
  alterTopic,
  createNodeSystem,
  createTopic,
  describeTopic,
  findTopic,
  getTopic,
  isLogqError,
  listTopics,
  openOrCreateStore,
  openStore,
  removeTopic,
} from '../../lib/index.js'
import { bytes, temporaryStore, valuesOf } from './temporary-store.js'

test('a store is created once, opened again, and not made of any directory', async (t) => {
  const store = await temporaryStore(t)
  t.is(store.kind, 'logq')
  const again = openStore(createNodeSystem(), store.path)
  t.is(again.storeId, store.storeId)
  t.is((await openOrCreateStore(createNodeSystem(), store.path)).storeId, store.storeId)
  t.throws(() => openStore(createNodeSystem(), `${store.path}-no`), { code: 'LOGQ_UNKNOWN_STORE' })
  const other = join(store.path, '..', 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'file'), '')
  await t.throwsAsync(openOrCreateStore(createNodeSystem(), other), { code: 'LOGQ_UNKNOWN_STORE' })
  t.false(existsSync(join(other, 'logq.json')))
})

test('topics are created, listed, described, altered, enlarged and removed', async (t) => {
  const store = await temporaryStore(t)
  const created = await createTopic(store, 'events', { partitions: 2, config: { 'retention.ms': 1000 } })
  t.deepEqual(getTopic(store, 'events'), created)
  await createTopic(store, 'other')
  t.deepEqual(listTopics(store), ['events', 'other'])
  t.deepEqual(describeTopic(store, 'events').config['retention.ms'], { value: 1000, isDefault: false })
  t.is(describeTopic(store, 'events').partitions.length, 2)

  t.deepEqual((await alterTopic(store, 'events', { 'retention.ms': null, 'segment.bytes': 4096 })).config, {
    'segment.bytes': 4096,
  })
  t.is((await addPartitions(store, 'events', 5)).partitions, 5)
  t.is(getTopic(store, 'events').topicId, created.topicId)
  await removeTopic(store, 'events')
  t.is(findTopic(store, 'events'), undefined)
  t.deepEqual(listTopics(store), ['other'])
})

test('errors of topics are LogqErrors with a code, and change nothing', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  t.throws(() => getTopic(store, 'nope'), { instanceOf: LogqError, code: 'LOGQ_UNKNOWN_TOPIC' })
  await t.throwsAsync(createTopic(store, 'events'), { code: 'LOGQ_TOPIC_EXISTS' })
  await t.throwsAsync(createTopic(store, 'Events'), { code: 'LOGQ_TOPIC_EXISTS' })
  await t.throwsAsync(createTopic(store, '../x'), { code: 'LOGQ_USAGE' })
  await t.throwsAsync(createTopic(store, 'x', { partitions: 0 }), { code: 'LOGQ_USAGE' })
  await t.throwsAsync(addPartitions(store, 'events', 1), { code: 'LOGQ_USAGE' })
  await t.throwsAsync(removeTopic(store, 'nope'), { code: 'LOGQ_UNKNOWN_TOPIC' })
  await t.throwsAsync(Producer.open(store, 'nope'), { code: 'LOGQ_UNKNOWN_TOPIC' })
  await t.throwsAsync(valuesOf(store, 'events', { partitions: [7] }), { code: 'LOGQ_UNKNOWN_PARTITION' })
  t.deepEqual(listTopics(store), ['events'])
  t.true(isLogqError(new LogqError('LOGQ_BUSY', 'busy'), 'LOGQ_BUSY'))
  t.false(isLogqError(new Error('busy')))
})

test('a setting that cannot be is refused, and the topic stays as it was', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  const wrong: Record<string, number | string>[] = [
    { 'segment.bytes': -5 },
    { 'segment.bytes': 1.5 },
    { 'retention.ms': 'soon' },
    { 'cleanup.policy': 'shred' },
    { 'no.such': 1 },
    { __proto__x: 1 },
  ]
  for (const changes of wrong) {
    await t.throwsAsync(alterTopic(store, 'events', changes), { code: 'LOGQ_USAGE' }, JSON.stringify(changes))
    await t.throwsAsync(createTopic(store, 'other', { config: changes }), { code: 'LOGQ_USAGE' })
  }
  t.deepEqual(getTopic(store, 'events').config, {})
  t.deepEqual(listTopics(store), ['events'])
  t.deepEqual((await alterTopic(store, 'events', { 'segment.bytes': '1MiB' })).config, { 'segment.bytes': 1 << 20 })
  t.is(TOPIC_SETTINGS['segment.bytes'].unit, 'bytes')
})

test('an AbortSignal ends the wait for another process that is changing topics', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  const { fs, locks } = store.system
  const fd = fs.open(join(store.path, 'lock'), 'read-write')
  t.true(locks.tryLock(fd, false))
  const waits = [
    (signal: AbortSignal) => createTopic(store, 'other', { signal }),
    (signal: AbortSignal) => alterTopic(store, 'events', { 'retention.ms': 5 }, { signal }),
    (signal: AbortSignal) => addPartitions(store, 'events', 2, { signal }),
    (signal: AbortSignal) => removeTopic(store, 'events', { signal }),
  ]
  for (const wait of waits) {
    await t.throwsAsync(wait(AbortSignal.timeout(20)), { code: 'LOGQ_ABORTED' })
    await t.throwsAsync(wait(AbortSignal.abort()), { code: 'LOGQ_ABORTED' })
  }
  const patient = createTopic(store, 'other')
  fs.close(fd)
  t.is((await patient).topic, 'other')
  t.is(getTopic(store, 'events').partitions, 1)
})

test('an AbortSignal ends the wait for the append lock, and the records are given back as unwritten', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  const { fs, locks } = store.system
  const fd = fs.open(join(store.path, 'events-0', 'lock'), 'read-write')
  t.true(locks.tryLock(fd, false))
  const producer = await Producer.open(store, 'events', { signal: AbortSignal.timeout(30) })
  await producer.add({ value: bytes('a') }, 17)
  await t.throwsAsync(producer.flush(), { code: 'LOGQ_ABORTED' })
  t.deepEqual(producer.unwritten(), [{ partition: 0, recordCount: 1, firstTag: 17 }])
  await producer.close(true)
  fs.close(fd)
  t.deepEqual(await valuesOf(store, 'events'), [])
})
