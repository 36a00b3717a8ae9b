import test from 'ava'
import fc from 'fast-check'
import { murmur2, partitionOfKey, toPositive } from '../../lib/bytes/murmur2.js'
import { kafkaKeys } from '../helpers/kafka-keys.js'

// What Kafka's Java client gives (its UtilsTest).
const vectors: readonly [string, number][] = [
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
]

for (const [key, hash] of vectors) {
  test(`murmur2() of '${key}' is what Kafka's client computes`, (t) => {
    t.is(murmur2(new TextEncoder().encode(key)), hash)
  })
}

test('murmur2() hashes the part it is given', (t) => {
  t.is(murmur2(new TextEncoder().encode('..foobar.'), 2, 8), -790_332_482)
})

test('toPositive() drops the sign bit rather than negating', (t) => {
  t.is(toPositive(-1), 0x7fff_ffff)
  t.is(toPositive(-0x8000_0000), 0)
  t.is(toPositive(5), 5)
})

test('partitionOfKey() is within the partitions and follows the hash', (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 10_000 }), (key, partitionCount) => {
      const partition = partitionOfKey(key, partitionCount)
      return partition >= 0 && partition < partitionCount && partition === (murmur2(key) & 0x7fff_ffff) % partitionCount
    }),
  )
  // -973,932,308 without its sign bit is 1,173,551,340.
  t.is(partitionOfKey(new TextEncoder().encode('21'), 7), 1_173_551_340 % 7)
})

test("partitionOfKey() puts keys of each length, and of all kinds of bytes, where Kafka's partitioner does", (t) => {
  const { counts, keys } = kafkaKeys()
  t.true(keys.length > 100)
  for (const [key, partitions] of keys) {
    const bytes = Buffer.from(key, 'base64')
    t.deepEqual(
      counts.map((count) => partitionOfKey(bytes, count)),
      partitions,
      key,
    )
  }
})
