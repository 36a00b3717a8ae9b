import test from 'ava'
import {
  Producer,
  addPartitions,
  checkPartition,
  createTopic,
  digestTopic,
  followBatches,
  followRecords,
  readBatches,
  readRecords,
  removeTopic,
  repairPartition,
  type AppendedRecords,
  type OffsetSpec,
  type RecordInput,
} from '../../lib/index.js'
import { bytes, take, temporaryStore, text, valuesOf } from './temporary-store.js'

async function produce(
  store: Awaited<ReturnType<typeof temporaryStore>>,
  topic: string,
  values: readonly string[],
): Promise<void> {
  const producer = await Producer.open(store, topic)
  for (const value of values) await producer.add({ value: bytes(value) })
  await producer.close()
}

test('records come back as they went in: keys, values, headers, timestamps and nulls', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  const records: RecordInput[] = [
    {
      key: bytes('k'),
      value: bytes('v'),
      headers: [
        { key: 'h', value: bytes('1') },
        { key: 'h', value: null },
      ],
      timestampMs: 5,
    },
    { key: null, value: null, timestampMs: -1 },
    { key: bytes(''), value: bytes(''), headers: [], timestampMs: 7 },
    { value: Uint8Array.from({ length: 256 }, (_, n) => n), timestampMs: 2 ** 53 - 1 },
  ]
  const producer = await Producer.open(store, 'events')
  for (const record of records) await producer.add(record)
  await producer.close()
  const found = []
  for await (const record of readRecords(store, 'events')) found.push(record)
  t.deepEqual(
    found,
    records.map((record, offset) => ({
      partition: 0,
      offset,
      timestampType: 'CreateTime' as const,
      timestampMs: record.timestampMs ?? 0,
      key: record.key ?? null,
      value: record.value,
      headers: record.headers ?? [],
    })),
  )
  t.false(Buffer.isBuffer(found[0]?.value))
})

test('add() asks for patience when a batch is full, and every batch is told of as it is appended', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  const appended: AppendedRecords[] = []
  const producer = await Producer.open(store, 'events', {
    batchBytes: 1000,
    codec: 'gzip',
    onAppended: (range) => appended.push(range),
  })
  let waits = 0
  for (let n = 0; n < 500; n += 1) {
    const pending = producer.add({ value: bytes(`value ${n}`) })
    if (pending !== undefined) waits += 1
    await pending
  }
  t.true(waits > 5 && waits < 100, `${waits} waits`)
  await producer.flush()
  t.is(producer.appendedCount, 500)
  t.deepEqual(producer.unwritten(), [])
  await producer.close()
  t.is(
    appended.reduce((sum, { recordCount }) => sum + recordCount, 0),
    500,
  )
  t.deepEqual(
    appended.map(({ baseOffset }) => baseOffset),
    [...appended.map(({ baseOffset }) => baseOffset)].sort((a, b) => a - b),
  )
  t.deepEqual(
    await valuesOf(store, 'events'),
    Array.from({ length: 500 }, (_, n) => `value ${n}`),
  )
})

test('a record that is too large is refused alone', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events', { config: { 'max.message.bytes': 128 } })
  const producer = await Producer.open(store, 'events')
  await producer.add({ value: bytes('small') })
  t.throws(() => producer.add({ value: new Uint8Array(200) }), { code: 'LOGQ_RECORD_TOO_LARGE' })
  await producer.add({ value: bytes('too') })
  await producer.close()
  t.deepEqual(await valuesOf(store, 'events'), ['small', 'too'])
})

test('reading is bounded by offsets and times, for each partition by itself', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events', { partitions: 2 })
  for (const partition of [0, 1]) {
    const producer = await Producer.open(store, 'events', { partition, batchBytes: 200 })
    for (let n = 0; n < 10; n += 1) {
      await producer.add({ value: bytes(`${partition}${n}`), timestampMs: 1000 + n })
      await producer.flush()
    }
    await producer.close()
  }
  const point = (kind: 'start' | 'end') => ({ kind }) as const
  const cases: [OffsetSpec, string][] = [
    [{ kind: 'point', point: point('end') }, ''],
    [{ kind: 'point', point: { kind: 'offset', offset: 8 } }, '08 09 18 19'],
    [{ kind: 'point', point: { kind: 'before-end', count: 1 } }, '09 19'],
    [{ kind: 'range', from: { kind: 'after-start', count: 2 }, to: { kind: 'offset', offset: 4 } }, '02 03 12 13'],
    [{ kind: 'range', from: undefined, to: { kind: 'offset', offset: 1 } }, '00 10'],
    [{ kind: 'time', time: { kind: 'absolute', timestampMs: 1008 } }, '08 09 18 19'],
    [{ kind: 'time-range', from: { kind: 'absolute', timestampMs: 1002 }, to: { kind: 'relative', ms: 2 } }, '02 03 12 13'],
  ]
  for (const [offset, expected] of cases)
    t.is((await valuesOf(store, 'events', { offset })).join(' '), expected, JSON.stringify(offset))
  t.is((await valuesOf(store, 'events', { partitions: [1] })).length, 10)
})

