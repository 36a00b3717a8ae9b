/** Readers that pass over damage: what they give, what they tell, and that they come to an end. */
import test from 'ava'
import fc from 'fast-check'
import { followTopic } from '../../lib/consume/follow-topic.js'
import { readRecords } from '../../lib/consume/read.js'
import type { PassedOver } from '../../lib/log/damage.js'
import { Log } from '../../lib/log/log.js'
import type { ViewContext } from '../../lib/log/log-view.js'
import { readPartitionBackwards } from '../../lib/log/read-backwards.js'
import { readPartition } from '../../lib/log/read-partition.js'
import { SliceWalk, type Direction } from '../../lib/log/slice-walk.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { copyOf } from '../maintain/damaged-partition.js'
import { craftBatch, craftRecord } from '../record/craft-batch.js'
import { produce, tinyStore } from '../store/tiny-store.js'
import { appendBytes, bases, batch, createTiny, fill, overwrite, pathOf, readFile, tinyContext } from './tiny-log.js'

interface Seen {
  readonly records: string[]
  readonly told: PassedOver[]
}

const END = 1_000_000

/** Everything that a reader gives which passes over damage. */
async function readOn(system: FakeSystem, direction: Direction = 'forwards', toOffset = END): Promise<Seen> {
  const told: PassedOver[] = []
  const context: ViewContext = { ...tinyContext(system), isContiguous: true, onDamage: (damage) => told.push(damage) }
  const records: string[] = []
  const read = direction === 'forwards' ? readPartition : readPartitionBackwards
  for await (const slice of read(context, 0, toOffset)) {
    try {
      const walk = new SliceWalk(slice, direction)
      while (walk.next()) records.push(`${walk.record.offset}:${Buffer.from(walk.record.value ?? []).toString()}`)
    } catch (error) {
      slice.failed(error)
    }
  }
  return { records, told }
}

const offsetOf = (record: string) => Number(record.split(':')[0])

const VALUES = Array.from({ length: 12 }, (_, n) => (n % 3 === 0 ? [`a${n}`, `b${n}`] : [`c${n}`]))

/** Batches with one or two records each, 250 bytes a segment. */
async function wholeLog(segmentBytes = 250): Promise<{ system: FakeSystem; original: string[] }> {
  const system = createFakeSystem()
  await fill(createTiny(system, { segmentBytes }), VALUES)
  const { records, told } = await readOn(system, 'forwards', VALUES.flat().length)
  if (told.length > 0 || records.length !== VALUES.flat().length) throw new Error('the log is not whole')
  return { system, original: records }
}

test('any bytes in the place of others: what is given was there, once, in order, and what is missing was told of', async (t) => {
  const { system: whole, original } = await wholeLog()
  const segments = bases(whole)
  const damage = fc.record({
    segment: fc.nat(),
    from: fc.nat(),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      // What looks like batches: parts of the log itself, at other places.
      fc.record({ segment: fc.nat(), from: fc.nat(), length: fc.integer({ min: 1, max: 300 }) }).map((part) => {
        const bytes = readFile(whole, pathOf(segments[part.segment % segments.length] ?? 0))
        return bytes.subarray(part.from % bytes.length, (part.from % bytes.length) + part.length)
      }),
    ),
    isInserted: fc.boolean(),
    isCut: fc.boolean(),
  })
  const property = fc.asyncProperty(
    fc.array(damage, { minLength: 1, maxLength: 3 }),
    fc.boolean(),
    async (list, hasIndexes) => {
      const system = copyOf(whole)
      for (const { segment, from, bytes, isInserted, isCut } of list) {
        const path = pathOf(segments[segment % segments.length] ?? 0)
        const present = readFile(system, path)
        const at = present.length === 0 ? 0 : from % present.length
        const rest = isCut ? new Uint8Array(0) : present.subarray(isInserted ? at : Math.min(present.length, at + bytes.length))
        overwrite(system, path, Buffer.concat([present.subarray(0, at), bytes, rest]))
      }
      if (!hasIndexes)
        for (const name of system.fs.list('/store/tiny-0'))
          if (name.endsWith('index')) system.fs.unlink(`/store/tiny-0/${name}`)
      const { records, told } = await readOn(system, 'forwards', original.length)
      const offsets = records.map(offsetOf)
      t.deepEqual(
        offsets,
        [...new Set(offsets)].sort((a, b) => a - b),
      )
      if (records.length < original.length) t.true(told.length > 0)
      t.deepEqual((await readOn(system, 'backwards', original.length)).records.reverse(), records)
    },
  )
  await fc.assert(property, { numRuns: 150 })
})

test('every flipped bit costs its batch and no other', async (t) => {
  const { system: whole, original } = await wholeLog()
  const base = bases(whole)[1] ?? 0
  const bytes = readFile(whole, pathOf(base))
  const batchOf = VALUES.flatMap((values, n) => values.map(() => n))
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const system = copyOf(whole)
    const flipped = bytes.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    overwrite(system, pathOf(base), flipped)
    const { records, told } = await readOn(system, 'forwards', original.length)
    const missing = original.filter((record) => !records.includes(record))
    t.true(new Set(missing.map((record) => batchOf[offsetOf(record)])).size <= 1, `bit ${bit}: ${missing.join()}`)
    t.true(
      records.every((record) => original.includes(record)),
      `bit ${bit}`,
    )
    t.deepEqual(missing.length > 0, told.length > 0, `bit ${bit}`)
    if (missing.length > 0) t.is(told.length, 1)
    for (const { fromOffset, toOffset } of told) {
      t.deepEqual(
        missing.map(offsetOf),
        Array.from({ length: (toOffset ?? 0) - fromOffset }, (_, n) => fromOffset + n),
      )
    }
  }
})

