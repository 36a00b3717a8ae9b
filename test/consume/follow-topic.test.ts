import test from 'ava'
import { Producer } from '../../lib/produce/producer.js'
import { addPartitions, createTopic, removeTopic } from '../../lib/store/topics.js'
import { STORE, text, tinyStore } from '../store/tiny-store.js'
import { Follower, send } from './tiny-follower.js'

test('followTopic() gives what is there, then what is appended, over rolls', async (t) => {
  const { system, store } = await tinyStore({ config: { 'segment.bytes': 256 } })
  await send(store, 0, 'a', 'b')
  const follower = new Follower(system)
  await follower.advance()
  const expected = ['0:a', '0:b']
  t.deepEqual(follower.seen, expected)
  for (let n = 0; n < 12; n += 1) {
    await send(store, 0, `v${n}`)
    expected.push(`0:v${n}`)
    t.deepEqual(await follower.see(expected.length), expected)
  }
  await follower.stop()
  t.is(follower.system.process.openDescriptors, 0)
  t.deepEqual(follower.system.hints.watched, [])
})

test('followTopic() begins where it is told, and at the start of partitions that it is not told of', async (t) => {
  const { system, store } = await tinyStore({ partitions: 2 })
  await send(store, 0, 'a', 'b', 'c')
  await send(store, 1, 'x')
  const follower = new Follower(system, { fromOffsets: new Map([[0, 2]]) })
  await follower.advance()
  t.deepEqual(follower.seen.sort(), ['0:c', '1:x'])
  await follower.stop()
})

test('followTopic() of some partitions leaves the others alone', async (t) => {
  const { system, store } = await tinyStore({ partitions: 3 })
  for (const partition of [0, 1, 2]) await send(store, partition, 'x')
  const follower = new Follower(system, { partitions: [1] })
  await follower.advance()
  t.deepEqual(follower.seen, ['1:x'])
  await addPartitions(store, 't', 4)
  await send(store, 3, 'y')
  await send(store, 1, 'z')
  t.deepEqual(await follower.see(2), ['1:x', '1:z'])
  await follower.stop()
})

test('followTopic() notices an added partition within a second', async (t) => {
  const { system, store } = await tinyStore()
  const follower = new Follower(system)
  await follower.advance()
  await addPartitions(store, 't', 2)
  await send(store, 1, 'new')
  const from = system.clock.monotonicMs()
  t.deepEqual(await follower.see(1), ['1:new'])
  t.true(system.clock.monotonicMs() - from <= 1500, `${system.clock.monotonicMs() - from} ms`)
  await follower.stop()
})

test('followTopic() goes on with the topic that is created after its own was removed, from its start', async (t) => {
  const { system, store } = await tinyStore({ partitions: 2 })
  await send(store, 1, 'old')
  const follower = new Follower(system)
  await follower.advance()
  await removeTopic(store, 't')
  await follower.advance('removed')
  await createTopic(store, 't')
  await send(store, 0, 'fresh')
  t.deepEqual(await follower.see(4), ['1:old', 'removed', 'recreated', '0:fresh'])
  await follower.stop()
})

test('followTopic() notices a topic that was removed and created again between two looks', async (t) => {
  const { system, store } = await tinyStore()
  await send(store, 0, 'old')
  const follower = new Follower(system)
  await follower.advance()
  await removeTopic(store, 't')
  await createTopic(store, 't')
  await send(store, 0, 'fresh', 'and more')
  t.deepEqual(await follower.see(5), ['0:old', 'removed', 'recreated', '0:fresh', '0:and more'])
  await follower.stop()
})

