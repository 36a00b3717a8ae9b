import test from 'ava'
import fc from 'fast-check'
import {
  STATE_BLOCK_BYTES,
  decodeStateBlock,
  encodeStateBlock,
  isOfThisBoot,
  type PartitionStatus,
} from '../../lib/log/state-block.js'

const number = fc.oneof(fc.nat(), fc.maxSafeNat())
const timestamp = fc.oneof(fc.constant(-1), number)

const block = fc.record({
  status: fc.constantFrom<PartitionStatus>('live', 'follower', 'sealed', 'deleted', 'sync-failed'),
  valid: fc.boolean(),
  bootId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  leaderEpoch: fc.nat(0x7fff_ffff),
  activeBaseOffset: number,
  device: number,
  inode: number,
  logBytes: number,
  logEndOffset: number,
  syncedOffset: number,
  maxTimestampMs: timestamp,
  maxTimestampOffset: number,
  firstTimestampMs: timestamp,
  bytesSinceIndexEntry: number,
  offsetIndexBytes: fc.nat(0x7fff_ffff),
  timeIndexBytes: fc.nat(0x7fff_ffff),
  timeIndexTimestampMs: timestamp,
  holderPid: fc.nat(0x7fff_ffff),
  holderStartTicks: number,
})

test('a state block is decoded to what was encoded', (t) => {
  fc.assert(
    fc.property(block, (original) => {
      const bytes = encodeStateBlock(original)
      t.is(bytes.length, STATE_BLOCK_BYTES)
      t.deepEqual(decodeStateBlock(bytes), original)
    }),
  )
})

test('a state block is decoded from the middle of a larger buffer', (t) => {
  const [original] = fc.sample(block, { numRuns: 1, seed: 7 })
  if (original === undefined) return t.fail()
  const buffer = new Uint8Array(1000).fill(0xee)
  buffer.set(encodeStateBlock(original), 333)
  t.deepEqual(decodeStateBlock(buffer.subarray(333)), original)
})

test('a state block with any bit wrong, cut short, or of zeros is none', (t) => {
  for (const original of fc.sample(block, { numRuns: 3, seed: 1 })) {
    const bytes = encodeStateBlock(original)
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const wrong = bytes.slice()
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      t.is(decodeStateBlock(wrong), undefined, `bit ${bit}`)
    }
    for (let length = 0; length < bytes.length; length += 1) t.is(decodeStateBlock(bytes.subarray(0, length)), undefined)
  }
  t.is(decodeStateBlock(new Uint8Array(STATE_BLOCK_BYTES)), undefined)
})

test('a state block is of this boot when the kernel has the same id', (t) => {
  const [original] = fc.sample(block, { numRuns: 1, seed: 3 })
  if (original === undefined) return t.fail()
  t.true(isOfThisBoot(original, { bootId: original.bootId.slice() }))
  for (let at = 0; at < 16; at += 1) {
    const other = original.bootId.slice()
    other[at] = (other[at] ?? 0) ^ 1
    t.false(isOfThisBoot(original, { bootId: other }))
  }
})
