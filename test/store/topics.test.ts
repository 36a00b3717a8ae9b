import test from 'ava'
import { isLogqError, systemErrorCode } from '../../lib/errors.js'
import { Log } from '../../lib/log/log.js'
import { readLeaderEpochs } from '../../lib/log/leader-epoch-file.js'
import { describeTopic } from '../../lib/store/describe-topic.js'
import { LiveTopic } from '../../lib/store/live-topic.js'
import { appendContext, partitionOffsets, selectPartitions, viewContext } from '../../lib/store/partition.js'
import { openOrCreateStore, openStore } from '../../lib/store/store.js'
import { TopicConfig } from '../../lib/store/topic-config.js'
import { addPartitions, alterTopic, createTopic, findTopic, getTopic, listTopics, removeTopic } from '../../lib/store/topics.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { beside, overwrite } from '../log/tiny-log.js'
import { STORE, produce, tinyStore, values } from './tiny-store.js'

test('createTopic() makes a topic with its partitions, settings and an id of its own', async (t) => {
  const { store } = await tinyStore(null)
  const made = await createTopic(store, 'orders', {
    partitions: 3,
    partitioner: 'roundrobin',
    config: { 'segment.bytes': 1000 },
  })
  t.like(made, { topic: 'orders', partitions: 3, partitioner: 'roundrobin', config: { 'segment.bytes': 1000 } })
  t.regex(made.topicId, /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
  t.deepEqual(findTopic(store, 'orders'), made)
  t.deepEqual(listTopics(store), ['orders'])
  t.not((await createTopic(store, 'other')).topicId, made.topicId)
  t.deepEqual(selectPartitions(store, made), [0, 1, 2])
  for (const partition of [0, 1, 2]) {
    const context = appendContext(store, 'orders', partition, () => new TopicConfig({}))
    t.deepEqual(partitionOffsets(viewContext(store, 'orders', partition)), { logStartOffset: 0, logEndOffset: 0 })
    t.like(readLeaderEpochs(context)?.[0], { epoch: 0, startOffset: 0 })
  }
})

const TWINS: readonly (readonly [string, string])[] = [
  ['orders', 'orders'],
  ['orders', 'Orders'],
  ['a.b', 'a_b'],
  ['A.b', 'a_B'],
]

for (const [first, second] of TWINS) {
  test(`createTopic() refuses '${second}' beside '${first}'`, async (t) => {
    const { store } = await tinyStore(null)
    await createTopic(store, first)
    t.true(isLogqError(await t.throwsAsync(createTopic(store, second)), 'LOGQ_TOPIC_EXISTS'))
    t.deepEqual(listTopics(store), [first])
  })
}

const LEGAL = [
  'a',
  'A.b_c-9',
  'x-0',
  'topics',
  '.hidden',
  '.removed-0123456789ab',
  '.tmp-0123456789ab',
  'x'.repeat(249),
  '1',
  'lock',
  '_x',
]

for (const name of LEGAL) {
  const shown = name.length > 30 ? `${name.length} characters` : name
  test(`a topic may be called '${shown}', and others come and go beside it`, async (t) => {
    const { store } = await tinyStore(null)
    await createTopic(store, name, { partitions: 2 })
    await createTopic(store, 'other')
    await produce(store, name, ['a'], { partition: 1 })
    await removeTopic(store, 'other')
    t.deepEqual(listTopics(store), [name])
    t.deepEqual(await values(store, name, 1), ['a'])
    await removeTopic(store, name)
    t.deepEqual(store.system.fs.list(STORE), ['lock', 'logq.json', 'topics'])
  })
}

const ILLEGAL = ['', '.', '..', '-rf', '__consumer_offsets', 'a/b', 'a b', 'a\n', 'a\0', 'ä', '$(id)', 'a;b', 'x'.repeat(250)]

for (const name of ILLEGAL) {
  test(`a topic may not be called ${JSON.stringify(name).slice(0, 30)}`, async (t) => {
    const { store } = await tinyStore(null)
    for (const use of [() => createTopic(store, name), () => removeTopic(store, name)]) {
      t.true(isLogqError(await t.throwsAsync(use()), 'LOGQ_USAGE'))
    }
    t.true(
      isLogqError(
        t.throws(() => getTopic(store, name)),
        'LOGQ_USAGE',
      ),
    )
    t.deepEqual(store.system.fs.list(`${STORE}/topics`), [])
  })
}

test('getTopic() of a topic that does not exist proposes one that is like it', async (t) => {
  const { store } = await tinyStore(null)
  await createTopic(store, 'Orders')
  const error = t.throws(() => getTopic(store, 'orders'))
  t.true(isLogqError(error, 'LOGQ_UNKNOWN_TOPIC'))
  t.like(error, { hint: "did you mean 'Orders'?" })
})

test('createTopic() that fails leaves nothing behind, and works when the fault is gone', async (t) => {
  const { system, store } = await tinyStore(null)
  const before = { store: system.fs.list(STORE), topics: system.fs.list(`${STORE}/topics`) }
  let faults = 0
  for (const operation of ['write', 'makeDirectory', 'rename', 'fdatasyncBlocking', 'syncDirectory'] as const) {
    for (let nth = 1; ; nth += 1) {
      system.fs.reset()
      system.fs.failNth({ operation, nth, code: 'ENOSPC' })
      const outcome = await createTopic(store, 'new', { partitions: 2 }).catch((error: unknown) => error)
      system.fs.reset()
      if (!(outcome instanceof Error)) {
        await removeTopic(store, 'new')
        break
      }
      faults += 1
      if (findTopic(store, 'new') !== undefined) await removeTopic(store, 'new')
      t.deepEqual(system.fs.list(`${STORE}/topics`), before.topics, `${operation} ${nth}`)
      t.deepEqual(system.fs.list(STORE), before.store, `${operation} ${nth}`)
    }
  }
  t.true(faults > 20, `${faults} faults`)
})

test('alterTopic() sets, takes back and keeps settings', async (t) => {
  const { store } = await tinyStore({ config: { 'retention.ms': 5, 'segment.ms': 6 } })
  await alterTopic(store, 't', { 'retention.ms': null, 'segment.bytes': 1234 })
  t.deepEqual(findTopic(store, 't')?.config, { 'segment.ms': 6, 'segment.bytes': 1234 })
  t.true(isLogqError(await t.throwsAsync(alterTopic(store, 'none', {})), 'LOGQ_UNKNOWN_TOPIC'))
})

test('addPartitions() keeps records, and refuses a number that does not grow', async (t) => {
  const { store } = await tinyStore({ partitions: 2 })
  await produce(store, 't', ['a'], { partition: 1 })
  for (const wrong of [0, 1, 2, -1, 1.5, Number.NaN, 100_001]) {
    t.true(isLogqError(await t.throwsAsync(addPartitions(store, 't', wrong)), 'LOGQ_USAGE'))
  }
  const added = await addPartitions(store, 't', 4)
  t.is(added.partitions, 4)
  t.deepEqual(await values(store, 't', 1), ['a'])
  await produce(store, 't', ['b'], { partition: 3 })
  t.deepEqual(await values(store, 't', 3), ['b'])
})

test('removeTopic() waits for an append that is under way, and later ones find the topic removed', async (t) => {
  const { system, store } = await tinyStore()
  const log = Log.open(appendContext(store, 't', 0, () => new TopicConfig({})))
  const writer = openStore(beside(system), STORE)
  await produce(writer, 't', ['a'])
  await removeTopic(openStore(beside(system, { pid: 7 }), STORE), 't')
  const bytes = new Uint8Array(100)
  t.true(isLogqError(await t.throwsAsync(log.append({ bytes, lastOffsetDelta: 0, maxTimestampMs: 0 })), 'LOGQ_TOPIC_REMOVED'))
  t.true(
    isLogqError(
      t.throws(() => getTopic(store, 't')),
      'LOGQ_UNKNOWN_TOPIC',
    ),
  )
})

test('many processes that create the same topic at once make one', async (t) => {
  const { system, store } = await tinyStore(null)
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      createTopic(openStore(beside(system, { pid: 10 + n }), STORE), 'same', { partitions: 2 }).catch(
        (error: unknown) => error,
      ),
    ),
  )
  t.is(outcomes.filter((outcome) => isLogqError(outcome, 'LOGQ_TOPIC_EXISTS')).length, 7)
  t.deepEqual(store.system.fs.list(STORE), ['lock', 'logq.json', 'same-0', 'same-1', 'topics'])
})

