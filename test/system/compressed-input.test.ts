import { brotliCompressSync, gzipSync } from 'node:zlib'
import test from 'ava'
import fc from 'fast-check'
import { isLogqError } from '../../lib/errors.js'
import { decompressByName, extensionOf } from '../../lib/system/compressed-input.js'
import type { InputStream } from '../../lib/system/streams.js'
import { Xxh64 } from '../../lib/system/xxhash64.js'

/** What `seq 300` and `head -c 300000 /dev/zero` gave through zstd: frames with a checksum. */
const COUNTING_ZSTD = Buffer.from(
  'KLUv/QRoNQ4ASkQEBwmw6yRJiHBSmHVtAGsAawDLHXdv3nCfbXbZZI8tdti1aYN9tdVVUz211FG3Zg310UYXTfTQQgddmjTQN9tcM80zyxxzZ84wn2xyySSPLHLIlSmDfLHFFVM8scQRN2YM8XXr1alPlx69nR36cePFiQ8XHrycHPht1/Qsx50BxIN4iZM4EL/hNryG0/AZLsNjeIdzOAw/4Sa8hJPwES7CQ3iFUzgIv+AWvIJT8AkuwSN4gzM4BL9yK69yKp9yKY/ylrMcyo/cyIucyIdcyIO85CQH8gNuwAs4AR/gAjyAFziBA/C77a6b7rmNzugQ/dqtvdqpfdqlPdrbznZoP3ZjL3ZiH3ZhD/aykx3YD7pBL+gEfaAL9IBe6IQO0O+4Ha/jdHyOy/E43uM8DsfPuBkv42R8jIvxMF7jNA7Gr7gVr+JUfIpL8Sje4iwOxY+4ES/iRHyISwPEd92u13W6PtflelzvdV6H62fdrJd1sj7WxXpYr3VaB+tX3apXdao+1aV6VG91VofqR92oF3WiPtSFelAvdVIH6jfdptd0mj7TZXpM73ROh+kn3aSXdJI+0kV6SK90SgfpF92iV3SKPtElekQPADVelrE=',
  'base64',
)
const ZEROS_ZSTD = Buffer.from('KLUv/QRYVAAAEAAAAQD7/znAAgIAEAADnwQALSjeJg==', 'base64')
const counting = Buffer.from(Array.from({ length: 300 }, (_, n) => `${n + 1}\n`).join(''))
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

interface Format {
  readonly extension: string
  readonly compressed: Buffer
  /** Damage anywhere in what counts is noticed. */
  readonly hasChecksum: boolean
}

const formats: readonly Format[] = [
  { extension: '.gz', compressed: gzipSync(counting), hasChecksum: true },
  { extension: '.br', compressed: brotliCompressSync(counting), hasChecksum: false },
  { extension: '.zst', compressed: COUNTING_ZSTD, hasChecksum: true },
]

/** An input that gives so many bytes at a time. */
function inputOf(name: string, content: Uint8Array, chunkBytes: number): InputStream {
  let at = 0
  return {
    name,
    isTerminal: false,
    read: (buffer) => {
      const part = content.subarray(at, at + Math.min(chunkBytes, buffer.length))
      buffer.set(part)
      at += part.length
      return Promise.resolve(part.length)
    },
    hasDataReady: () => true,
    close: () => undefined,
  }
}

async function readAll(input: InputStream, roomBytes = 1000): Promise<{ plain: Buffer; failure: unknown }> {
  const parts: Buffer[] = []
  const room = new Uint8Array(roomBytes)
  try {
    for (;;) {
      const count = await input.read(room)
      if (count === undefined || count === 0) return { plain: Buffer.concat(parts), failure: undefined }
      parts.push(Buffer.from(room.subarray(0, count)))
    }
  } catch (failure) {
    return { plain: Buffer.concat(parts), failure }
  } finally {
    input.close()
  }
}

for (const { extension, compressed, hasChecksum } of formats) {
  test(`*${extension} is read as what it holds, whatever the reads give`, async (t) => {
    for (const chunkBytes of [1, 2, 7, 100, 1 << 16]) {
      for (const roomBytes of [1, 333, 1 << 16]) {
        const { plain, failure } = await readAll(
          decompressByName(inputOf(`d/a${extension}`, compressed, chunkBytes)),
          roomBytes,
        )
        t.is(failure, undefined)
        t.deepEqual(plain, counting)
      }
    }
  })

  test(`*${extension} that ends too early is a failure at every length, after what came before`, async (t) => {
    for (let length = 0; length < compressed.length; length += length < 20 ? 1 : 7) {
      const { plain, failure } = await readAll(decompressByName(inputOf(`a${extension}`, compressed.subarray(0, length), 64)))
      t.true(isLogqError(failure, 'LOGQ_IO'), `${length} bytes`)
      t.deepEqual(plain, counting.subarray(0, plain.length))
    }
  })

  test(`*${extension} that is damaged`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(compressed.length * 8 - 1), async (bit) => {
        const damaged = Buffer.from(compressed)
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const { plain, failure } = await readAll(decompressByName(inputOf(`a${extension}`, damaged, 4096)))
        if (failure !== undefined) t.true(isLogqError(failure, 'LOGQ_IO'), `bit ${bit}`)
        // A header has bits that say nothing of the content.
        else if (hasChecksum) t.deepEqual(plain, counting)
      }),
      { numRuns: 200 },
    )
  })

  test(`*${extension} with something else behind it, or instead of it`, async (t) => {
    const after = await readAll(
      decompressByName(inputOf(`a${extension}`, Buffer.concat([compressed, Buffer.from('x')]), 1 << 16)),
    )
    t.true(isLogqError(after.failure, 'LOGQ_IO'))
    const instead = await readAll(decompressByName(inputOf(`a${extension}`, counting, 100)))
    t.true(isLogqError(instead.failure, 'LOGQ_IO'))
    t.is(instead.plain.length, 0)
  })
}

