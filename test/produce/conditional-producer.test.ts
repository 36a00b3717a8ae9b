import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { isLogqError } from '../../lib/errors.js'
import { partitionOfKey } from '../../lib/bytes/murmur2.js'
import { ConditionalProducer } from '../../lib/produce/conditional-producer.js'
import { ExpectationError, type Expectation } from '../../lib/produce/expectation.js'
import { Producer, type ProducerOptions } from '../../lib/produce/producer.js'
import type { RecordInput } from '../../lib/record/record.js'
import { BatchBuilder } from '../../lib/record/batch-builder.js'
import { partitionOffsets, viewContext } from '../../lib/store/partition.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { beside } from '../log/tiny-log.js'
import { STORE, keyed, produce, text, tinyStore, values } from '../store/tiny-store.js'

async function append(
  store: Store,
  expectation: Expectation,
  records: readonly (string | RecordInput)[],
  options: ProducerOptions = {},
): Promise<number> {
  const producer = await ConditionalProducer.open(store, 't', expectation, options)
  try {
    for (const record of records) await producer.add(typeof record === 'string' ? { value: text(record) } : record)
    await producer.commit()
    return producer.appendedCount
  } finally {
    await producer.close()
  }
}

const logEnd = (offset: number): Expectation => ({ kind: 'log-end', offset })
const latest = (key: string, offset: number | undefined): Expectation => ({ kind: 'key', key: text(key), offset })

async function conflict(t: ExecutionContext, made: Promise<unknown>, expected: number | undefined, actual: number | undefined) {
  const error = await t.throwsAsync(made, { instanceOf: ExpectationError })
  t.true(isLogqError(error, 'LOGQ_CONFLICT'))
  t.is(error.expectedOffset, expected)
  t.is(error.actualOffset, actual)
  t.regex(error.hint ?? '', /^nothing was appended; /)
}

test('records are appended when the log ends where it should, all of them or none', async (t) => {
  const { store } = await tinyStore()
  t.is(await append(store, logEnd(0), ['a', 'b']), 2)
  await conflict(t, append(store, logEnd(1), ['x', 'y']), 1, 2)
  await conflict(t, append(store, logEnd(5), ['x']), 5, 2)
  t.is(await append(store, logEnd(2), [keyed('k', 'c')]), 1)
  t.deepEqual(await values(store, 't'), ['a', 'b', 'c'])
})

test('records are appended when the latest record of the key is where it should be', async (t) => {
  const { store } = await tinyStore()
  await conflict(t, append(store, latest('k', 0), ['x']), 0, undefined)
  t.is(await append(store, latest('k', undefined), [keyed('other', '0'), keyed('k', '1'), keyed('k', '2')]), 3)
  await conflict(t, append(store, latest('k', undefined), ['x']), undefined, 2)
  await conflict(t, append(store, latest('k', 1), ['x']), 1, 2)
  await produce(store, 't', [keyed('other', '3')])
  t.is(await append(store, latest('k', 2), [{ key: text('k'), value: null }]), 1, 'records of other keys do not matter')
  t.is(await append(store, latest('k', 4), [keyed('k', '5')]), 1, 'a tombstone counts as a record')
  t.deepEqual(await values(store, 't'), ['0', '1', '2', '3', '', '5'])
})

test('an expectation is checked also when there is nothing to append', async (t) => {
  const { store } = await tinyStore()
  t.is(await append(store, logEnd(0), []), 0)
  t.is(await append(store, latest('k', undefined), []), 0)
  await conflict(t, append(store, logEnd(1), []), 1, 0)
  await conflict(t, append(store, latest('k', 0), []), 0, undefined)
  t.deepEqual(await values(store, 't'), [])
})

test('all records belong to one partition, which the option, the expected key or the keys say', async (t) => {
  const { store } = await tinyStore({ partitions: 4 })
  const [k, other] = ['k', 'other'].map((key) => partitionOfKey(text(key), 4))
  t.not(k, other)
  const usage = async (made: Promise<unknown>, message: RegExp) => {
    const error = await t.throwsAsync(made, { message })
    t.true(isLogqError(error, 'LOGQ_USAGE'))
  }
  await usage(append(store, logEnd(0), ['no key']), /has 4 partitions, and without a key/)
  await usage(append(store, logEnd(0), []), /has 4 partitions, and without a key/)
  await usage(append(store, logEnd(0), [keyed('k', '1'), keyed('other', '2')]), /belongs to partition \d, not to \d/)
  await usage(append(store, latest('k', undefined), [keyed('other', '2')]), /belongs to partition/)
  t.is(await append(store, latest('k', undefined), ['without a key', keyed('k', '1')]), 2, 'no key goes with the expected one')
  t.is(await append(store, logEnd(2), [keyed('k', '2'), 'after a key']), 2)
  t.deepEqual(await values(store, 't', k), ['without a key', '1', '2', 'after a key'])
  const elsewhere = ((k ?? 0) + 1) % 4
  t.is(await append(store, latest('k', undefined), [keyed('k', '1'), 'x'], { partition: elsewhere }), 2)
  t.deepEqual(await values(store, 't', elsewhere), ['1', 'x'])
})

test('where the key alone does not say the partition, it has to be named', async (t) => {
  for (const partitioner of ['random', 'roundrobin', 'size(value)']) {
    const { store } = await tinyStore({ partitions: 2, partitioner })
    await t.throwsAsync(append(store, latest('k', undefined), [keyed('k', '1')]), {
      message: /does not say which of the 2 partitions/,
    })
    t.is(await append(store, latest('k', undefined), [keyed('k', '1')], { partition: 1 }), 1)
  }
  const { store } = await tinyStore({ partitions: 2, partitioner: 'size(key)' })
  t.is(await append(store, latest('abc', undefined), [keyed('abc', '1')]), 1)
  t.deepEqual(await values(store, 't', 1), ['1'])
})