test('followTopic() wakes on a hint, and looks without one after 50 ms to 1 s', async (t) => {
  const { system, store } = await tinyStore()
  const follower = new Follower(system)
  await follower.advance()
  system.clock.advancesByItself = false
  await send(store, 0, 'hinted')
  const woken = follower.see(1)
  await system.clock.advance(1)
  follower.system.hints.give(`${STORE}/t-0`)
  await woken
  t.deepEqual(follower.seen, ['0:hinted'])

  let waits = 0
  for (let look = 0; look < 8; look += 1) {
    const done = { yet: false }
    const step = follower.advance().then(() => {
      done.yet = true
    })
    for (; !done.yet && waits < 10_000; waits += 10) await system.clock.advance(10)
    await step
  }
  t.true(waits >= 3000, `${waits} ms for 8 looks at an idle topic`)
  await send(store, 0, 'unhinted')
  const polled = follower.see(2)
  await system.clock.advance(1001)
  t.deepEqual(await polled, ['0:hinted', '0:unhinted'])
  await follower.stop()
})

test('followTopic() ends when its signal aborts, also while it waits for a topic to come back', async (t) => {
  for (const isRemoved of [false, true]) {
    const { system, store } = await tinyStore()
    const follower = new Follower(system)
    await follower.advance()
    if (isRemoved) {
      await removeTopic(store, 't')
      await follower.advance('removed')
    }
    const step = follower.advance()
    follower.abort()
    await step
    if (follower.seen.at(-1) !== 'done') await follower.advance()
    t.is(follower.seen.at(-1), 'done')
    t.is(follower.system.process.openDescriptors, 0)
  }
})

test('followTopic() gives each of many partitions its turn', async (t) => {
  const { system, store } = await tinyStore({ partitions: 2 })
  const producer = await Producer.open(store, 't', { batchBytes: 80 })
  for (let n = 0; n < 100; n += 1) await producer.add({ value: text('busy') }, 0, 0)
  await producer.add({ value: text('quiet') }, 0, 1)
  await producer.close()
  const follower = new Follower(system)
  await follower.see(101)
  t.true(follower.seen.indexOf('1:quiet') < 60, `${follower.seen.indexOf('1:quiet')} records came before`)
  await follower.stop()
})

test('followTopic() of more than 256 partitions keeps few files open, and misses nothing', async (t) => {
  const partitions = 300
  const { system, store } = await tinyStore({ partitions })
  const follower = new Follower(system)
  await follower.advance()
  t.true(follower.system.process.openDescriptors < 10, `${follower.system.process.openDescriptors} descriptors`)
  const producer = await Producer.open(store, 't')
  for (let n = 0; n < partitions; n += 1) await producer.add({ value: text(`v${n}`) }, 0, n)
  await producer.close()
  const seen = await follower.see(partitions)
  t.deepEqual(new Set(seen), new Set([...Array(partitions).keys()].map((n) => `${n}:v${n}`)))
  await follower.stop()
})

test('followTopic() waits for a topic that does not exist, when told to', async (t) => {
  const { system, store } = await tinyStore(null)
  const follower = new Follower(system, { awaitTopic: true })
  await follower.advance('absent')
  const waiting = follower.advance('created')
  await createTopic(store, 't', { partitions: 2 })
  await send(store, 1, 'a')
  await waiting
  await send(store, 0, 'b')
  await follower.see(4)
  t.deepEqual(follower.seen.slice(0, 2), ['absent', 'created'])
  t.deepEqual(follower.seen.slice(2).sort(), ['0:b', '1:a'])
  await follower.stop()
  await t.throwsAsync(new Follower(system, { awaitTopic: true, partitions: [2] }).advance(), { code: 'LOGQ_UNKNOWN_PARTITION' })
})

test('followTopic() ends when its signal aborts while it waits for a topic; without being told to wait it does not', async (t) => {
  const { system } = await tinyStore(null)
  await t.throwsAsync(new Follower(system).advance(), { code: 'LOGQ_UNKNOWN_TOPIC' })
  const follower = new Follower(system, { awaitTopic: true })
  await follower.advance('absent')
  const step = follower.advance()
  follower.abort()
  await step
  t.deepEqual(follower.seen, ['absent', 'done'])
  t.deepEqual(follower.system.hints.watched, [])
})
