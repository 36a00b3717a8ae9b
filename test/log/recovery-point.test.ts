import test from 'ava'
import {
  RECOVERY_POINT_FILE_BYTES,
  RECOVERY_POINT_SLOT_BYTES,
  decodeRecoveryPoint,
  encodeRecoveryPoint,
  recoveryPointSlotPosition,
  type RecoveryPoint,
} from '../../lib/log/recovery-point.js'
import { readRecoveryPoint, writeRecoveryPoint } from '../../lib/log/recovery-point-file.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { DIRECTORY, createTiny, overwrite, readFile } from './tiny-log.js'

const older: RecoveryPoint = { sequence: 4, offset: 100, segmentBaseOffset: 50, position: 999 }
const newer: RecoveryPoint = { sequence: 5, offset: 2 ** 40, segmentBaseOffset: 50, position: 0x7fff_ffff }

function fileOf(...points: readonly RecoveryPoint[]): Uint8Array {
  const file = new Uint8Array(RECOVERY_POINT_FILE_BYTES)
  for (const point of points) file.set(encodeRecoveryPoint(point), recoveryPointSlotPosition(point.sequence))
  return file
}

test('the newer of two whole slots is the recovery point, whichever stands first', (t) => {
  t.deepEqual(decodeRecoveryPoint(fileOf(older, newer)), newer)
  const swapped = { ...older, sequence: 6 }
  t.deepEqual(decodeRecoveryPoint(fileOf(swapped, newer)), swapped)
})

test('with any bit of the newer slot wrong, the older one is the recovery point', (t) => {
  const file = fileOf(older, newer)
  const start = recoveryPointSlotPosition(newer.sequence)
  for (let bit = 0; bit < RECOVERY_POINT_SLOT_BYTES * 8; bit += 1) {
    const wrong = file.slice()
    wrong[start + (bit >> 3)] = (wrong[start + (bit >> 3)] ?? 0) ^ (1 << (bit & 7))
    t.deepEqual(decodeRecoveryPoint(wrong), older, `bit ${bit}`)
  }
})

test('without a whole slot there is no recovery point', (t) => {
  t.is(decodeRecoveryPoint(new Uint8Array(0)), undefined)
  t.is(decodeRecoveryPoint(new Uint8Array(RECOVERY_POINT_FILE_BYTES)), undefined)
  t.is(decodeRecoveryPoint(fileOf(older).subarray(0, RECOVERY_POINT_SLOT_BYTES - 1)), undefined)
  t.deepEqual(decodeRecoveryPoint(fileOf(older).subarray(0, RECOVERY_POINT_SLOT_BYTES)), older)
})

test('a slot that says what cannot be is none', (t) => {
  for (const wrong of [
    { ...older, sequence: 0 },
    { ...older, offset: 49 },
    { ...older, segmentBaseOffset: -1 },
    { ...older, position: -1 },
  ]) {
    t.is(decodeRecoveryPoint(fileOf(wrong)), undefined)
  }
})

test('writeRecoveryPoint() never touches the slot that holds the newest point', (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  for (let offset = 1; offset < 6; offset += 1) {
    const before = readRecoveryPoint(context)
    const bytes = readFile(system, `${DIRECTORY}/recovery-point`)
    writeRecoveryPoint(context, { offset, segmentBaseOffset: 0, position: offset * 10 })
    t.is(readRecoveryPoint(context)?.offset, offset)
    const slot = recoveryPointSlotPosition(before?.sequence ?? 0)
    const kept = readFile(system, `${DIRECTORY}/recovery-point`).subarray(slot, slot + RECOVERY_POINT_SLOT_BYTES)
    t.deepEqual(kept, bytes.subarray(slot, slot + RECOVERY_POINT_SLOT_BYTES))
  }
})

test('writeRecoveryPoint() writes over a damaged slot', (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  overwrite(system, `${DIRECTORY}/recovery-point`, new Uint8Array(RECOVERY_POINT_FILE_BYTES).fill(0xff))
  writeRecoveryPoint(context, { offset: 7, segmentBaseOffset: 0, position: 70 })
  t.is(readRecoveryPoint(context)?.offset, 7)
})