test('many processes that create the same store at once make one', async (t) => {
  const system = createFakeSystem()
  const stores = await Promise.all(
    Array.from({ length: 6 }, (_, n) => openOrCreateStore(n === 0 ? system : beside(system, { pid: 10 + n }), STORE)),
  )
  t.is(new Set(stores.map(({ storeId }) => storeId)).size, 1)
  t.deepEqual(system.fs.list(STORE), ['lock', 'logq.json', 'topics'])
})

test('createTopic() refuses a directory that holds records of a topic that the store does not know', async (t) => {
  const { system, store } = await tinyStore()
  await produce(store, 't', ['precious'])
  // Somebody lost the topic file.
  system.fs.unlink(`${STORE}/topics/t.json`)
  t.true(isLogqError(await t.throwsAsync(createTopic(store, 't')), 'LOGQ_TOPIC_EXISTS'))
  t.true(system.fs.list(STORE).includes('t-0'))
  t.true((system.fs.pathStatus(`${STORE}/t-0/00000000000000000000.log`)?.sizeBytes ?? 0) > 0)
})

test('LiveTopic notices a changed setting and an added partition within half a second, and looks no oftener', async (t) => {
  const { system, store } = await tinyStore({ config: { 'segment.bytes': 1000 } })
  system.clock.advancesByItself = false
  const live = new LiveTopic(store, 't')
  const other = openStore(beside(system), STORE)
  await alterTopic(other, 't', { 'segment.bytes': 2000 })
  await addPartitions(other, 't', 2)
  const from = system.fs.operations.length
  live.refresh()
  t.is(system.fs.operations.length, from)
  t.is(live.config.number('segment.bytes'), 1000)
  await system.clock.advance(500)
  live.refresh()
  t.is(live.config.number('segment.bytes'), 2000)
  t.is(live.file.partitions, 2)
})

