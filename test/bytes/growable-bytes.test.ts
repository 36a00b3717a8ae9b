import test from 'ava'
import { GrowableBytes } from '../../lib/bytes/growable-bytes.js'

test('GrowableBytes keeps what was appended while it grows', (t) => {
  const out = new GrowableBytes(4)
  const expected: number[] = []
  for (let index = 0; index < 300; index++) {
    const part = new Uint8Array(index % 17).fill(index)
    out.append(part)
    expected.push(...part)
  }
  t.deepEqual([...out.view()], expected)
  t.is(out.length, expected.length)
})

test('GrowableBytes.clear() forgets the bytes and keeps the buffer', (t) => {
  const out = new GrowableBytes(4)
  out.append(new Uint8Array(100))
  const buffer = out.bytes
  out.clear()
  t.is(out.length, 0)
  t.is(out.view().length, 0)
  out.append(Uint8Array.of(7))
  t.is(out.bytes, buffer)
})

test('GrowableBytes.reserve() refuses more than the format can hold before it allocates', (t) => {
  const out = new GrowableBytes(4)
  t.throws(() => out.reserve(0x8000_0000), { code: 'LOGQ_RECORD_TOO_LARGE' })
  t.is(out.bytes.length, 4)
})
