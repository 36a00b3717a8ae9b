import test from 'ava'
import {
  RECOVERY_POINT_FILE_BYTES,
  decodeRecoveryPoint,
  encodeRecoveryPoint,
  recoveryPointSlotPosition,
  type RecoveryPoint,
} from '../../lib/log/recovery-point.js'
import { hex } from './partition-in-memory.js'
import { readWorkedExamples } from './worked-examples.js'

const [example] = readWorkedExamples('recovery-point.md')
const bytes = example?.bytes ?? new Uint8Array()
const expected = example?.expected as RecoveryPoint
const first: RecoveryPoint = { sequence: 1, offset: 0, segmentBaseOffset: 0, position: 0 }

test('recovery-point.md: the bytes decode to what the page says', (t) => {
  t.deepEqual(decodeRecoveryPoint(bytes), expected)
})

test('recovery-point.md: what the page says encodes to the bytes', (t) => {
  const file = Buffer.alloc(RECOVERY_POINT_FILE_BYTES)
  for (const point of [first, expected]) file.set(encodeRecoveryPoint(point), recoveryPointSlotPosition(point.sequence))
  t.is(hex(file), hex(bytes))
})

test('recovery-point.md: with the newer slot damaged the older one counts, with both damaged none does', (t) => {
  const damaged = bytes.slice()
  damaged[5] = 1
  t.deepEqual(decodeRecoveryPoint(damaged), first)
  damaged[40] = 1
  t.is(decodeRecoveryPoint(damaged), undefined)
  t.is(decodeRecoveryPoint(bytes.subarray(0, 31)), undefined)
})
