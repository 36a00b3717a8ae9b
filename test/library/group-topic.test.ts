import test from 'ava'
import { Producer, compileRecordFilter, createTopic, groupTopic } from '../../lib/index.js'
import { bytes, temporaryStore } from './temporary-store.js'

test('groupTopic() tallies a topic by key, also when it has to read again, and what a filter lets through', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events', { partitions: 2 })
  const producer = await Producer.open(store, 'events')
  for (let n = 0; n < 30; n += 1) await producer.add({ key: bytes(`k${n % 3}`), value: bytes(String(n)), timestampMs: n })
  await producer.close()

  const byKey = await groupTopic(store, 'events', { by: { kind: 'key' } })
  t.is(byKey.total.recordCount, 30)
  t.deepEqual(byKey.groups.map(({ id, tally }) => [id, tally.recordCount, tally.sizeBytes]).toSorted(byId), [
    ['k0', 10, 20 + 16],
    ['k1', 10, 20 + 17],
    ['k2', 10, 20 + 17],
  ])
  const frugal = await groupTopic(store, 'events', { by: { kind: 'key' }, limits: { groups: 1, idBytes: 1 << 10 } })
  t.deepEqual(frugal.groups.map(({ id }) => [id]).toSorted(byId), [['k0'], ['k1'], ['k2']])
  t.is(frugal.total.recordCount, 30)

  const filter = await compileRecordFilter('key == "k1" && value >= 10')
  const wanted = await groupTopic(store, 'events', { by: { kind: 'key' }, filter })
  t.deepEqual(
    wanted.groups.map(({ id, tally }) => [id, tally.recordCount, tally.firstTimestampMs, tally.lastTimestampMs]),
    [['k1', 7, 10, 28]],
  )
  t.is((await groupTopic(store, 'events')).groupCount, 2)
  await t.throwsAsync(groupTopic(store, 'nope'), { message: /'nope' does not exist/ })
})

function byId([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a).localeCompare(String(b))
}
