import test from 'ava'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { CODECS, codecNumber, compress, decompress, isCodecReady, loadCodec, type Codec } from '../../lib/record/compression.js'
import { InvalidBatchError } from '../../lib/record/invalid-batch-error.js'
import type { BombResult } from './decompress-bombs.js'

test.before(async () => {
  for (const codec of CODECS) await loadCodec(codec)
})

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
const utf8 = (text: string) => new TextEncoder().encode(text)

/** Bytes that do not compress, the same in every run. */
function noise(size: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  })
}

const compressing: readonly Codec[] = CODECS.filter((codec) => codec !== 'none')

test("codec numbers are Kafka's", (t) => {
  t.deepEqual(CODECS.map(codecNumber), [0, 1, 2, 3, 4])
  t.deepEqual([...CODECS], ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  t.true(CODECS.every(isCodecReady))
})

test('codec none gives the bytes themselves', (t) => {
  const bytes = utf8('abc')
  t.is(compress('none', bytes), bytes)
  t.is(decompress('none', bytes), bytes)
})

for (const codec of compressing) {
  test(`${codec}: any bytes come back`, (t) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), (bytes) => {
        t.deepEqual(Buffer.from(decompress(codec, compress(codec, bytes))), Buffer.from(bytes))
      }),
    )
  })

  test(`${codec}: bytes beyond every block size come back, compressible or not`, (t) => {
    for (const bytes of [noise(5_000_000), new Uint8Array(5_000_000).fill(7)]) {
      t.true(Buffer.from(decompress(codec, compress(codec, bytes))).equals(bytes))
    }
  })

  test(`${codec}: a view into a larger array is taken by itself`, (t) => {
    const larger = noise(3000)
    const compressed = compress(codec, larger.subarray(1000, 2000))
    const inside = Buffer.concat([noise(10), compressed, noise(10)])
    const read = decompress(codec, inside.subarray(10, 10 + compressed.length))
    t.true(Buffer.from(read).equals(larger.subarray(1000, 2000)))
  })

  test(`${codec}: the limit allows exactly so many bytes`, (t) => {
    for (const bytes of [noise(70_000), new Uint8Array(300_000)]) {
      const compressed = compress(codec, bytes)
      t.is(decompress(codec, compressed, bytes.length).length, bytes.length)
      t.throws(() => decompress(codec, compressed, bytes.length - 1), {
        instanceOf: InvalidBatchError,
        message: `the ${codec} data holds more than the limit of ${bytes.length - 1} bytes`,
      })
    }
  })

  test(`${codec}: data cut anywhere is refused`, (t) => {
    const compressed = compress(codec, utf8('some words and some more words '.repeat(20)))
    for (let size = 0; size < compressed.length; size++) {
      // A snappy stream may end after any block, and a zstd one before its first frame: the record parser then finds records missing.
      if (codec === 'snappy' && size === 16) continue
      if (codec === 'zstd' && size === 0) continue
      t.throws(() => decompress(codec, compressed.slice(0, size)), { instanceOf: InvalidBatchError }, `${size} bytes`)
    }
  })

  test(`${codec}: bytes after the end are refused`, (t) => {
    const compressed = compress(codec, utf8('some words'))
    for (const rest of [utf8('x'), utf8('xyz'), new Uint8Array(9)]) {
      t.throws(() => decompress(codec, Buffer.concat([compressed, rest])), { instanceOf: InvalidBatchError })
    }
  })

  test(`${codec}: any bytes are decompressed or refused, within the limit`, (t) => {
    const prefix = fc.constantFrom(
      new Uint8Array(0),
      compress(codec, utf8('abcabcabc')).slice(0, 12),
      compress(codec, noise(100)),
    )
    fc.assert(
      fc.property(prefix, fc.uint8Array({ maxLength: 100 }), (start, rest) => {
        try {
          return decompress(codec, Buffer.concat([start, rest]), 5000).length <= 5000
        } catch (error) {
          if (error instanceof InvalidBatchError) return true
          throw error
        }
      }),
      { numRuns: 1000 },
    )
    t.pass()
  })

  test(`${codec}: changed bytes give other bytes or an error, within the limit`, (t) => {
    const whole = compress(codec, utf8('some words and some more words '.repeat(20)))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (position, value) => {
        const changed = whole.slice()
        changed[position] = value
        try {
          return decompress(codec, changed, 5000).length <= 5000
        } catch (error) {
          if (error instanceof InvalidBatchError) return true
          throw error
        }
      }),
      { numRuns: 500 },
    )
    t.pass()
  })
}