test('LiveTopic notices that its topic was removed, also when one of that name was created within the same moment', async (t) => {
  for (const recreate of [false, true]) {
    const { system, store } = await tinyStore()
    system.clock.advancesByItself = false
    const live = new LiveTopic(store, 't')
    await removeTopic(store, 't')
    if (recreate) await createTopic(store, 't')
    await system.clock.advance(500)
    t.true(
      isLogqError(
        t.throws(() => live.refresh()),
        'LOGQ_TOPIC_REMOVED',
      ),
    )
  }
})

test('describeTopic() gives offsets, segments and sizes of each partition, and every setting', async (t) => {
  const { store } = await tinyStore({ partitions: 2, config: { 'segment.bytes': 300 } })
  await produce(store, 't', Array<string>(10).fill('x'), { partition: 1, batchBytes: 1 })
  const { partitions, config } = describeTopic(store, 't')
  t.like(partitions[0], { partition: 0, logStartOffset: 0, logEndOffset: 0, segments: 1, sizeBytes: 0 })
  t.like(partitions[1], { partition: 1, logStartOffset: 0, logEndOffset: 10 })
  t.true((partitions[1]?.segments ?? 0) > 1)
  t.deepEqual(config['segment.bytes'], { value: 300, isDefault: false })
  t.deepEqual(config['retention.ms'], { value: 1_209_600_000, isDefault: true })
})

test('a topic file that is damaged, or newer, is refused by name', async (t) => {
  const { system, store } = await tinyStore()
  const path = `${STORE}/topics/t.json`
  const good = JSON.parse(Buffer.from(readAllOf(system, path)).toString()) as Record<string, unknown>
  const wrongs: readonly (readonly [Record<string, unknown> | string, string])[] = [
    ['', 'LOGQ_CORRUPT'],
    ['[]', 'LOGQ_CORRUPT'],
    ['{"a"', 'LOGQ_CORRUPT'],
    [{ ...good, formatVersion: 2 }, 'LOGQ_NEWER_FORMAT'],
    [{ ...good, formatVersion: '1' }, 'LOGQ_CORRUPT'],
    [{ ...good, partitions: 0 }, 'LOGQ_CORRUPT'],
    [{ ...good, partitions: '3' }, 'LOGQ_CORRUPT'],
    [{ ...good, partitioner: 5 }, 'LOGQ_CORRUPT'],
    [{ ...good, topicId: 5 }, 'LOGQ_CORRUPT'],
    [{ ...good, config: null }, 'LOGQ_CORRUPT'],
    [{ ...good, config: { 'segment.bytes': 1 } }, 'LOGQ_CORRUPT'],
    [{ ...good, config: { 'no.such': 1 } }, 'LOGQ_CORRUPT'],
    [{ ...good, config: { __proto__: 1, constructor: 2 } }, 'LOGQ_CORRUPT'],
  ]
  for (const [wrong, code] of wrongs) {
    const content = typeof wrong === 'string' ? wrong : JSON.stringify(wrong)
    overwrite(system, path, Buffer.from(content))
    const error = t.throws(() => getTopic(store, 't'), undefined, content)
    t.is(isLogqError(error) ? error.code : '', code, content)
    t.true(error.message.includes('t.json'), error.message)
  }
})

function readAllOf(system: FakeSystem, path: string): Uint8Array {
  const fd = system.fs.open(path, 'read')
  const bytes = new Uint8Array(system.fs.fileStatus(fd).sizeBytes)
  system.fs.read(fd, bytes, 0, bytes.length, 0)
  system.fs.close(fd)
  return bytes
}

test('removeTopic() that cannot remove a file says which and why; the next change of a topic finishes it', async (t) => {
  const { system, store } = await tinyStore()
  await produce(store, 't', ['a'])
  system.fs.failNth({ operation: 'unlink', pathIncludes: '.log', nth: 1, code: 'EACCES' })
  const error = await t.throwsAsync(removeTopic(store, 't'))
  t.is(systemErrorCode(error), 'EACCES')
  t.regex(String(error), /\.removed-[0-9a-f]{12}\/0{20}\.log'/)
  t.is(findTopic(store, 't'), undefined)
  await createTopic(store, 'other')
  t.deepEqual(system.fs.list(STORE).sort(), ['lock', 'logq.json', 'other-0', 'topics'])
})
