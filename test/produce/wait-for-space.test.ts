import test from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { Producer, type ProducerOptions } from '../../lib/produce/producer.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import type { Fault } from '../helpers/faulty-file-system.js'
import { text, tinyStore, values } from '../store/tiny-store.js'

/** Fills the disk, and frees space after so many seconds of the clock that stands still but for sleepers. */
function fillDisk(system: FakeSystem, fault: Partial<Fault>, seconds: number): void {
  system.fs.failNth({ operation: 'write', pathIncludes: 't-0/', code: 'ENOSPC', persistent: true, ...fault })
  void system.clock.sleep(seconds * 1000 - 500).then(() => {
    system.fs.reset()
  })
}

const FAULTS: readonly (readonly [string, Partial<Fault>, ProducerOptions])[] = [
  ['no space for the batch', { pathIncludes: '.log' }, {}],
  ['no space within the quota', { pathIncludes: '.log', code: 'EDQUOT' }, {}],
  ['space for a part of the batch', { pathIncludes: '.log', shortBy: 5 }, {}],
  ['no space for the state', { pathIncludes: '/lock' }, {}],
  ['no space for a new segment', { operation: 'open', pathIncludes: '.log' }, {}],
  ['with a decision before each append', { pathIncludes: '.log' }, { beforeAppend: (_p, batch) => Promise.resolve(batch) }],
]

for (const [what, fault, options] of FAULTS) {
  test(`on a full disk a producer that blocks waits, and appends once: ${what}`, async (t) => {
    const { system, store } = await tinyStore({ config: { 'segment.bytes': '14000', 'index.interval.bytes': '0' } })
    const waits: number[] = []
    const producer = await Producer.open(store, 't', {
      ...options,
      batchBytes: 5_000,
      onFull: 'block',
      onWaitForSpace: (partition) => waits.push(partition),
    })
    const wanted: string[] = []
    const add = async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        const value = `${wanted.length} ${'x'.repeat(100)}`
        wanted.push(value)
        await producer.add({ value: text(value) })
      }
      await producer.flush()
    }
    await add(100)
    fillDisk(system, fault, 3)
    const startedMs = system.clock.monotonicMs()
    await add(200)
    t.true(system.clock.monotonicMs() - startedMs >= 2_500)
    await producer.close()
    t.deepEqual(await values(store, 't'), wanted)
    t.deepEqual(waits, [0], 'said once')
  })
}

test('a batch that may be in the log is not appended again when there is space', async (t) => {
  const { system, store } = await tinyStore()
  const producer = await Producer.open(store, 't', { onFull: 'block' })
  await producer.add({ value: text('first') })
  await producer.flush()
  // The batch fits, the state block does not, and the batch cannot be cut off again.
  fillDisk(system, { pathIncludes: '/lock' }, 3)
  system.fs.failNth({ operation: 'truncate', pathIncludes: '.log', code: 'EIO', persistent: true })
  await producer.add({ value: text('second') })
  t.true(isLogqError(await t.throwsAsync(producer.flush()), 'LOGQ_IO'))
  t.deepEqual(
    producer.unwritten().map(({ mayBeWritten }) => mayBeWritten),
    [true],
  )
  await producer.close(true)
  system.fs.reset()
  t.deepEqual(await values(store, 't'), ['first', 'second'])
})

test('the signal ends the wait for space, with what the append failed of, and nothing is there of it', async (t) => {
  const { system, store } = await tinyStore()
  const signal = new AbortController()
  const producer = await Producer.open(store, 't', { onFull: 'block', signal: signal.signal })
  await producer.add({ value: text('before') })
  await producer.flush()
  system.fs.failNth({ operation: 'write', pathIncludes: '.log', code: 'ENOSPC', persistent: true })
  void system.clock.sleep(5_500).then(() => {
    signal.abort()
  })
  await producer.add({ value: text('never') }, 7)
  const error = await t.throwsAsync(producer.flush())
  t.true(isLogqError(error, 'LOGQ_IO'))
  t.deepEqual(producer.unwritten(), [{ partition: 0, recordCount: 1, firstTag: 7 }])
  await producer.close(true)
  t.deepEqual(await values(store, 't'), ['before'])
})

test('without onFull, and for other failures, nothing is tried again', async (t) => {
  for (const [code, onFull] of [
    ['ENOSPC', 'fail'],
    ['EIO', 'block'],
    ['EFBIG', 'block'],
  ] as const) {
    const { system, store } = await tinyStore()
    const producer = await Producer.open(store, 't', { onFull, onWaitForSpace: () => t.fail('no wait') })
    system.fs.failNth({ operation: 'write', pathIncludes: '.log', code })
    await producer.add({ value: text('x') })
    t.true(isLogqError(await t.throwsAsync(producer.flush()), 'LOGQ_IO'), code)
    await producer.close(true)
    t.deepEqual(await values(store, 't'), [])
  }
})