test('a bomb is stopped without the memory it asks for, by every codec', (t) => {
  // In a process of its own, because what counts is the most memory that was ever held.
  const script = fileURLToPath(new URL('./decompress-bombs.js', import.meta.url))
  const { stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 60_000 })
  const results = JSON.parse(stdout) as BombResult[]
  t.deepEqual(
    results.map(({ codec, message }) => [codec, message]),
    compressing.map((codec) => [codec, `the ${codec} data holds more than the limit of 1000000 bytes`]),
  )
  for (const { codec, grownMiB } of results) t.true(grownMiB < 30, `${codec} took ${grownMiB} MiB`)
})

// Known streams.

test('gzip: members one after another are read as one', (t) => {
  const bytes = Buffer.concat([gzipSync('one '), gzipSync(''), gzipSync('two')])
  t.is(Buffer.from(decompress('gzip', bytes)).toString(), 'one two')
})

test('gzip: a member with name, comment and extra field is read', (t) => {
  const header = hex('1f8b 08 1c 00000000 00 03 0300 616263 6e616d6500 736f206f6e00')
  const trailer = gzipSync('hello').subarray(-8)
  t.is(Buffer.from(decompress('gzip', Buffer.concat([header, deflateRawSync('hello'), trailer]))).toString(), 'hello')
})

test('gzip: a wrong checksum is refused with the reason', (t) => {
  const bytes = Buffer.from(gzipSync('hello'))
  bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1
  t.throws(() => decompress('gzip', bytes), { message: 'the gzip data is damaged: incorrect data check' })
})

test("snappy: the framing is xerial's: magic, version 1, compatible version 1, blocks of 32 KiB with their length", (t) => {
  const compressed = compress('snappy', new Uint8Array(40_000))
  t.is(Buffer.from(compressed.subarray(0, 16)).toString('hex'), '82534e4150505900' + '00000001' + '00000001')
  const first = new DataView(compressed.buffer, compressed.byteOffset).getInt32(16)
  const second = new DataView(compressed.buffer, compressed.byteOffset).getInt32(20 + first)
  t.is(16 + 4 + first + 4 + second, compressed.length)
  // A raw block begins with its uncompressed length: 32768, then 7232.
  t.is(Buffer.from(compressed.subarray(20, 23)).toString('hex'), '808002')
  t.is(Buffer.from(compressed.subarray(24 + first, 26 + first)).toString('hex'), 'c038')
})

test('snappy: a raw block without framing is read, as librdkafka writes it', (t) => {
  // Length 11, a literal of 11 bytes.
  t.is(Buffer.from(decompress('snappy', Buffer.concat([hex('0b28'), utf8('hello world')]))).toString(), 'hello world')
})

test('snappy: streams one after another are read as one', (t) => {
  const bytes = Buffer.concat([compress('snappy', utf8('one ')), compress('snappy', utf8('two'))])
  t.is(Buffer.from(decompress('snappy', bytes)).toString(), 'one two')
})

test('snappy: a block that declares more than it can hold is refused before it is given memory', (t) => {
  const declares4GiB = hex('ffffffff0f 00')
  t.throws(() => decompress('snappy', declares4GiB), {
    message: 'the snappy data is damaged: a block declares an impossible length',
  })
  const framed = Buffer.concat([hex('82534e4150505900 00000001 00000001 00000006'), declares4GiB])
  t.throws(() => decompress('snappy', framed), { message: 'the snappy data is damaged: a block declares an impossible length' })
})

test('snappy: a block length beyond the data or negative is refused', (t) => {
  for (const length of ['00000007', '7fffffff', 'ffffffff']) {
    t.throws(() => decompress('snappy', hex(`82534e4150505900 00000001 00000001 ${length} 0000`)), {
      message: /a block is cut at byte 20/,
    })
  }
})

test('lz4: a frame of independent blocks, as Kafka demands, with a right header checksum', (t) => {
  const [m0, m1, m2, m3, flags = 0, blockSize = 0] = compress('lz4', noise(10_000))
  t.deepEqual([m0, m1, m2, m3], [0x04, 0x22, 0x4d, 0x18])
  // Version 1, independent blocks, no dictionary, reserved bit zero.
  t.is(flags & 0b1110_0011, 0b0110_0000)
  // Reserved bits zero, one of the four sizes.
  t.is(blockSize & 0b1000_1111, 0)
  t.true(blockSize >> 4 >= 4)
  const wrong = compress('lz4', noise(10_000)).slice()
  wrong[6] = (wrong[6] ?? 0) ^ 0xff
  t.throws(() => decompress('lz4', wrong), { message: /^the lz4 data is damaged: .*checksum/ })
})

