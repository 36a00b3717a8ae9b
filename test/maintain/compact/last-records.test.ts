import test from 'ava'
import { DeadRecords } from '../../../lib/maintain/compact/dead-records.js'
import { KeyHash } from '../../../lib/maintain/compact/key-hash.js'
import { HASH_COUNT, LastRecords } from '../../../lib/maintain/compact/last-records.js'
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

const WHOLE = { maxBytes: 1 << 12, from: 0, to: HASH_COUNT, keepCount: 1, mostKeys: Infinity }

test('of each key the last records live, and none before a tombstone', (t) => {
  const hash = new KeyHash(createSeededRandom(4))
  const kept = (records: string, keepCount: number) => {
    const dead = new DeadRecords(0)
    const last = new LastRecords({ ...WHOLE, keepCount }, dead)
    for (const [n, record] of Array.from(records).entries())
      t.true(last.add(hashed(hash, record.toLowerCase()), n, record !== record.toLowerCase()))
    return Array.from(records)
      .map((record, n) => (dead.has(n) ? '.' : record))
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
  t.is(kept('abAbbbaAab', 2), '.....b.Aab')
})

test('a full table says so, and ranges of hashes share the keys out among passes', (t) => {
  const hash = new KeyHash(createSeededRandom(5))
  const keys = Array.from({ length: 1000 }, (_, n) => `key ${n}`)
  const dead = new DeadRecords(1000)
  const small = new LastRecords({ ...WHOLE, maxBytes: 16 * 100 }, dead)
  const fitting = keys.findIndex((key, n) => !small.add(hashed(hash, key), n, false))
  t.is(fitting, 85)
  t.is(small.keyCount, 85)
  t.is(dead.among(0, 1000), 'none')

  const passes = Array.from(
    { length: 20 },
    (_, n) =>
      new LastRecords({ ...WHOLE, maxBytes: 16 * 100, from: (HASH_COUNT / 20) * n, to: (HASH_COUNT / 20) * (n + 1) }, dead),
  )
  for (const [n, key] of keys.entries()) {
    const own = passes.filter((pass) => pass.holds(hashed(hash, key)))
    t.is(own.length, 1, key)
    t.true(own[0]?.add(hash, n, false), key)
  }
  t.is(
    passes.reduce((sum, { keyCount }) => sum + keyCount, 0),
    1000,
  )
})

test('notes are of the records below the limit, and say of many whether all of them are dead', (t) => {
  const dead = new DeadRecords(8)
  for (const ordinal of [0, 1, 2, 3, 9, 100]) t.true(dead.add(ordinal))
  t.false(dead.add(9))
  t.is(dead.among(0, 4), 'all')
  t.is(dead.among(0, 5), 'some')
  t.is(dead.among(4, 9), 'none')
  t.is(dead.among(4, 10), 'some')
  t.is(dead.among(9, 10), 'all')
  t.true(dead.has(100))
  dead.limitTo(101)
  t.false(dead.add(101))
  t.false(dead.has(101))
  t.true(dead.add(99))
})
