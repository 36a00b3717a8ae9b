import test from 'ava'
import fc from 'fast-check'
import { readVarint, readVarlong, varintSize, varlongSize, writeVarint, writeVarlong } from '../../lib/bytes/varint.js'

function place(bytes: Uint8Array, position = 0, end = bytes.length) {
  return { bytes, position, end }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

// Zigzag, then seven bits a byte, least significant first.
const varints: readonly [number, string][] = [
  [0, '00'],
  [-1, '01'],
  [1, '02'],
  [63, '7e'],
  [-64, '7f'],
  [64, '8001'],
  [-65, '8101'],
  [8191, 'fe7f'],
  [-8192, 'ff7f'],
  [8192, '808001'],
  [1_048_575, 'feff7f'],
  [1_048_576, '80808001'],
  [134_217_727, 'feffff7f'],
  [134_217_728, '8080808001'],
  [2_147_483_647, 'feffffff0f'],
  [-2_147_483_648, 'ffffffff0f'],
]

for (const [value, expected] of varints) {
  test(`varint ${value} is ${expected}, both ways, as varlong too`, (t) => {
    const bytes = new Uint8Array(expected.length / 2)
    t.is(writeVarint(bytes, 0, value), bytes.length)
    t.is(hex(bytes), expected)
    t.is(varintSize(value), bytes.length)
    const reader = place(bytes)
    t.is(readVarint(reader), value)
    t.is(reader.position, bytes.length)

    t.is(writeVarlong(bytes.fill(0), 0, value), bytes.length)
    t.is(hex(bytes), expected)
    t.is(writeVarlong(bytes.fill(0), 0, BigInt(value)), bytes.length)
    t.is(hex(bytes), expected)
    t.is(varlongSize(value), bytes.length)
    t.is(varlongSize(BigInt(value)), bytes.length)
    t.is(readVarlong(place(bytes)), value)
  })
}

const varlongs: readonly [number | bigint, string][] = [
  [2_147_483_648, '8080808010'],
  [-2_147_483_649, '8180808010'],
  [17_179_869_183, 'feffffff7f'],
  [17_179_869_184, '808080808001'],
  [Number.MAX_SAFE_INTEGER, 'feffffffffffff1f'],
  [Number.MIN_SAFE_INTEGER, 'fdffffffffffff1f'],
  [9_007_199_254_740_992n, '8080808080808020'],
  [9_223_372_036_854_775_807n, 'feffffffffffffffff01'],
  [-9_223_372_036_854_775_808n, 'ffffffffffffffffff01'],
]

for (const [value, expected] of varlongs) {
  test(`varlong ${value} is ${expected}, both ways`, (t) => {
    const bytes = new Uint8Array(expected.length / 2)
    t.is(writeVarlong(bytes, 0, value), bytes.length)
    t.is(hex(bytes), expected)
    t.is(varlongSize(value), bytes.length)
    const reader = place(bytes)
    t.is(readVarlong(reader), value)
    t.is(reader.position, bytes.length)
  })
}

test('a varlong reads back as it was written, as the narrowest type', (t) => {
  const value = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.integer())
  fc.assert(
    fc.property(value, (written) => {
      const bytes = new Uint8Array(12)
      const end = writeVarlong(bytes, 1, written)
      const read = readVarlong(place(bytes, 1, end))
      const isSafe = Number.isSafeInteger(Number(written))
      return end === 1 + varlongSize(written) && BigInt(read) === BigInt(written) && (typeof read === 'number') === isSafe
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

test('a varint reads back as it was written', (t) => {
  fc.assert(
    fc.property(fc.integer(), (written) => {
      const bytes = new Uint8Array(6)
      const end = writeVarint(bytes, 1, written)
      return end === 1 + varintSize(written) && readVarint(place(bytes, 1, end)) === written
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

const malformed: readonly [string, string][] = [
  ['no bytes', ''],
  ['a varint that passes the end', '80'],
  ['five continued bytes that pass the end', 'ffffffffff'],
  ['a varint of six bytes', '808080808001'],
  ['more than 32 bits in five bytes', 'ffffffff1f'],
]

for (const [title, input] of malformed) {
  test(`readVarint() refuses ${title} and does not move`, (t) => {
    const reader = place(Buffer.from(input, 'hex'))
    t.is(readVarint(reader), Number.NaN)
    t.is(reader.position, 0)
  })
}

const malformedLongs: readonly [string, string][] = [
  ['no bytes', ''],
  ['a varlong that passes the end', '8080808080'],
  ['a varlong of eleven bytes', '8080808080808080808001'],
  ['more than 64 bits in ten bytes', 'ffffffffffffffffff03'],
]

for (const [title, input] of malformedLongs) {
  test(`readVarlong() refuses ${title} and does not move`, (t) => {
    const reader = place(Buffer.from(input, 'hex'))
    t.is(readVarlong(reader), Number.NaN)
    t.is(reader.position, 0)
  })
}

test('readVarint() stops at the end it was given, whatever follows in the array', (t) => {
  t.is(readVarint(place(Buffer.from('8001', 'hex'), 0, 1)), Number.NaN)
  t.is(readVarlong(place(Buffer.from('8001', 'hex'), 0, 1)), Number.NaN)
})

test('longer forms than needed are read, as Kafka reads them', (t) => {
  t.is(readVarint(place(Buffer.from('8000', 'hex'))), 0)
  t.is(readVarlong(place(Buffer.from('8280808000', 'hex'))), 1)
})
