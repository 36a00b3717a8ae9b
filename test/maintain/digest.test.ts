import { createHash } from 'node:crypto'
import fc from 'fast-check'
import test from 'ava'
import { Log } from '../../lib/log/log.js'
import { digestPartition, digestTopic, topicDigest } from '../../lib/maintain/digest.js'
import { Producer } from '../../lib/produce/producer.js'
import type { RecordToAppend } from '../../lib/record/batch-builder.js'
import { CODECS, type Codec } from '../../lib/record/codec.js'
import { loadCodec } from '../../lib/record/compression.js'
import { openOrCreateStore } from '../../lib/store/store.js'
import { createTopic } from '../../lib/store/topics.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { batchOfRecords, createTiny, fill } from '../log/tiny-log.js'
import { arbitraryRecords, textRecord } from '../record/arbitrary-records.js'

/** The digest of a partition that holds these records, in batches of `perBatch`. */
async function digestOf(records: readonly RecordToAppend[], perBatch = records.length, codec: Codec = 'none'): Promise<string> {
  await loadCodec(codec)
  const context = createTiny(createFakeSystem())
  const log = Log.open(context)
  for (let n = 0; n < records.length; n += perBatch) await log.append(batchOfRecords(records.slice(n, n + perBatch), codec))
  await log.close()
  const { digest, recordCount } = await digestPartition(context, 0, records.length)
  if (recordCount !== records.length) throw new Error(`${recordCount} records of ${records.length}`)
  return digest
}

test('a digest is the same however the records are batched and compressed', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryRecords,
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom(...CODECS),
      async (records, perBatch, codec) => {
        t.is(await digestOf(records, perBatch, codec), await digestOf(records))
      },
    ),
    { numRuns: 25 },
  )
})

test('a digest is that of the records one after the other, as format-spec/digest.md has them', async (t) => {
  const int = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    return bytes
  }
  const part = (bytes: Uint8Array | null) => (bytes === null ? int(-1) : Buffer.concat([int(bytes.length), bytes]))
  await fc.assert(
    fc.asyncProperty(arbitraryRecords, async (records) => {
      const hash = createHash('sha256')
      for (const { timestampMs, key, value, headers } of records) {
        const time = Buffer.alloc(8)
        time.writeBigInt64BE(BigInt(timestampMs))
        hash.update(Buffer.concat([time, part(key), part(value), int(headers.length)]))
        for (const header of headers) hash.update(Buffer.concat([part(Buffer.from(header.key)), part(header.value)]))
      }
      t.is(await digestOf(records), hash.digest('hex'))
    }),
    { numRuns: 25 },
  )
})

test('two lists of records have the same digest only when they are the same', async (t) => {
  const seen = new Map<string, string>()
  await fc.assert(
    fc.asyncProperty(arbitraryRecords, async (records) => {
      const shown = fc.stringify(records.map(({ key, value, headers, timestampMs }) => [key, value, headers, timestampMs]))
      const digest = await digestOf(records)
      t.is(seen.get(digest) ?? shown, shown)
      seen.set(digest, shown)
    }),
    { numRuns: 40 },
  )
})

const bytes = (text: string) => new TextEncoder().encode(text)
const record = {
  key: bytes('k'),
  value: bytes('v'),
  headers: [
    { key: 'a', value: bytes('1') },
    { key: 'b', value: null },
  ],
  timestampMs: 5,
}

for (const [what, one, other] of [
  ['another byte in the value', record, { ...record, value: bytes('w') }],
  ['another byte in the key', record, { ...record, key: bytes('l') }],
  ['a null value in place of an empty one', { ...record, value: bytes('') }, { ...record, value: null }],
  ['a null key in place of an empty one', { ...record, key: bytes('') }, { ...record, key: null }],
  ['another timestamp', record, { ...record, timestampMs: 6 }],
  ['no timestamp', record, { ...record, timestampMs: -1 }],
  ['headers in another order', record, { ...record, headers: record.headers.toReversed() }],
  ['one header less', record, { ...record, headers: record.headers.slice(1) }],
  [
    'an empty header value in place of a null one',
    record,
    { ...record, headers: [...record.headers.slice(0, 1), { key: 'b', value: bytes('') }] },
  ],
  ['another header key', record, { ...record, headers: [{ key: 'c', value: bytes('1') }, ...record.headers.slice(1)] }],
  ['a byte that moved from the key to the value', record, { ...record, key: bytes(''), value: bytes('kv') }],
] as const) {
  test(`${what} makes another digest`, async (t) => {
    t.not(await digestOf([one, record]), await digestOf([other, record]))
  })
}

test('records that were swapped, left out or doubled make another digest', async (t) => {
  const [a, b, c] = ['a', 'b', 'c'].map((value) => textRecord(value)) as [RecordToAppend, RecordToAppend, RecordToAppend]
  const digests = await Promise.all(
    [
      [a, b, c],
      [b, a, c],
      [a, b],
      [a, b, b, c],
      [a, b, c, c],
    ].map((records) => digestOf(records)),
  )
  t.is(new Set(digests).size, 5)
})

test('large values are digested as small ones are', async (t) => {
  const records = [70_000, 65_536, 65_535, 1, 200_000].map((n) => textRecord('x'.repeat(n)))
  const hash = createHash('sha256')
  for (const { value, timestampMs } of records) {
    const head = Buffer.alloc(16)
    head.writeBigInt64BE(BigInt(timestampMs))
    head.writeInt32BE(-1, 8)
    head.writeInt32BE(value?.length ?? -1, 12)
    hash
      .update(head)
      .update(value ?? bytes(''))
      .update(new Uint8Array(4))
  }
  t.is(await digestOf(records, 2), hash.digest('hex'))
})

test('a range is digested as those records alone', async (t) => {
  const context = createTiny(createFakeSystem())
  await fill(
    context,
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
    0,
  )
  const part = await digestPartition(context, 1, 3)
  t.deepEqual(part, { partition: 0, digest: await digestOf(['b', 'c'].map((value) => textRecord(value))), recordCount: 2 })
})

test("a topic's digest tells partitions apart, and does not depend on the order of asking", async (t) => {
  const system = createFakeSystem()
  const store = await openOrCreateStore(system, '/store')
  const topics = ['one', 'same', 'moved']
  for (const [n, topic] of topics.entries()) {
    await createTopic(store, topic, { partitions: 2 })
    for (const partition of [0, 1]) {
      const producer = await Producer.open(store, topic, { partition: n === 2 ? 1 - partition : partition })
      await producer.add({ value: bytes(`in ${partition}`), timestampMs: 1 })
      await producer.close()
    }
  }
  const [one, same, moved] = await Promise.all(topics.map((topic) => digestTopic(store, topic)))
  t.is(one?.digest, same?.digest)
  t.not(one?.digest, moved?.digest)
  t.is(one?.recordCount, 2)
  t.deepEqual(topicDigest('one', [...(one?.partitions ?? [])].reverse()), one)
  t.deepEqual((await digestTopic(store, 'one', { partitions: [1] })).partitions, one?.partitions.slice(1))
})

test('an aborted digest is an error, and no digest of half the records', async (t) => {
  const context = createTiny(createFakeSystem())
  await fill(context, [['a'], ['b']])
  await t.throwsAsync(digestPartition(context, 0, 2, AbortSignal.abort()), { code: 'LOGQ_ABORTED' })
})
