import test from 'ava'
import fc from 'fast-check'
import { crc32c, referenceCrc32c } from '../../lib/bytes/crc32c.js'

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
const vectors: readonly [string, Uint8Array, number][] = [
  ['no bytes', new Uint8Array(0), 0],
  ['"123456789"', new TextEncoder().encode('123456789'), 0xe306_9283],
  ['32 bytes of zero', new Uint8Array(32), 0x8a91_36aa],
  ['32 bytes of 0xff', new Uint8Array(32).fill(0xff), 0x62a8_ab43],
  ['32 rising bytes', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd_794e],
  ['32 falling bytes', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113f_db5c],
]

for (const [title, bytes, sum] of vectors) {
  test(`crc32c() of ${title} is the published value`, (t) => {
    t.is(crc32c(bytes), sum)
  })
}

test('crc32c() sums the part it is given and no more', (t) => {
  const bytes = new TextEncoder().encode('xx123456789yyy')
  t.is(crc32c(bytes, 2, 11), 0xe306_9283)
  t.is(crc32c(bytes.subarray(2), 0, 9), 0xe306_9283)
})

test('crc32c() agrees with the reference at every size around the switch to native code', (t) => {
  // Native code is loaded once so many bytes were summed.
  crc32c(new Uint8Array(1024 * 1024))
  const bytes = Uint8Array.from({ length: 2000 }, (_, index) => (index * 131) ^ (index >> 3))
  for (let size = 0; size < bytes.length; size++) t.is(crc32c(bytes, 0, size), referenceCrc32c(bytes.subarray(0, size)))
})

test('crc32c() agrees with the reference for any bytes', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(100), (bytes, start) => {
      const from = Math.min(start, bytes.length)
      return crc32c(bytes, from) === referenceCrc32c(bytes.slice(from))
    }),
  )
  t.pass()
})

test('summed in pieces it is the sum of the whole, in every length', (t) => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, n) => (n * 7) & 0xff)
  for (const cut of [0, 1, 299, 300, 2500, 4701, 5000]) {
    t.is(crc32c(bytes, cut, 5000, crc32c(bytes, 0, cut)), crc32c(bytes), `cut at ${cut}`)
    t.is(referenceCrc32c(bytes.subarray(cut), referenceCrc32c(bytes.subarray(0, cut))), referenceCrc32c(bytes), `cut at ${cut}`)
  }
})