test('what does not fit one batch is refused before anything is appended, but for one larger record', async (t) => {
  const { store } = await tinyStore()
  const large = 'x'.repeat(600_000)
  await t.throwsAsync(append(store, logEnd(0), [large, large]), { message: /do not fit one batch of 1000000 bytes/ })
  t.deepEqual(await values(store, 't'), [])
  t.is(await append(store, logEnd(0), [large + large]), 1)
  await t.throwsAsync(append(store, logEnd(1), [large + large, 'and more']), { message: /do not fit one batch/ })
  t.is((await values(store, 't')).length, 1)
})

test('lines are taken too, and wait for commit', async (t) => {
  const { store } = await tinyStore()
  const producer = await ConditionalProducer.open(store, 't', logEnd(0))
  t.true(producer.takesLines)
  const lines = text('a\nb\nc\n')
  const newline = text('\n')
  t.is(producer.addLines(lines, 0, lines.length, newline, 5, 1).recordCount, 3)
  await producer.sync()
  t.deepEqual(await values(store, 't'), [], 'before commit nothing is appended')
  await producer.commit()
  await producer.close()
  t.deepEqual(await values(store, 't'), ['a', 'b', 'c'])
  await t.throwsAsync(producer.flushFull(), { message: /do not fit one batch/ })
})

test('a producer that is quicker is noticed between the look and the append', async (t) => {
  const race = async (expectation: Expectation, theirs: RecordInput) => {
    const { system, store } = await tinyStore()
    const rival = openStore(beside(system), STORE)
    const { locks } = system
    const tryLock = locks.tryLock.bind(locks)
    const waitForLock = locks.waitForLock.bind(locks)
    let rounds = 0
    // The look was taken: the lock is the rival's now.
    locks.tryLock = (fd, shared) => rounds > 0 && tryLock(fd, shared)
    locks.waitForLock = async (fd, shared) => {
      rounds += 1
      if (rounds === 1) await produce(rival, 't', [theirs])
      await waitForLock(fd, shared)
    }
    await append(store, expectation, [keyed('k', 'mine')]).finally(() => {
      t.is(rounds, 1)
    })
    return values(store, 't')
  }
  t.deepEqual(await race(latest('k', undefined), keyed('other', 'theirs')), ['theirs', 'mine'], 'another key does not matter')
  await conflict(t, race(latest('k', undefined), keyed('k', 'theirs')), undefined, 0)
  await conflict(t, race(logEnd(0), keyed('other', 'theirs')), 0, 1)
})

/** What one of several processes does over and over: reads the counter, adds one, and appends it if nobody was quicker. */
async function increment(store: Store, times: number, kind: Expectation['kind']): Promise<number> {
  let conflicts = 0
  for (let done = 0; done < times;) {
    const { logEndOffset } = partitionOffsets(viewContext(store, 't', 0))
    const all = await values(store, 't')
    const counters = all.slice(0, logEndOffset).flatMap((value, offset) => (value.startsWith('n') ? [{ value, offset }] : []))
    const last = counters.at(-1)
    const next = `n${Number(last?.value.slice(1) ?? 0) + 1}`
    const expectation = kind === 'log-end' ? logEnd(logEndOffset) : latest('n', last?.offset)
    try {
      await append(store, expectation, [keyed('n', next)])
      done += 1
    } catch (error) {
      if (!(error instanceof ExpectationError)) throw error
      conflicts += 1
    }
  }
  return conflicts
}

for (const kind of ['log-end', 'key'] as const) {
  test(`four processes that count with an expected ${kind} lose no update`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 4, maxLength: 4 }), async (times) => {
        const { system, store } = await tinyStore()
        const stores = [store, ...[1, 2, 3].map((n) => openStore(beside(system, { pid: 2000 + n }), STORE))]
        const noise = Producer.open(openStore(beside(system, { pid: 3000 }), STORE), 't').then(async (producer) => {
          for (let n = 0; n < 10; n += 1) {
            await producer.add(keyed('noise', `x${n}`))
            await producer.sync()
          }
          await producer.close()
        })
        await Promise.all([noise, ...stores.map((one, n) => increment(one, times[n] ?? 0, kind))])
        const counted = (await values(store, 't')).filter((value) => value.startsWith('n'))
        const total = times.reduce((sum, n) => sum + n, 0)
        t.deepEqual(
          counted,
          Array.from({ length: total }, (_, n) => `n${n + 1}`),
        )
      }),
      { numRuns: 15 },
    )
  })
}

test('a whole batch takes nothing beside it, nor is it taken beside records: all is appended or nothing', async (t) => {
  const { store } = await tinyStore()
  const sealed = new BatchBuilder({ codec: 'none', maxBatchBytes: 1000 })
  sealed.append({ value: text('whole'), timestampMs: 1 })
  const batch = { ...sealed.seal(), lastOffsetDelta: 0 }
  const first = await ConditionalProducer.open(store, 't', logEnd(0))
  await first.appendBatch(batch, 0)
  t.throws(() => first.add({ value: text('beside') }), { message: /do not fit one batch/ })
  await first.close()
  const second = await ConditionalProducer.open(store, 't', logEnd(0))
  await second.add({ value: text('record') })
  await t.throwsAsync(second.appendBatch(batch, 0), { message: /do not fit one batch/ })
  await second.close()
  t.deepEqual(await values(store, 't'), [])
})
