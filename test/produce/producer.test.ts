import test from 'ava'
import fc from 'fast-check'
import { isLogqError, systemErrorCode } from '../../lib/errors.js'
import { partitionOfKey } from '../../lib/bytes/murmur2.js'
import { listSegments, logEndOffset } from '../../lib/log/log-view.js'
import { PartitionLock } from '../../lib/log/partition-lock.js'
import { readPartition } from '../../lib/log/read-partition.js'
import { Producer, type AppendedRecords } from '../../lib/produce/producer.js'
import { recordSizeBytes } from '../../lib/record/batch-builder.js'
import { viewContext } from '../../lib/store/partition.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { addPartitions, alterTopic, createTopic, removeTopic } from '../../lib/store/topics.js'
import { beside } from '../log/tiny-log.js'
import { STORE, keyed, produce, text, tinyStore, values } from '../store/tiny-store.js'

async function batches(store: Store, partition = 0): Promise<{ records: number; codec: string }[]> {
  const context = viewContext(store, 't', partition)
  const found: { records: number; codec: string }[] = []
  for await (const { batch } of readPartition(context, 0, logEndOffset(context, listSegments(context)))) {
    found.push({ records: batch.recordCount, codec: batch.codec })
  }
  return found
}

/** What org.apache.kafka.common.utils.Utils.murmur2 gives, as its own tests have it. */
const MURMUR2: readonly (readonly [string, number])[] = [
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
]

for (const [key, hash] of MURMUR2) {
  test(`a record with the key '${key}' goes to the partition that Kafka's Java client gives it`, async (t) => {
    for (const partitions of [1, 2, 7]) {
      const { store } = await tinyStore({ partitions })
      await produce(store, 't', [keyed(key, 'v')])
      t.deepEqual(await values(store, 't', (hash & 0x7fff_ffff) % partitions), ['v'])
    }
  })
}

test('an empty key is a key, and no key is none', async (t) => {
  const { store } = await tinyStore({ partitions: 5 })
  const partition = partitionOfKey(new Uint8Array(0), 5)
  const producer = await Producer.open(store, 't')
  for (let n = 0; n < 6; n += 1) {
    await producer.add({ key: new Uint8Array(0), value: text('empty') })
    t.is(producer.lastPartition, partition)
  }
  await producer.close()
  t.is((await values(store, 't', partition)).length, 6)
})

test('records without a key fill a batch of one partition, then of the next', async (t) => {
  const { store } = await tinyStore({ partitions: 3 })
  const producer = await Producer.open(store, 't', { batchBytes: 300 })
  const targets: number[] = []
  for (let n = 0; n < 90; n += 1) {
    await producer.add({ value: text(`record ${n}`) })
    targets.push(producer.lastPartition)
  }
  await producer.close()
  const changes = targets.filter((target, n) => n > 0 && target !== targets[n - 1])
  t.true(changes.length >= 5 && changes.length <= 12, `${changes.length} changes`)
  t.is(new Set(targets).size, 3)
  for (const [n, target] of changes.entries()) if (n > 0) t.is(target, ((changes[n - 1] ?? 0) + 1) % 3)
})

test('records without a key go round the partitions when each is flushed by itself, beside records with keys', async (t) => {
  const { store } = await tinyStore({ partitions: 2 })
  const producer = await Producer.open(store, 't')
  const targets = new Set<number>()
  for (let n = 0; n < 6; n += 1) {
    await producer.add({ value: text('plain') })
    targets.add(producer.lastPartition)
    for (const key of ['a', 'b', 'c', 'd']) await producer.add(keyed(key, 'v'))
    await producer.flush()
  }
  await producer.close()
  t.is(targets.size, 2)
})

test('the roundrobin partitioner goes round record by record, the random one anywhere, both whatever the key', async (t) => {
  const round = await tinyStore({ partitions: 3, partitioner: 'roundrobin' })
  await produce(
    round.store,
    't',
    Array.from({ length: 9 }, (_, n) => keyed('same', `${n}`)),
  )
  const counts = await Promise.all([0, 1, 2].map(async (partition) => (await values(round.store, 't', partition)).length))
  t.deepEqual(counts, [3, 3, 3])

  const random = await tinyStore({ partitions: 3, partitioner: 'random' })
  await produce(
    random.store,
    't',
    Array.from({ length: 60 }, () => keyed('same', 'x')),
  )
  for (const partition of [0, 1, 2]) t.true((await values(random.store, 't', partition)).length > 5)
})