test('what follows the padding of a gzip file is not passed over in silence', async (t) => {
  const bytes = Buffer.concat([gzipSync(counting), Buffer.alloc(700), gzipSync(counting)])
  for (const chunkBytes of [1, 400, bytes.length]) {
    const { plain, failure } = await readAll(decompressByName(inputOf('a.gz', bytes, chunkBytes)))
    t.is(plain.compare(counting), 0)
    t.true(isLogqError(failure, 'LOGQ_IO') && failure.message.includes('something follows its end'))
  }
})

test('a zstd block whose damaged weights would keep the decoder going for ever is a failure', async (t) => {
  const damaged = Buffer.from(COUNTING_ZSTD)
  damaged[14] = (damaged[14] ?? 0) ^ 0x40
  const { failure } = await readAll(decompressByName(inputOf('a.zst', damaged, 4096)))
  t.true(isLogqError(failure, 'LOGQ_IO'))
  t.regex(isLogqError(failure) ? failure.message : '', /weights of a Huffman tree never end/)
})

for (const [what, name, content, copies] of [
  ['members of a gzip file', 'a.gz', Buffer.concat([gzipSync(counting), gzipSync(''), gzipSync(counting)]), 2],
  ['frames of a zstd file', 'a.ZST', Buffer.concat([COUNTING_ZSTD, skippable, COUNTING_ZSTD, skippable]), 2],
  ['zeros behind a gzip file', 'a.gz', Buffer.concat([gzipSync(counting), Buffer.alloc(700)]), 1],
] as const) {
  test(`${what} are read on`, async (t) => {
    for (const chunkBytes of [1, 13, content.length]) {
      const { plain, failure } = await readAll(decompressByName(inputOf(name, content, chunkBytes)))
      t.is(failure, undefined)
      t.deepEqual(plain, Buffer.concat(Array.from({ length: copies }, () => counting)))
    }
  })
}

test('runs of a zstd file, block by block', async (t) => {
  const { plain, failure } = await readAll(decompressByName(inputOf('zeros.zst', ZEROS_ZSTD, 5)), 1 << 20)
  t.is(failure, undefined)
  t.deepEqual(plain, Buffer.alloc(300_000))
})

test('other names, and names alone, are left as they are', (t) => {
  for (const name of ['a', 'a.log', 'gz', 'a.gz/b', 'a.gzip']) {
    const input = inputOf(name, counting, 10)
    t.is(decompressByName(input), input, name)
  }
  t.deepEqual(['a.log.GZ', '.zst', 'd.br/x', 'a.'].map(extensionOf), ['.gz', '.zst', '', '.'])
})

test('a signal ends the wait for input', async (t) => {
  const silent: InputStream = {
    ...inputOf('a.gz', counting, 1),
    read: () => Promise.resolve(undefined),
    hasDataReady: () => false,
  }
  const input = decompressByName(silent)
  t.false(input.hasDataReady())
  t.is(await input.read(new Uint8Array(10)), undefined)
})

/** XXH64 by its definition, with numbers that know no bounds. */
function referenceLow32(bytes: Uint8Array): number {
  const [p1, p2, p3, p4, p5] = [
    0x9e3779b185ebca87n,
    0xc2b2ae3d27d4eb4fn,
    0x165667b19e3779f9n,
    0x85ebca77c2b2ae63n,
    0x27d4eb2f165667c5n,
  ] as const
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const u64 = (n: bigint): bigint => BigInt.asUintN(64, n)
  const rotate = (n: bigint, bits: bigint) => u64((n << bits) | (u64(n) >> (64n - bits)))
  const round = (lane: bigint, n: bigint) => u64(rotate(u64(lane + n * p2), 31n) * p1)
  let at = 0
  let hash: bigint = p5
  if (bytes.length >= 32) {
    let lanes: bigint[] = [u64(p1 + p2), p2, 0n, u64(-p1)]
    for (; at + 32 <= bytes.length; at += 32) lanes = lanes.map((lane, n) => round(lane, view.getBigUint64(at + 8 * n, true)))
    hash = u64([1n, 7n, 12n, 18n].reduce((sum, bits, n) => sum + rotate(lanes[n] ?? 0n, bits), 0n))
    for (const lane of lanes) hash = u64((hash ^ round(0n, lane)) * p1 + p4)
  }
  hash = u64(hash + BigInt(bytes.length))
  for (; at + 8 <= bytes.length; at += 8) hash = u64(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * p1 + p4)
  if (at + 4 <= bytes.length) {
    hash = u64(rotate(hash ^ u64(BigInt(view.getUint32(at, true)) * p1), 23n) * p2 + p3)
    at += 4
  }
  for (; at < bytes.length; at += 1) hash = u64(rotate(hash ^ u64(BigInt(view.getUint8(at)) * p5), 11n) * p1)
  hash = u64((hash ^ (hash >> 33n)) * p2)
  hash = u64((hash ^ (hash >> 29n)) * p3)
  return Number((hash ^ (hash >> 32n)) & 0xffff_ffffn)
}

test('the checksum is XXH64, however the bytes come', (t) => {
  // The published value of the empty input is ef46db3751d8e999.
  t.is(new Xxh64().low32(), 0x51d8e999)
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 6 }), (parts) => {
      const hash = new Xxh64()
      for (const part of parts) hash.update(part)
      t.is(hash.low32(), referenceLow32(Uint8Array.from(Buffer.concat(parts))))
    }),
  )
})
