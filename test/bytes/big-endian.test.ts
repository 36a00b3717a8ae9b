import test from 'ava'
import fc from 'fast-check'
import {
  readInt16,
  readInt32,
  readInt64,
  readInt64Exactly,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../../lib/bytes/big-endian.js'

test('16 and 32-bit integers agree with DataView, both ways', (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(5), (value, position) => {
      const bytes = new Uint8Array(12)
      const view = new DataView(bytes.buffer)
      writeInt32(bytes, position, value)
      const read32 = view.getInt32(position) === value && readInt32(bytes, position) === value
      const readUnsigned = readUint32(bytes, position) === view.getUint32(position)
      writeInt16(bytes, position, value)
      return read32 && readUnsigned && readInt16(bytes, position) === view.getInt16(position)
    }),
  )
  t.pass()
})

test('a 64-bit integer agrees with DataView, both ways, as number or bigint', (t) => {
  const value = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
  fc.assert(
    fc.property(value, (written) => {
      const bytes = new Uint8Array(9)
      writeInt64(bytes, 1, written)
      const exact = readInt64Exactly(bytes, 1)
      const asNumber = readInt64(bytes, 1)
      return (
        new DataView(bytes.buffer).getBigInt64(1) === BigInt(written) &&
        BigInt(exact) === BigInt(written) &&
        (Number.isSafeInteger(Number(written)) ? exact === Number(written) && asNumber === exact : Number.isNaN(asNumber))
      )
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

test('readInt64() is NaN just beyond the safe integers', (t) => {
  const bytes = new Uint8Array(8)
  for (const [value, expected] of [
    [2n ** 53n - 1n, Number.MAX_SAFE_INTEGER],
    [2n ** 53n, Number.NaN],
    [2n ** 53n + 1n, Number.NaN],
    [-(2n ** 53n) + 1n, Number.MIN_SAFE_INTEGER],
    [-(2n ** 53n), Number.NaN],
    [-(2n ** 63n), Number.NaN],
  ] as const) {
    writeInt64(bytes, 0, value)
    t.is(readInt64(bytes, 0), expected, String(value))
  }
})

test('writeInt64() refuses what does not fit', (t) => {
  const bytes = new Uint8Array(8)
  t.throws(() => writeInt64(bytes, 0, 2n ** 63n), { instanceOf: RangeError })
  t.throws(() => writeInt64(bytes, 0, -(2n ** 63n) - 1n), { instanceOf: RangeError })
  t.throws(() => writeInt64(bytes, 0, 2 ** 53), { instanceOf: RangeError })
  t.throws(() => writeInt64(bytes, 0, 0.5), { instanceOf: RangeError })
  t.throws(() => writeInt64(bytes, 0, Number.NaN), { instanceOf: RangeError })
})