test('records of one partition stay in the order of add(), over batches and partitions', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c', null), { maxLength: 80 }),
      fc.integer({ min: 100, max: 400 }),
      async (keys, batchBytes) => {
        const { store } = await tinyStore({ partitions: 3 })
        const producer = await Producer.open(store, 't', { batchBytes })
        const expected = new Map<number, string[]>([0, 1, 2].map((partition) => [partition, []]))
        for (const [n, key] of keys.entries()) {
          await producer.add({ key: key === null ? null : text(key), value: text(`${n}`) })
          expected.get(producer.lastPartition)?.push(`${n}`)
        }
        await producer.close()
        t.is(producer.appendedCount, keys.length)
        for (const [partition, list] of expected) t.deepEqual(await values(store, 't', partition), list)
      },
    ),
    { numRuns: 40 },
  )
})

test('a record above max.message.bytes is refused alone', async (t) => {
  const { store } = await tinyStore({ config: { 'max.message.bytes': 1000 } })
  const producer = await Producer.open(store, 't', { batchBytes: 400 })
  const largest = 'x'.repeat(1000 - recordSizeBytes({ value: new Uint8Array(500) }) + 500)
  for (const value of ['a', `${largest}y`, 'b', largest, 'c', 'z'.repeat(5000), 'd']) {
    try {
      await producer.add({ value: text(value) })
    } catch (error) {
      t.true(isLogqError(error, 'LOGQ_RECORD_TOO_LARGE'))
    }
  }
  await producer.close()
  t.deepEqual(
    (await values(store, 't')).map((value) => `${value.slice(0, 1)}${value.length}`),
    ['a1', 'b1', `x${largest.length}`, 'c1', 'd1'],
  )
})

test('a record that is larger than a batch gets one of its own', async (t) => {
  const { store } = await tinyStore()
  await produce(store, 't', ['a', 'x'.repeat(2000), 'b', 'c'], { batchBytes: 500 })
  t.deepEqual(
    (await batches(store)).map(({ records }) => records),
    [1, 1, 2],
  )
})

test('a record that cannot be is refused alone', async (t) => {
  const { store } = await tinyStore()
  const producer = await Producer.open(store, 't')
  await producer.add({ value: text('a') })
  const wrong: unknown = await Promise.resolve()
    .then(() => producer.add({ value: text('b'), timestampMs: -5 }))
    .catch((error: unknown) => error)
  t.true(isLogqError(wrong, 'LOGQ_INVALID_RECORD'))
  await producer.add({ value: text('c') })
  await producer.close()
  t.deepEqual(await values(store, 't'), ['a', 'c'])
})

test('a producer of one partition sends everything there, and refuses one that is not there', async (t) => {
  const { store } = await tinyStore({ partitions: 3 })
  await produce(store, 't', [keyed('a', '1'), keyed('b', '2'), '3'], { partition: 2 })
  t.deepEqual(await values(store, 't', 2), ['1', '2', '3'])
  t.true(isLogqError(await t.throwsAsync(Producer.open(store, 't', { partition: 3 })), 'LOGQ_UNKNOWN_PARTITION'))
  const producer = await Producer.open(store, 't')
  for (const partition of [3, -1, 0.5]) {
    t.true(
      isLogqError(
        t.throws(() => producer.add({ value: text('x') }, 0, partition)),
        'LOGQ_UNKNOWN_PARTITION',
      ),
    )
  }
  await producer.add({ value: text('4') }, 0, 1)
  await producer.close()
  t.deepEqual(await values(store, 't', 1), ['4'])
})

test("Producer.open() refuses an unknown topic and a partitioner that is not the topic's", async (t) => {
  const { store } = await tinyStore()
  t.true(isLogqError(await t.throwsAsync(Producer.open(store, 'none')), 'LOGQ_UNKNOWN_TOPIC'))
  t.true(isLogqError(await t.throwsAsync(Producer.open(store, 't', { partitioner: 'random' })), 'LOGQ_USAGE'))
  await t.notThrowsAsync(Producer.open(store, 't', { partitioner: 'murmur2' }))
})