test('bounded reading ends at the offsets of its first step, however busy the topic is', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  await produce(store, 'events', ['a', 'b'])
  const records = readRecords(store, 'events')
  t.deepEqual(await take(records, 1), ['a'])
  await produce(store, 'events', ['c'])
  t.deepEqual(await take(records, 9), ['b'])
  t.deepEqual(await valuesOf(store, 'events'), ['a', 'b', 'c'])
})

test('batches are views with the range that is meant; records of them are copies', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  await produce(store, 'events', ['a', 'b', 'c'])
  await produce(store, 'events', ['d', 'e'])
  const found = []
  const values = []
  const offset: OffsetSpec = { kind: 'range', from: { kind: 'offset', offset: 1 }, to: { kind: 'offset', offset: 4 } }
  for await (const { partition, batch, fromOffset, toOffset } of readBatches(store, 'events', { offset })) {
    found.push([partition, batch.baseOffset, batch.lastOffset, batch.crcMatches(), batch.codec])
    for (const record of batch.records()) if (record.offset >= fromOffset && record.offset < toOffset) values.push(record.value)
  }
  t.deepEqual(found, [
    [0, 0, 2, true, 'none'],
    [0, 3, 4, true, 'none'],
  ])
  t.deepEqual(values.map(text), ['b', 'c', 'd'])
})

test('an AbortSignal ends reading and following without an error, and leaving a loop closes the files', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  await produce(
    store,
    'events',
    Array.from({ length: 100 }, (_, n) => `${n}`),
  )
  t.deepEqual(await valuesOf(store, 'events', { signal: AbortSignal.abort() }), [])
  const stop = new AbortController()
  const followed = followRecords(store, 'events', { offset: { kind: 'point', point: { kind: 'start' } }, signal: stop.signal })
  t.deepEqual(await take(followed, 2), ['0', '1'])
  const rest = take(followed, 1000)
  setTimeout(() => {
    stop.abort()
  }, 50)
  t.is((await rest).length, 98)
  for await (const record of readRecords(store, 'events')) if (record.offset === 3) break
  for await (const { batch } of followBatches(store, 'events', { offset: { kind: 'point', point: { kind: 'start' } } })) {
    t.is(batch.baseOffset, 0)
    break
  }
})

test('following gives what is appended, in added partitions too, and goes on with a topic that was created anew', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  await produce(store, 'events', ['old'])
  const stop = new AbortController()
  const records = followRecords(store, 'events', { signal: stop.signal })
  const first = records.next()
  await new Promise((resolve) => {
    setTimeout(resolve, 100)
  })
  await produce(store, 'events', ['new'])
  const { value: record } = await first
  t.is(text(record?.value ?? null), 'new')
  await addPartitions(store, 'events', 2)
  const producer = await Producer.open(store, 'events', { partition: 1 })
  await producer.add({ value: bytes('beside') })
  await producer.close()
  t.deepEqual(await take(records, 1), ['beside'])
  await removeTopic(store, 'events')
  await createTopic(store, 'events')
  await produce(store, 'events', ['again'])
  t.deepEqual(await take(records, 1), ['again'])
  stop.abort()
  t.true((await records.next()).done)
})

test('following up to an end is refused', async (t) => {
  const store = await temporaryStore(t)
  await createTopic(store, 'events')
  const offset: OffsetSpec = { kind: 'range', from: undefined, to: { kind: 'offset', offset: 5 } }
  await t.throwsAsync(followRecords(store, 'events', { offset }).next(), { code: 'LOGQ_USAGE' })
})

test('two topics with the same records have one digest, and a damaged partition is found, repaired and read on', async (t) => {
  const store = await temporaryStore(t)
  for (const topic of ['one', 'two']) {
    await createTopic(store, topic)
    const producer = await Producer.open(store, topic, { batchBytes: topic === 'one' ? 100 : 1000 })
    for (let n = 0; n < 50; n += 1) await producer.add({ value: bytes(`${n}`), timestampMs: n })
    await producer.close()
  }
  t.is((await digestTopic(store, 'one')).digest, (await digestTopic(store, 'two')).digest)
  t.deepEqual((await checkPartition(store, 'one', 0)).findings, [])

  const { fs } = store.system
  const fd = fs.open(`${store.path}/one-0/00000000000000000000.log`, 'read-write')
  fs.write(fd, bytes('x'), 0, 1, 75)
  fs.close(fd)
  await t.throwsAsync(valuesOf(store, 'one'), { code: 'LOGQ_CORRUPT' })
  const { findings } = await checkPartition(store, 'one', 0)
  t.is(findings[0]?.kind, 'damage')
  const { rewritten } = await repairPartition(store, 'one', 0)
  const lost = rewritten[0]?.droppedOffsets[0]
  t.is(lost?.fromOffset, 0)
  t.deepEqual((await checkPartition(store, 'one', 0)).findings, [])
  t.deepEqual(await valuesOf(store, 'one'), Array.from({ length: 50 }, (_, n) => `${n}`).slice(lost?.toOffset))
})
