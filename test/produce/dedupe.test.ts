/** Looking for duplicates: the edges of the window, an index that lies, a full disk, and what is synced. The rest is in dedupe-model.ts. */
import test from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { BUCKET_BYTES, emptyBucket, homeBucket, sealBucket, writeEntry } from '../../lib/produce/dedupe-format.js'
import { hashOfId } from '../../lib/produce/dedupe-id.js'
import { Producer, type ProducerOptions } from '../../lib/produce/producer.js'
import type { RecordInput } from '../../lib/record/record.js'
import { appendContext } from '../../lib/store/partition.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { TopicConfig } from '../../lib/store/topic-config.js'
import { createTopic } from '../../lib/store/topics.js'
import { readUpTo } from '../../lib/system/durable.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { beside } from '../log/tiny-log.js'
import { STORE, produce, text, tinyStore, values } from '../store/tiny-store.js'

const INDEX = `${STORE}/t-0/dedupe-key`
const NOW_MS = 1_767_225_600_000
const WINDOW_MS = 1000

function record(key: string, timestampMs = NOW_MS): RecordInput {
  return { key: text(key), value: text(key), timestampMs }
}

/** Offsets of the records, with a ! behind those that were there already. */
async function dedupe(store: Store, records: readonly RecordInput[], options: ProducerOptions = {}): Promise<string> {
  const places: string[] = []
  const producer = await Producer.open(store, 't', {
    dedupe: { by: { field: 'key' }, windowMs: WINDOW_MS },
    onAppended: ({ baseOffset, recordCount }) => {
      for (let n = 0; n < recordCount; n += 1) places.push(String(baseOffset + n))
    },
    onDuplicate: (_, offset) => places.push(`${offset}!`),
    ...options,
  })
  try {
    for (const one of records) await producer.add(one)
    await producer.sync()
  } catch (error) {
    await producer.close(true)
    throw error
  }
  await producer.close()
  return places.join(' ')
}

function fileOf(system: FakeSystem, path: string): Uint8Array {
  const fd = system.fs.open(path, 'read')
  const bytes = readUpTo(system.fs, fd, 0, system.fs.fileStatus(fd).sizeBytes)
  system.fs.close(fd)
  return bytes
}

function replaceBytes(system: FakeSystem, path: string, bytes: Uint8Array, position = 0): void {
  const fd = system.fs.open(path, 'create')
  if (position === 0) system.fs.truncate(fd, 0)
  system.fs.write(fd, bytes, 0, bytes.length, position)
  system.fs.close(fd)
}

test('the window ends at the very millisecond, in one batch and over batches', async (t) => {
  for (const later of [NOW_MS + WINDOW_MS, NOW_MS + WINDOW_MS + 1]) {
    const isIn = later === NOW_MS + WINDOW_MS
    const one = await tinyStore()
    t.is(await dedupe(one.store, [record('a'), record('a', later)]), isIn ? '0 0!' : '0 1')
    const two = await tinyStore()
    await dedupe(two.store, [record('a')])
    t.is(await dedupe(two.store, [record('a', later)]), isIn ? '0!' : '1')
  }
})

test('a record that is newer counts, and so does one without a timestamp for another one', async (t) => {
  const { store } = await tinyStore()
  t.is(
    await dedupe(store, [record('a'), record('a', 5), record('b', -1), record('b', -1), record('b', 999), record('b', 1000)]),
    '0 0! 1 1! 1! 2',
  )
})

test('an index that was copied from another log is not believed', async (t) => {
  const one = await tinyStore()
  await dedupe(one.store, [record('a'), record('b')])
  const other = await tinyStore()
  await dedupe(other.store, [record('x'), record('y')])
  replaceBytes(other.system, INDEX, fileOf(one.system, INDEX))
  t.is(await dedupe(other.store, [record('x'), record('a')]), '0! 2')
})

test('after a reboot the index is not believed: blocks of it may be older than its header', async (t) => {
  const { system, store } = await tinyStore()
  await dedupe(store, [record('a')])
  const before = fileOf(system, INDEX)
  await dedupe(store, [record('b')])
  replaceBytes(system, INDEX, before.subarray(512), 512)
  t.is(await dedupe(openStore(beside(system, { rebooted: true }), STORE), [record('b'), record('a')]), '1! 0!')
})