test('records get the time at which they were added, unless they bring one', async (t) => {
  const { system, store } = await tinyStore()
  system.clock.advancesByItself = false
  const producer = await Producer.open(store, 't')
  const first = system.clock.nowMs()
  await producer.add({ value: text('a') })
  await system.clock.advance(70)
  await producer.add({ value: text('b') })
  await producer.add({ value: text('c'), timestampMs: 5 })
  await producer.add({ value: text('d'), timestampMs: -1 })
  await producer.close()
  const context = viewContext(store, 't', 0)
  const times: unknown[] = []
  for await (const { batch } of readPartition(context, 0, 4))
    for (const { timestampMs } of batch.records()) times.push(timestampMs)
  t.deepEqual(times, [first, first + 70, 5, -1])
})

test('the codec is that of the option, else that of the topic', async (t) => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd', 'none'] as const) {
    const { store } = await tinyStore({ config: { 'compression.type': codec } })
    await produce(store, 't', ['a', 'b'])
    await produce(store, 't', ['c'], { codec: 'gzip' })
    t.deepEqual(await batches(store), [
      { records: 2, codec },
      { records: 1, codec: 'gzip' },
    ])
    t.deepEqual(await values(store, 't'), ['a', 'b', 'c'])
  }
})

test('addLines() takes whole lines, says where it stopped, and names a line that is too large', async (t) => {
  const { store } = await tinyStore({ config: { 'max.message.bytes': 200 } })
  const producer = await Producer.open(store, 't', { batchBytes: 150 })
  const input = text(`one\ntwo\n\n${'x'.repeat(300)}\nthree\nrest without end`)
  const newline = text('\n')
  const stops: string[] = []
  let count = 0
  for (let position = 0; ;) {
    const result = producer.addLines(input, position, input.length, newline, 7, count)
    stops.push(result.stopped)
    count += result.recordCount
    position = result.position
    if (result.stopped === 'input-exhausted') {
      t.is(Buffer.from(input.subarray(position)).toString(), 'rest without end')
      break
    }
    if (result.stopped === 'batch-full') await producer.flushFull()
    else position = input.indexOf(10, position) + 1
  }
  await producer.close()
  t.true(stops.includes('record-too-large'))
  t.is(count, 4)
  t.deepEqual(await values(store, 't'), ['one', 'two', '', 'three'])
})

test('onAppended gives every record with its offset, once', async (t) => {
  const { store } = await tinyStore({ partitions: 2 })
  const ranges: AppendedRecords[] = []
  await produce(
    store,
    't',
    Array.from({ length: 50 }, (_, n) => keyed(`k${n}`, `v${n}`)),
    { batchBytes: 200, onAppended: (range) => ranges.push(range) },
  )
  for (const partition of [0, 1]) {
    let next = 0
    for (const range of ranges.filter((one) => one.partition === partition)) {
      t.is(range.baseOffset, next)
      next += range.recordCount
    }
    t.is(next, (await values(store, 't', partition)).length)
  }
})

test('unwritten() names what was taken and is not in the log when an append fails', async (t) => {
  const { system, store } = await tinyStore({ partitions: 2 })
  const producer = await Producer.open(store, 't')
  await producer.add({ value: text('kept') }, 1, 0)
  await producer.flush()
  system.fs.failNth({ operation: 'write', pathIncludes: 't-0/00000000000000000000.log', code: 'ENOSPC', persistent: true })
  await producer.add({ value: text('other') }, 2, 1)
  await producer.add({ value: text('x'.repeat(30)) }, 3, 0)
  await producer.add({ value: text('y'.repeat(30)) }, 4, 0)
  t.true(isLogqError(await t.throwsAsync(producer.flush()), 'LOGQ_IO'))
  t.deepEqual(producer.unwritten(), [
    { partition: 1, recordCount: 1, firstTag: 2 },
    { partition: 0, recordCount: 2, firstTag: 3 },
  ])
  t.is(producer.appendedCount, 1)
  await producer.close(true)
  t.deepEqual(await values(store, 't', 0), ['kept'])
  t.is(system.process.openDescriptors, 0)
})

