/** joinGroup() as a program uses it. */
import test from 'ava'
import { createTopic, joinGroup, Producer, type GroupConsumer, type Store } from '../../lib/index.js'
import type { TestLike } from '../helpers/run-cli.js'
import { bytes, temporaryStore } from './temporary-store.js'

const RECORDS = 10
/** More than are dealt with in the time that a hand-over may take. */
const MANY = 1_000

/** Two partitions, with one batch in each. */
async function withRecords(t: TestLike, count = RECORDS): Promise<Store> {
  const store = await temporaryStore(t)
  await createTopic(store, 't', { partitions: 2 })
  for (const partition of [0, 1]) {
    const producer = await Producer.open(store, 't', { partition })
    for (let n = 0; n < count; n += 1) await producer.add({ value: bytes(String(n)) })
    await producer.close()
  }
  return store
}

function sum(consumer: GroupConsumer): number {
  return [0, 1].reduce((total, partition) => total + (consumer.position('t', partition) ?? 0), 0)
}

test('an abort ends the iteration behind the record at hand, also in the middle of a batch', async (t) => {
  const store = await withRecords(t)
  const enough = new AbortController()
  const consumer = await joinGroup(store, 'g', ['t'], { signal: enough.signal })
  let count = 0
  for await (const { offset } of consumer.records()) {
    t.true(offset < RECORDS)
    count += 1
    if (count === 3) enough.abort()
  }
  t.is(count, 3)
  t.is(sum(consumer), 3)
  await consumer.close()
  const next = await joinGroup(store, 'g', ['t'])
  await next.settle()
  t.is(sum(next), 3)
  await next.close()
})

test('an iteration that was left is gone on with by the next one, from the record at hand', async (t) => {
  const store = await withRecords(t)
  const consumer = await joinGroup(store, 'g', ['t'])
  const seen: string[] = []
  const read = async (count: number) => {
    for await (const { partition, offset } of consumer.records()) {
      seen.push(`${partition}@${offset}`)
      count -= 1
      if (count === 0) return
    }
  }
  await read(3)
  t.is(sum(consumer), 2)
  await read(2 * RECORDS - 2)
  t.is(new Set(seen).size, 2 * RECORDS)
  t.is(seen.length, 2 * RECORDS + 1)
  await consumer.close()
})

test('a partition is handed over between two records of a batch', async (t) => {
  const store = await withRecords(t, MANY)
  const revoked: number[] = []
  const first = await joinGroup(store, 'g', ['t'], {
    onRevoked: (partitions) => {
      revoked.push(...partitions.map(({ partition }) => partition))
    },
  })
  const records = first.records()
  const seen = [await records.next()]
  const second = await joinGroup(store, 'g', ['t'])
  // The first takes its time: without an end to its batch, the second would wait for all of it.
  while (second.assignment.length === 0 && seen.length < MANY) {
    seen.push(await records.next())
    await new Promise((resolve) => {
      setTimeout(resolve, 100)
    })
    await second.settle()
  }
  t.is(revoked.length, 1)
  t.true(seen.length < MANY, `${seen.length} records before the partition was handed over`)
  await records.return()
  await first.close()
  await second.close()
})