test('what a recovery dropped takes nothing else with it: the index of the leader epoch before is not believed', async (t) => {
  const { system, store } = await tinyStore()
  await dedupe(store, [record('a')], { acks: 0 })
  // Another record takes the place of the first in the table; the process dies before the header covers it; the record is damaged.
  system.failpoints.set('dedupe.after-buckets', () => {
    throw new Error('killed')
  })
  t.is(await dedupe(store, [record('a', NOW_MS + WINDOW_MS + 1)], { acks: 0 }), '1')
  system.failpoints.delete('dedupe.after-buckets')
  const log = `${STORE}/t-0/00000000000000000000.log`
  replaceBytes(system, log, Uint8Array.of(0x7f), fileOf(system, log).length - 3)
  const other = openStore(beside(system), STORE)
  const error = await t.throwsAsync(produce(other, 't', ['x']))
  t.true(isLogqError(error, 'LOGQ_CORRUPT'))
  t.is(await dedupe(openStore(beside(system), STORE), [record('a')]), '0!')
})

test('an entry that took the place of another, and whose record a recovery cut off, makes the index be built anew', async (t) => {
  const cases = [
    { between: [], expected: '0!' },
    // Another record has its offset by now; the same id has it, older.
    { between: [record('x')], expected: '0!' },
    { between: [record('a', NOW_MS - 5000)], expected: '0!' },
    { between: [record('a', NOW_MS - 5000), record('a', NOW_MS - 6000)], expected: '0!' },
  ]
  for (const { between, expected } of cases) {
    const { system, store } = await tinyStore()
    await dedupe(store, [record('a')], { acks: 0 })
    system.failpoints.set('dedupe.after-buckets', () => {
      throw new Error('killed')
    })
    t.is(await dedupe(store, [record('a', NOW_MS + WINDOW_MS + 1)], { acks: 0 }), '1')
    system.failpoints.delete('dedupe.after-buckets')
    // The disk lost the end of the log, and not the blocks of the index. One torn batch begins no leader epoch.
    const log = `${STORE}/t-0/00000000000000000000.log`
    const bytes = fileOf(system, log)
    replaceBytes(system, log, bytes.subarray(0, bytes.length - 3))
    await produce(openStore(beside(system), STORE), 't', between)
    t.is(await dedupe(openStore(beside(system), STORE), [record('a')]), expected)
    t.is((await values(store, 't')).length, 1 + between.length)
  }
})

test('an import from the newest record to the oldest builds the index now and then, not for every batch', async (t) => {
  const { system, store } = await tinyStore()
  const builds = () =>
    system.fs.operations.filter(({ operation, path }) => operation === 'truncate' && path.endsWith('dedupe-key')).length
  const producer = await Producer.open(store, 't', { dedupe: { by: { field: 'key' }, windowMs: WINDOW_MS } })
  for (let batch = 0; batch < 60; batch += 1) {
    for (let n = 0; n < 50; n += 1) await producer.add(record(`${batch} ${n}`, NOW_MS - (60 * batch + n) * 60_000))
    await producer.flush()
  }
  await producer.close()
  t.is(producer.duplicateCount, 0)
  t.true(builds() < 15, `${builds()} builds`)
})

test('a window without end takes one look through the log', async (t) => {
  const { system, store } = await tinyStore()
  const options = { dedupe: { by: { field: 'key' }, windowMs: Infinity } } as const
  for (const key of ['a', 'b', 'c', 'a']) await dedupe(store, [record(key, 0)], options)
  t.deepEqual(await values(store, 't'), ['a', 'b', 'c'])
  const builds = system.fs.operations.filter(({ operation, path }) => operation === 'truncate' && path.endsWith('dedupe-key'))
  t.is(builds.length, 1)
})

test('an index of another kind in its place, a full table, and any byte that is another one, do no harm', async (t) => {
  const { system, store } = await tinyStore()
  await dedupe(store, [record('a'), record('b')])
  await dedupe(store, [record('a')], { dedupe: { by: { field: 'value' } } })
  const good = fileOf(system, INDEX)
  const ofValues = fileOf(system, INDEX.replace('key', 'value'))
  const isUsed = (position: number) => good[position] !== 0 || position < 530
  const positions = [...good.keys()].filter(isUsed).filter((_, n) => n % 7 === 0)
  const wrong = positions.map((position) => good.map((byte, at) => (at === position ? byte ^ 0x41 : byte)))
  for (const bytes of [ofValues, good.subarray(0, 700), new Uint8Array(good.length), ...wrong]) {
    replaceBytes(system, INDEX, bytes)
    t.is(await dedupe(store, [record('b'), record('a')]), '1! 0!')
  }
  t.true(wrong.length > 50)
})

test('a forged entry makes no record a duplicate: the log says what it holds', async (t) => {
  const { system, store } = await tinyStore()
  await dedupe(store, [record('a')])
  const hash = hashOfId(text('new'))
  const number = homeBucket(hash, 64)
  const bucket = emptyBucket(number)
  writeEntry(bucket, 0, hash, { offset: 0, timestampMs: NOW_MS, hidesOthers: false })
  sealBucket(bucket)
  replaceBytes(system, INDEX, bucket, (number + 1) * BUCKET_BYTES)
  t.is(await dedupe(store, [record('new'), record('a')]), '1 0!')
})