// "hello hello hello hello": literals "hello ", then a match of 17 bytes at distance 6, whose last five bytes must be literals.
const lz4Block = '62 68656c6c6f20 0600 50 68656c6c6f'
const lz4Frames: readonly [string, string, RegExp | string][] = [
  ['a frame as Kafka writes it', `04224d18 60 40 82 0f000000 ${lz4Block} 00000000`, 'hello hello hello'],
  ['a stored block', '04224d18 60 40 82 03000080 616263 00000000', 'abc'],
  ['a frame without blocks', '04224d18 60 40 82 00000000', ''],
  ['another magic', '04224d19 60 40 82 00000000', /does not begin as a frame/],
  ['version 2', '04224d18 a0 40 82 00000000', /version is not 1/],
  ['dependent blocks', '04224d18 40 40 c0 00000000', /depend on one another/],
  ['a dictionary', '04224d18 61 40 82 00000000 00000000', /needs a dictionary/],
  ['block size code 3', '04224d18 60 30 82 00000000', /block size code 3/],
  ['a block larger than its frame allows', '04224d18 60 40 82 01000180 00', /65537 bytes is larger than the frame allows/],
  ['a frame after the frame', '04224d18 60 40 82 00000000 04224d18 60 40 82 00000000', /11 bytes are left over/],
  ['no end mark', `04224d18 60 40 82 0f000000 ${lz4Block}`, /cut short/],
  ['a block that ends in a match', '04224d18 60 40 82 04000000 10 61 0100 00000000', /cut short/],
  ['a match from before the block', `04224d18 60 40 82 0f000000 ${lz4Block.replace('0600', '0700')} 00000000`, /damaged/],
]

for (const [title, bytes, expected] of lz4Frames) {
  test(`lz4: ${title} is ${typeof expected === 'string' ? 'read' : 'refused'}`, (t) => {
    if (typeof expected === 'string') t.is(Buffer.from(decompress('lz4', hex(bytes))).toString(), expected)
    else t.throws(() => decompress('lz4', hex(bytes)), { instanceOf: InvalidBatchError, message: expected })
  })
}

// Frame header descriptors: 0x20 single segment with a size byte, 0x00 no size and a window byte, 0x04 a checksum.
const zstdFrames: readonly [string, string, RegExp | string][] = [
  ['a stored block in a single segment', '28b52ffd 20 03 190000 616263', 'abc'],
  ['a frame without content size', '28b52ffd 00 58 190000 616263', 'abc'],
  ['several blocks without content size', '28b52ffd 00 58 180000 616263 1b0000 78', 'abcxxx'],
  ['frames one after another', '28b52ffd 20 03 190000 616263 28b52ffd 00 58 190000 646566', 'abcdef'],
  ['a skippable frame before and after', '502a4d18 02000000 ffff 28b52ffd 20 03 190000 616263 5f2a4d18 00000000', 'abc'],
  ['no frame', '61626364', /no frame begins at byte 0/],
  ['a reserved bit', '28b52ffd 28 03 190000 616263', /reserved bit/],
  ['a reserved block type', '28b52ffd 20 03 1f0000 616263', /reserved type/],
  ['a dictionary', '28b52ffd 21 07 03 190000 616263', /needs a dictionary/],
  ['a block larger than its window', '28b52ffd 20 02 190000 616263', /larger than the frame allows/],
  ['a stated size that its blocks cannot hold', '28b52ffd a0 00000040 190000 616263', /impossible size/],
  ['a stated size of 2^63', '28b52ffd e0 0000000000000080 190000 616263', /impossible size/],
  ['a skippable frame that is cut', '502a4d18 03000000 ffff', /cut short/],
  ['no last block', '28b52ffd 00 58 180000 616263', /cut short/],
]

for (const [title, bytes, expected] of zstdFrames) {
  test(`zstd: ${title} is ${typeof expected === 'string' ? 'read' : 'refused'}`, (t) => {
    if (typeof expected === 'string') t.is(Buffer.from(decompress('zstd', hex(bytes))).toString(), expected)
    else t.throws(() => decompress('zstd', hex(bytes)), { instanceOf: InvalidBatchError, message: expected })
  })
}

test('zstd: a frame without content size gives its bytes within the limit and not beyond', (t) => {
  // Ten blocks that repeat one byte 131,072 times.
  const run = 2 ** 17
  const block = (isLast: boolean) =>
    Buffer.from([((run << 3) | 2 | (isLast ? 1 : 0)) & 0xff, (run >> 5) & 0xff, run >> 13, 0x61])
  const bytes = Buffer.concat([hex('28b52ffd 00 58'), ...Array.from({ length: 10 }, (_, index) => block(index === 9))])
  t.is(decompress('zstd', bytes, run * 10).length, run * 10)
  t.throws(() => decompress('zstd', bytes, run * 10 - 1), { message: /more than the limit/ })
})
