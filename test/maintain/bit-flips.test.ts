import test from 'ava'
import { bases, overwrite, pathOf, readFile } from '../log/tiny-log.js'
import { check, flipBit } from './damaged-partition.js'
import { ROLLING, THREE, everyFlip, isUncovered, prepare } from './flip-segment.js'
import { fill, tinyContext } from '../log/tiny-log.js'

/** bit-flips.long.ts repairs after every flip. */
const some = (bit: number, byteInBatch: number) => isUncovered(byteInBatch) || bit % 61 === 0

test('every bit of a synced segment of three batches: its flip is found; a repair loses that batch at most, and none for a flip that no CRC covers', async (t) => {
  t.true((await everyFlip(await prepare(), 0, some)) > 10)
})

test('every bit of a closed segment: its flip is found; a repair loses that batch at most, and none for a flip that no CRC covers', async (t) => {
  const prepared = await prepare(ROLLING, [...THREE, ['f'], ['g']])
  t.deepEqual(bases(prepared.system), [0, 5])
  t.true((await everyFlip(prepared, 0, some)) > 10)
})

test('a flipped bit above what was synced is a note, and no damage', async (t) => {
  const { system } = await prepare({}, THREE.slice(0, 1))
  const context = tinyContext(system)
  const synced = readFile(system, pathOf(0)).length
  const point = readFile(system, `${context.directory}/recovery-point`)
  await fill(context, THREE.slice(1))
  const bytes = readFile(system, pathOf(0))
  overwrite(system, pathOf(0), flipBit(bytes, (bytes.length - 1) * 8))
  const damageOf = async () => (await check(system)).findings.filter(({ kind }) => kind === 'damage').length
  t.is(await damageOf(), 1)
  overwrite(system, `${context.directory}/recovery-point`, point)
  // The state block knows still that everything was synced.
  t.is(await damageOf(), 1)
  overwrite(system, `${context.directory}/lock`, new Uint8Array(300))
  t.is(await damageOf(), 0)
  const notes = (await check(system)).findings.filter(({ kind }) => kind === 'note')
  t.true(notes.some(({ position }) => (position ?? 0) > synced))
})