test('many records of one id with lesser and lesser timestamps: the last of them are known when the first are gone', async (t) => {
  const { store } = await tinyStore()
  const falling = Array.from({ length: 60 }, (_, n) => record('a', NOW_MS - n))
  await produce(store, 't', falling)
  t.regex(await dedupe(store, [record('a', NOW_MS)]), /^\d+!$/)
  const context = appendContext(store, 't', 0, () => new TopicConfig({}))
  writeLogStartOffset(context, 40)
  t.regex(await dedupe(store, [record('a', NOW_MS)]), /^[45]\d!$/)
  writeLogStartOffset(context, 59)
  t.is(await dedupe(store, [record('a', NOW_MS)]), '59!')
  writeLogStartOffset(context, 60)
  t.is(await dedupe(store, [record('a', NOW_MS)]), '60')
})

test('when the index cannot be written nothing is appended; when that comes too late the append stands', async (t) => {
  const { system, store } = await tinyStore()
  system.fs.failNth({ operation: 'write', pathIncludes: 'dedupe-key', code: 'ENOSPC', persistent: true })
  const error = await t.throwsAsync(dedupe(store, [record('a')]))
  t.true(isLogqError(error, 'LOGQ_IO') && error.message.includes('dedupe-key'))
  t.deepEqual(await values(store, 't'), [])
  system.fs.reset()
  const producer = await Producer.open(store, 't', { dedupe: { by: { field: 'key' } } })
  await producer.add(record('a'))
  await producer.flush()
  system.fs.failNth({ operation: 'write', pathIncludes: 'dedupe-key', code: 'ENOSPC', persistent: true })
  await producer.add(record('b'))
  await producer.close()
  t.deepEqual(await values(store, 't'), ['a', 'b'])
  system.fs.reset()
  t.is(await dedupe(store, [record('b'), record('a'), record('c')]), '1! 0! 2')
})

test('what a duplicate stands for is synced before the producer says so, whoever appended it', async (t) => {
  const { system, store } = await tinyStore()
  const careless = await Producer.open(store, 't', { acks: 0 })
  await careless.add(record('a'))
  await careless.close()
  const from = system.fs.operations.length
  t.is(await dedupe(store, [record('a')]), '0!')
  const synced = system.fs.operations
    .slice(from)
    .filter(({ operation, path }) => operation === 'fdatasync' && path.endsWith('.log'))
  t.is(synced.length, 1)
  const again = system.fs.operations.length
  t.is(await dedupe(store, [record('a')]), '0!')
  t.false(system.fs.operations.slice(again).some(({ operation }) => operation === 'fdatasync'))
})

test('the id chooses the partition where no key does, and with a partitioner that looks at nothing', async (t) => {
  for (const partitioner of ['murmur2', 'random', 'roundrobin'] as const) {
    const { store } = await tinyStore(null)
    await createTopic(store, 't', { partitions: 5, partitioner })
    const targets = new Map<string, number>()
    for (let round = 0; round < 3; round += 1) {
      const producer = await Producer.open(store, 't', { dedupe: { by: { field: 'value' } } })
      for (let n = 0; n < 30; n += 1) {
        await producer.add({ value: text(`id ${n}`) })
        t.is(targets.get(`id ${n}`) ?? producer.lastPartition, producer.lastPartition)
        targets.set(`id ${n}`, producer.lastPartition)
      }
      await producer.close()
      t.is(producer.duplicateCount, round === 0 ? 0 : 30)
    }
    t.is(new Set(targets.values()).size, 5)
  }
})

test('the index follows a log that another producer goes on with, and one whose file is deleted under it', async (t) => {
  const { system, store } = await tinyStore()
  const places: string[] = []
  const producer = await Producer.open(store, 't', {
    dedupe: { by: { field: 'key' } },
    onDuplicate: (_, offset) => places.push(`${offset}!`),
  })
  for (const [n, key] of ['a', 'b', 'c'].entries()) {
    await produce(store, 't', [record(key)])
    if (n === 1) system.fs.unlink(INDEX)
    await producer.add(record(key))
    await producer.flush()
  }
  await producer.close()
  t.deepEqual(places, ['0!', '1!', '2!'])
  t.deepEqual(await values(store, 't'), ['a', 'b', 'c'])
})

test('whole batches are not looked into', async (t) => {
  const { store } = await tinyStore()
  const producer = await Producer.open(store, 't', { dedupe: { by: { field: 'key' } } })
  const batch = { bytes: new Uint8Array(100), recordCount: 1, lastOffsetDelta: 0, maxTimestampMs: 0 }
  await t.throwsAsync(producer.appendBatch(batch, 0), { message: /whole batches/ })
  await producer.close()
})