test('segments that are missing, and a log that is cut below what was synced, are told of once', async (t) => {
  const { system, original } = await wholeLog()
  const [, second = 0, third = 0] = bases(system)
  system.fs.unlink(pathOf(second))
  const gone = await readOn(system, 'forwards', original.length)
  t.deepEqual(
    gone.records,
    original.filter((record) => offsetOf(record) < second || offsetOf(record) >= third),
  )
  t.like(gone.told, [{ fromOffset: second, toOffset: third }])
  t.is(gone.told.length, 1)

  const cut = await wholeLog(1 << 20)
  overwrite(cut.system, pathOf(0), readFile(cut.system, pathOf(0)).subarray(0, 300))
  cut.system.fs.unlink('/store/tiny-0/lock')
  const short = await readOn(cut.system, 'forwards', cut.original.length)
  t.true(short.records.length > 0 && short.records.length < cut.original.length)
  t.is(short.told.length, 1)
  t.is(short.told[0]?.toOffset, undefined)
})

test('records that cannot be decoded in a batch whose CRC holds are passed over, the batches behind them are given', async (t) => {
  const system = createFakeSystem()
  createTiny(system)
  const record = (offsetDelta: number) => craftRecord({ offsetDelta, value: Buffer.from('x') })
  const bad = craftBatch({
    baseOffset: 2,
    recordCount: 2,
    lastOffsetDelta: 1,
    records: Buffer.concat([record(0), craftRecord({ offsetDelta: 1, valueLength: 500 })]),
  })
  const good = (baseOffset: number) =>
    craftBatch({ baseOffset, recordCount: 2, lastOffsetDelta: 1, records: Buffer.concat([record(0), record(1)]) })
  const unknownCodec = craftBatch({ baseOffset: 4, recordCount: 2, lastOffsetDelta: 1, attributes: 7, records: record(0) })
  overwrite(system, pathOf(0), Buffer.concat([good(0), bad, unknownCodec, good(6)]))
  for (const name of ['lock', 'recovery-point']) system.fs.unlink(`/store/tiny-0/${name}`)
  const { records, told } = await readOn(system, 'forwards', 8)
  t.deepEqual(records.map(offsetOf), [0, 1, 2, 6, 7])
  t.like(told, [
    { fromOffset: 2, toOffset: 4 },
    { fromOffset: 4, toOffset: 6 },
  ])
  // Where a batch is looked at as a whole first, all of it is passed over; the place is the same.
  const backwards = await readOn(system, 'backwards', 8)
  t.deepEqual(backwards.records.map(offsetOf), [7, 6, 1, 0])
  t.deepEqual(backwards.told.map(({ error }) => error.message).sort(), told.map(({ error }) => error.message).sort())
})

test('bytes that were made to look like batches cost a bounded number of sums', async (t) => {
  const { system } = await wholeLog(1 << 20)
  // Headers that claim the rest of the file, with a CRC that does not match, one every 61 bytes.
  const fake = Buffer.from(craftBatch({ baseOffset: 50 })).subarray(0, 61)
  fake.writeInt32BE(100_000, 8)
  const hostile = Buffer.concat([...Array.from({ length: 2_000 }, () => fake), Buffer.alloc(100_000)])
  overwrite(system, pathOf(0), Buffer.concat([readFile(system, pathOf(0)).subarray(0, 200), hostile]))
  let readBytes = 0
  const { readSync } = { readSync: system.fs.read.bind(system.fs) }
  system.fs.read = (...args: Parameters<typeof readSync>) => {
    const count = readSync(...args)
    readBytes += count
    return count
  }
  const { told } = await readOn(system, 'forwards', 16)
  t.is(told.length, 1)
  t.true(readBytes < 100 * hostile.length, `${readBytes}`)
})

test('a follower passes over damage once, and gives what is appended behind it', async (t) => {
  const system = createFakeSystem()
  const { store } = await tinyStore({}, system)
  for (const value of ['a', 'b', 'c']) await produce(store, 't', [value])
  const path = '/data/store/t-0/00000000000000000000.log'
  const bytes = readFile(system, path).slice()
  const size = bytes.length / 3
  bytes[size + 65] = (bytes[size + 65] ?? 0) ^ 1
  overwrite(system, path, bytes)
  const told: PassedOver[] = []
  const stop = new AbortController()
  const values: string[] = []
  for await (const step of followTopic(store, 't', {
    fromOffsets: new Map([[0, 0]]),
    signal: stop.signal,
    onDamage: (damage) => told.push(damage),
  })) {
    if (step.kind === 'batch') values.push(...[...step.batch.records()].map(({ value }) => Buffer.from(value ?? []).toString()))
    if (step.kind === 'pause' && values.length === 2) await produce(store, 't', ['d'])
    if (values.at(-1) === 'd') stop.abort()
  }
  t.deepEqual(values, ['a', 'c', 'd'])
  t.deepEqual(
    told.map(({ fromOffset, toOffset }) => [fromOffset, toOffset]),
    [[1, 2]],
  )
  const read: string[] = []
  for await (const { value } of readRecords(store, 't', { onDamage: () => undefined }))
    read.push(Buffer.from(value ?? []).toString())
  t.deepEqual(read, values)
})

test('a tail that no writer has judged yet is the end, not damage', async (t) => {
  const system = createFakeSystem()
  const log = Log.open(createTiny(system))
  await log.append(batch(['a']))
  await log.sync()
  appendBytes(system, pathOf(0), Buffer.from('half of a batch'))
  const { records, told } = await readOn(system, 'forwards', 1)
  t.deepEqual([records, told], [['0:a'], []])
})