test('unwritten() says of a batch that the disk failed on whether it may be in the log', async (t) => {
  const { system, store } = await tinyStore()
  const producer = await Producer.open(store, 't')
  await producer.add({ value: text('kept') }, 1, 0)
  await producer.flush()
  system.fs.failNth({ operation: 'write', pathIncludes: 't-0/lock', code: 'EIO' })
  system.fs.failNth({ operation: 'truncate', pathIncludes: '.log', code: 'EIO' })
  await producer.add({ value: text('perhaps') }, 2, 0)
  await t.throwsAsync(producer.flush(), { message: /may have been appended/ })
  t.deepEqual(producer.unwritten(), [{ partition: 0, recordCount: 1, firstTag: 2, mayBeWritten: true }])
  await producer.close(true)
})

for (const [what, pathIncludes] of [
  ['a lock', 't-5/lock'],
  ['a log', 't-5/00000000000000000000.log'],
] as const) {
  test(`where descriptors run out at the opening of ${what}, other logs are synced and closed, and nothing is lost`, async (t) => {
    const { system, store } = await tinyStore({ partitions: 8 })
    const producer = await Producer.open(store, 't')
    system.fs.failNth({ operation: 'open', pathIncludes, code: 'EMFILE' })
    for (const round of [1, 2]) {
      for (let partition = 0; partition < 8; partition += 1) await producer.add({ value: text(`r${round}`) }, 0, partition)
      await producer.flush()
    }
    t.true(system.process.openDescriptors < 8 * 2)
    await producer.close()
    for (let partition = 0; partition < 8; partition += 1) t.deepEqual(await values(store, 't', partition), ['r1', 'r2'])
    t.is(system.process.openDescriptors, 0)
  })
}

test('a producer for which not one log can be opened says why', async (t) => {
  const { system, store } = await tinyStore({ partitions: 3 })
  const producer = await Producer.open(store, 't')
  await producer.add({ value: text('a') }, 1, 0)
  await producer.flush()
  system.fs.failNth({ operation: 'open', pathIncludes: 't-1/lock', code: 'EMFILE', persistent: true })
  await producer.add({ value: text('b') }, 2, 1)
  const error = await t.throwsAsync(producer.flush())
  t.is(systemErrorCode(error), 'EMFILE')
  await producer.close(true)
})

test('sync() and close() acknowledge only what is on the device; with acks 0 they do not wait for it', async (t) => {
  for (const acks of [0, 1] as const) {
    const { system, store } = await tinyStore({ partitions: 3 })
    const from = system.fs.operations.length
    await produce(store, 't', [keyed('a', '1'), keyed('b', '2'), keyed('c', '3'), keyed('d', '4')], { acks })
    const syncs = system.fs.operations.slice(from).filter(({ operation }) => operation === 'fdatasync')
    const disk = system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'none' })
    const rebooted = openStore(beside(system, { disk, rebooted: true }), STORE)
    const left = (await Promise.all([0, 1, 2].map((partition) => values(rebooted, 't', partition)))).flat()
    t.deepEqual(left.sort(), acks === 1 ? ['1', '2', '3', '4'] : [])
    t.is(syncs.length > 0, acks === 1)
  }
})

test('sync() does not return before the device has the records', async (t) => {
  const { system, store } = await tinyStore()
  const producer = await Producer.open(store, 't')
  await producer.add({ value: text('a') })
  system.disk.holdSyncs = true
  let isDone = false
  const synced = producer.sync().then(() => (isDone = true))
  await system.clock.sleep(1)
  t.false(isDone)
  system.disk.releaseSyncs()
  await synced
  t.true(isDone)
  await producer.close()
})

