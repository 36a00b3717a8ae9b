import test from 'ava'
import { HASH_COUNT, KeyCounts } from '../../../lib/maintain/compact/key-counts.js'
import { KeyHash } from '../../../lib/maintain/compact/key-hash.js'
import { createSeededRandom } from '../../helpers/seeded-random.js'

const bytes = (text: string) => Buffer.from(text)

function hashed(hash: KeyHash, key: string): KeyHash {
  hash.of(bytes(key), 0, key.length)
  return hash
}

test('a hash goes by the key alone: not by where it lies, and by every byte of it', (t) => {
  const hash = new KeyHash(createSeededRandom(1))
  const words = ({ a, b, c, d }: KeyHash) => [a, b, c, d].join(' ')
  const seen = new Map<string, string>()
  const keys = ['', '\0', '\0\0', 'a', 'ab', 'abc', 'abcd', 'abcde', 'b', 'abcf', 'x'.repeat(1000), `${'x'.repeat(999)}y`]
  for (const key of keys) {
    const plain = words(hashed(hash, key))
    hash.of(bytes(`---${key}---`), 3, 3 + key.length)
    t.is(words(hash), plain, key)
    t.false(seen.has(plain), `${key} and ${String(seen.get(plain))}`)
    seen.set(plain, key)
  }
  t.not(words(hashed(new KeyHash(createSeededRandom(2)), 'a')), words(hashed(hash, 'a')), 'another secret')
})

test('a hash spreads numbered keys evenly over its range', (t) => {
  const hash = new KeyHash(createSeededRandom(3))
  const buckets = new Uint32Array(16)
  const firsts = new Set<number>()
  for (let n = 0; n < 16_000; n += 1) {
    const { a } = hashed(hash, `user-${n}`)
    firsts.add(a)
    buckets[(a >>> 0) >>> 28] = (buckets[(a >>> 0) >>> 28] ?? 0) + 1
  }
  t.true(firsts.size > 15_990)
  for (const count of buckets) t.true(count > 800 && count < 1200, String(count))
})

test('the table keeps the last records of each key, and none before a tombstone', (t) => {
  const hash = new KeyHash(createSeededRandom(4))
  const kept = (records: string, keepCount: number) => {
    const counts = new KeyCounts(1 << 12)
    for (const record of records) t.true(counts.add(hashed(hash, record.toLowerCase()), record !== record.toLowerCase()))
    return Array.from(records)
      .map((record) => (counts.keepsNext(hashed(hash, record.toLowerCase()), keepCount) ? record : '.'))
      .join('')
  }
  // A capital letter is a tombstone of its key.
  t.is(kept('abacab', 1), '...cab')
  t.is(kept('abacab', 2), '.bacab')
  t.is(kept('aaaA', 1), '...A')
  t.is(kept('aaaA', 3), '...A')
  t.is(kept('aaAaa', 3), '..Aaa')
  t.is(kept('aaAaaaa', 3), '....aaa')
  t.is(kept('AAbA', 2), '..bA')
})

test('a full table says so, and ranges of hashes share the keys out among passes', (t) => {
  const hash = new KeyHash(createSeededRandom(5))
  const keys = Array.from({ length: 1000 }, (_, n) => `key ${n}`)
  const small = new KeyCounts(17 * 100)
  const fitting = keys.findIndex((key) => !small.add(hashed(hash, key), false))
  t.is(fitting, 85)
  t.is(small.keyCount, 85)

  const passes = Array.from(
    { length: 20 },
    (_, n) => new KeyCounts(17 * 100, (HASH_COUNT / 20) * n, (HASH_COUNT / 20) * (n + 1)),
  )
  for (const key of keys) {
    const own = passes.filter((pass) => pass.holds(hashed(hash, key)))
    t.is(own.length, 1, key)
    t.true(own[0]?.add(hash, false), key)
  }
  t.is(
    passes.reduce((sum, { keyCount }) => sum + keyCount, 0),
    1000,
  )
})
