import test from 'ava'
import fc from 'fast-check'
import { isLogqError } from '../../lib/errors.js'
import { latestOfKey } from '../../lib/log/latest-of-key.js'
import { LogEndConflictError, Log } from '../../lib/log/log.js'
import { readPartitionBackwards } from '../../lib/log/read-backwards.js'
import { CODECS } from '../../lib/record/codec.js'
import { loadCodec } from '../../lib/record/compression.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import {
  START_MS,
  batch,
  batchOfRecords,
  beside,
  createTiny,
  fill,
  overwrite,
  pathOf,
  readFile,
  tinyContext,
} from './tiny-log.js'

async function backwards(context: Parameters<typeof readPartitionBackwards>[0], from: number, to: number): Promise<string[]> {
  const seen: string[] = []
  for await (const { batch, fromOffset, toOffset } of readPartitionBackwards(context, from, to)) {
    const records = [...batch.records()].filter(({ offset }) => offset >= fromOffset && offset < toOffset)
    seen.push(...records.map(({ offset, value }) => `${offset}:${Buffer.from(value ?? []).toString()}`).reverse())
  }
  return seen
}

test('readPartitionBackwards() gives any range of any log in reverse, with and without indexes', async (t) => {
  for (const codec of CODECS) await loadCodec(codec)
  const sizes = fc.array(fc.record({ count: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 0, max: 90_000 }) }), {
    minLength: 1,
    maxLength: 25,
  })
  const property = fc.asyncProperty(
    sizes,
    fc.constantFrom(...CODECS),
    fc.constantFrom(200, 400_000, 1 << 30),
    fc.constantFrom(0, 4096, 1 << 30),
    fc.boolean(),
    fc.nat(),
    fc.nat(),
    async (batches, codec, segmentBytes, indexIntervalBytes, hasIndexes, a, b) => {
      const writer = createFakeSystem()
      const log = Log.open(createTiny(writer, { segmentBytes, indexIntervalBytes }))
      const expected: string[] = []
      for (const { count, bytes } of batches) {
        const values = Array.from({ length: count }, (_, n) => `${expected.length + n}-${'x'.repeat(bytes / count)}`)
        await log.append(batch(values, START_MS, codec))
        for (const value of values) expected.push(`${expected.length}:${value}`)
      }
      await log.close()
      const reader = beside(writer)
      if (!hasIndexes) {
        for (const name of reader.fs.list('/store/tiny-0')) {
          if (name.endsWith('.index')) reader.fs.unlink(`/store/tiny-0/${name}`)
        }
      }
      const [from, to] = [a % (expected.length + 1), b % (expected.length + 1)]
      t.deepEqual(await backwards(tinyContext(reader), from, to), expected.slice(from, to).reverse())
    },
  )
  await fc.assert(property, { numRuns: 60 })
})

test('readPartitionBackwards() names damage, after what lies behind its stretch', async (t) => {
  const writer = createFakeSystem()
  const values = Array.from({ length: 20 }, (_, n) => [`v${n}`])
  await fill(createTiny(writer, { segmentBytes: 300 }), values)
  const reader = beside(writer)
  const bytes = readFile(reader, pathOf(0)).slice()
  bytes[70] = 0xff
  overwrite(reader, pathOf(0), bytes)
  const seen: string[] = []
  const reading = async () => {
    for await (const { batch } of readPartitionBackwards(tinyContext(reader), 0, 20)) {
      seen.push(...[...batch.records()].map(({ offset }) => String(offset)))
    }
  }
  const error = await t.throwsAsync(reading())
  t.true(isLogqError(error, 'LOGQ_CORRUPT'))
  t.is(seen[0], '19')
  t.true(seen.length > 10)
})

test('readPartitionBackwards() gives what lies behind damage within one stretch, and nothing before it', async (t) => {
  const writer = createFakeSystem()
  await fill(createTiny(writer), [['v0'], ['v1'], ['v2'], ['v3', 'v4'], ['v5']])
  const reader = beside(writer)
  const bytes = Buffer.from(readFile(reader, pathOf(0)))
  // A byte of the value of offset 1, and one of offset 2: all batches of one record are equally large.
  const sizeBytes = bytes.indexOf('v1') - bytes.indexOf('v0')
  for (const offset of [1, 2]) bytes[bytes.indexOf('v0') + offset * sizeBytes] = 0xff
  overwrite(reader, pathOf(0), bytes)
  const seen: number[] = []
  const reading = async (context: Parameters<typeof readPartitionBackwards>[0]) => {
    for await (const { batch } of readPartitionBackwards(context, 0, 6)) seen.push(batch.baseOffset)
  }
  const error = await t.throwsAsync(reading(tinyContext(reader)))
  t.true(isLogqError(error, 'LOGQ_CORRUPT'))
  t.regex(error.message, /\(offset 1\)$/)
  t.deepEqual(seen, [5, 3])
  seen.length = 0
  const passedOver: (number | undefined)[] = []
  const onDamage = ({ toOffset }: { toOffset: number | undefined }) => void passedOver.push(toOffset)
  await reading({ ...tinyContext(reader), onDamage })
  t.deepEqual(seen, [5, 3, 0])
  t.is(passedOver.at(-1), 3)
})

test('latestOfKey() finds the newest record of a key, in a range, and tombstones', async (t) => {
  const system = createFakeSystem()
  const log = Log.open(createTiny(system, { segmentBytes: 400 }))
  const keys = ['a', 'b', 'a', 'c', 'a', 'b', 'd']
  for (const [n, key] of keys.entries()) {
    const value = key === 'c' ? null : Buffer.from(`${n}`)
    await log.append(batchOfRecords([{ key: Buffer.from(key), value, headers: [], timestampMs: START_MS + n }]))
  }
  const find = async (key: string, from = 0, to = keys.length) =>
    (await latestOfKey(tinyContext(system), Buffer.from(key), from, to))?.offset
  t.deepEqual(await Promise.all(['a', 'b', 'c', 'd', 'aa', ''].map((key) => find(key))), [4, 5, 3, 6, undefined, undefined])
  t.is(await find('a', 0, 4), 2)
  t.is(await find('a', 3, 4), undefined)
  t.is((await latestOfKey(tinyContext(system), Buffer.from('c'), 0, 7))?.value, null)
})

test('append() at an expected offset appends there and nowhere else', async (t) => {
  const system = createFakeSystem()
  const log = Log.open(createTiny(system))
  await log.append(batch(['a', 'b']), {}, 0)
  const error = await t.throwsAsync(log.append(batch(['c']), {}, 1))
  t.true(error instanceof LogEndConflictError && error.logEndOffset === 2 && error.expectedOffset === 1)
  t.deepEqual(await log.append(batch(['c']), {}, 2), { baseOffset: 2, lastOffset: 2 })
})