test('no more than 200 logs are open at once, and those that are closed were synced', async (t) => {
  const partitions = 230
  const { system, store } = await tinyStore({ partitions })
  const producer = await Producer.open(store, 't')
  for (let round = 0; round < 2; round += 1) {
    for (let partition = 0; partition < partitions; partition += 1)
      await producer.add({ value: text(`${round}`) }, 0, partition)
    await producer.flush()
    t.true(system.process.openDescriptors <= 200 * 4, `${system.process.openDescriptors} descriptors`)
  }
  await producer.close()
  t.is(system.process.openDescriptors, 0)
  const disk = system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'none' })
  const rebooted = openStore(beside(system, { disk, rebooted: true }), STORE)
  for (let partition = 0; partition < partitions; partition += 1) {
    t.deepEqual(await values(rebooted, 't', partition), ['0', '1'])
  }
})

test('what is collected stays within bounds, however many partitions there are and however long it goes on', async (t) => {
  const partitions = 60
  const { store } = await tinyStore({ partitions })
  const producer = await Producer.open(store, 't', { batchBytes: 500_000 })
  const value = new Uint8Array(49_000)
  let mostUnwritten = 0
  for (let n = 0; n < 1500; n += 1) {
    // Batches get full one after the other, and then all at about the same time.
    await producer.add({ value }, n, n < 600 ? Math.floor(n / 10) : n % partitions)
    const unwritten = producer.unwritten().reduce((sum, { recordCount }) => sum + recordCount, 0)
    mostUnwritten = Math.max(mostUnwritten, unwritten)
  }
  t.true(mostUnwritten * value.length <= 24 << 20, `${mostUnwritten} records`)
  await producer.close()
  t.is(producer.appendedCount, 1500)
})

test('a running producer obeys changed settings and added partitions within a second', async (t) => {
  const { system, store } = await tinyStore({ config: { 'max.message.bytes': 1000 } })
  system.clock.advancesByItself = false
  const producer = await Producer.open(store, 't')
  await producer.add({ value: text('a') })
  await producer.flush()
  const other = openStore(beside(system), STORE)
  await alterTopic(other, 't', { 'max.message.bytes': 500, 'segment.bytes': 300 })
  await addPartitions(other, 't', 4)
  await system.clock.advance(1000)
  await producer.add({ value: text('b') })
  await producer.flush()
  t.is(producer.maxRecordBytes, 500)
  const targets = new Set<number>()
  for (let n = 0; n < 40; n += 1) {
    await producer.add(keyed(`k${n}`, 'x'))
    targets.add(producer.lastPartition)
  }
  t.is(targets.size, 4)
  await producer.close()
})

test('a running producer finds its topic removed, also when one of that name was created', async (t) => {
  for (const recreate of [false, true]) {
    const { system, store } = await tinyStore()
    const producer = await Producer.open(store, 't')
    await producer.add({ value: text('a') })
    await producer.flush()
    const other = openStore(beside(system), STORE)
    await removeTopic(other, 't')
    if (recreate) await createTopic(other, 't')
    await producer.add({ value: text('b') }, 9)
    const error = await t.throwsAsync(producer.flush())
    t.true(isLogqError(error, 'LOGQ_TOPIC_REMOVED'))
    t.deepEqual(
      producer.unwritten().map(({ firstTag }) => firstTag),
      [9],
    )
    await producer.close(true)
    if (recreate) t.deepEqual(await values(other, 't'), [])
  }
})

test('a signal ends the wait for the append lock, and onLongWait names partition and holder', async (t) => {
  const { system, store } = await tinyStore({ partitions: 2 })
  const holder = PartitionLock.open(beside(system, { pid: 77 }), `${STORE}/t-1`)
  await holder.acquire({})
  holder.noteHolder(undefined)
  const stop = new AbortController()
  const waits: unknown[] = []
  const producer = await Producer.open(store, 't', {
    signal: stop.signal,
    onLongWait: (partition, pid) => waits.push([partition, pid]),
  })
  await producer.add({ value: text('a') }, 3, 1)
  system.clock.advancesByItself = false
  const flushed = producer.flush()
  await system.clock.advance(0)
  await system.clock.advance(5000)
  t.deepEqual(waits, [[1, 77]])
  stop.abort()
  t.true(isLogqError(await t.throwsAsync(flushed), 'LOGQ_ABORTED'))
  t.is(producer.unwritten().length, 1)
  await producer.close(true)
})
