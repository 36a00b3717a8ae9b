import test from 'ava'
import { writeLeaderEpochs } from '../../lib/log/leader-epoch-file.js'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX } from '../../lib/log/file-names.js'
import { STATE_BLOCK_BYTES } from '../../lib/log/state-block.js'
import { writeKnownGaps } from '../../lib/log/known-gaps.js'
import { DIRECTORY, bases, fill, overwrite, pathOf, readFile, tinyContext } from '../log/tiny-log.js'
import { check, copyOf, flipBit, isClean, judgeRepair, kinds } from './damaged-partition.js'
import { ROLLING, THREE, prepare, type Prepared } from './flip-segment.js'

/** Every bit of a file: what was found, by how many flips. Repairs a copy for every n-th. */
async function flipFile(prepared: Prepared, path: string, everyNth = 29): Promise<{ found: number; silent: number[] }> {
  const { system, original, config } = prepared
  const bytes = readFile(system, path)
  const silent: number[] = []
  let found = 0
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    overwrite(system, path, flipBit(bytes, bit))
    const { findings } = await check(system)
    if (findings.some(({ kind }) => kind === 'damage') && !path.endsWith('log-start-offset') && !path.endsWith('known-gaps'))
      throw new Error(`bit ${bit} is taken for damage: ${JSON.stringify(findings)}`)
    if (findings.every(({ kind }) => kind === 'note')) silent.push(bit)
    else found += 1
    if (bit % everyNth !== 0) continue
    try {
      await judgeRepair(copyOf(system), { original, kept: original, endOffset: original.length, config })
    } catch (error) {
      throw new Error(`bit ${bit}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  overwrite(system, path, bytes)
  return { found, silent }
}

const rolled = () => prepare(ROLLING, [...THREE, ['f'], ['g'], ['h']])

for (const [base, which] of [
  [0, 'a closed'],
  [5, 'the active'],
] as const) {
  for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const) {
    test(`every flipped bit of the ${suffix} of ${which} segment is found, is a cache, and a repair loses nothing`, async (t) => {
      const { found, silent } = await flipFile(await rolled(), pathOf(base, suffix))
      t.deepEqual(silent, [])
      t.true(found > 100)
    })

    test(`the ${suffix} of ${which} segment cut at any length is found or harmless, and a repair loses nothing`, async (t) => {
      const prepared = await rolled()
      const { system, original, config } = prepared
      const bytes = readFile(system, pathOf(base, suffix))
      const entryBytes = suffix === OFFSET_INDEX_SUFFIX ? 8 : 12
      for (let length = 0; length < bytes.length; length += 1) {
        overwrite(system, pathOf(base, suffix), bytes.subarray(0, length))
        const { findings } = await check(system)
        t.false(kinds(findings).includes('damage'))
        if (length % entryBytes !== 0) t.deepEqual(kinds(findings), ['cache'], String(length))
        await judgeRepair(copyOf(system), { original, kept: original, endOffset: original.length, config })
      }
    })
  }
}

test('an index of the active segment that is preallocated as a whole has no entries; a zeroed one that had some is a cache', async (t) => {
  const sizes = [
    [OFFSET_INDEX_SUFFIX, 70_000],
    [TIME_INDEX_SUFFIX, 70_008],
  ] as const
  for (const values of [['a', 'b'], ['a']]) {
    const { system } = await prepare({ indexIntervalBytes: 1 << 20 }, [values, ['c']])
    for (const [suffix, size] of sizes) overwrite(system, pathOf(0, suffix), new Uint8Array(size))
    t.deepEqual((await check(system)).findings, [])
    for (const [suffix, size] of sizes) {
      overwrite(system, pathOf(0, suffix), new Uint8Array(size).fill(1, 69_000, 69_001))
      t.deepEqual(kinds((await check(system)).findings), ['cache'], suffix)
      overwrite(system, pathOf(0, suffix), new Uint8Array(size))
    }
  }
  const { system } = await prepare({ indexIntervalBytes: 0 }, [['a', 'b'], ['c']])
  const [[suffix, size]] = sizes
  t.true(readFile(system, pathOf(0, suffix)).length > 0)
  overwrite(system, pathOf(0, suffix), new Uint8Array(size))
  t.deepEqual(kinds((await check(system)).findings), ['cache'])
})

test('a missing index is a note, and a repair builds it anew', async (t) => {
  const { system, original, config } = await rolled()
  const whole = readFile(system, pathOf(0, OFFSET_INDEX_SUFFIX))
  for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const) system.fs.unlink(pathOf(0, suffix))
  t.deepEqual(kinds((await check(system)).findings), ['note'])
  const { report } = await judgeRepair(system, {
    original,
    kept: original,
    endOffset: 8,
    config: { ...config, indexIntervalBytes: 0 },
  })
  t.deepEqual(report.rebuilt, [pathOf(0, OFFSET_INDEX_SUFFIX), pathOf(0, TIME_INDEX_SUFFIX)])
  t.deepEqual(readFile(system, pathOf(0, OFFSET_INDEX_SUFFIX)), whole)
})

test('every flipped bit of the state block is found; the note of the holder is none of it', async (t) => {
  const prepared = await rolled()
  const { silent } = await flipFile(prepared, `${DIRECTORY}/lock`)
  t.true(silent.length > 0)
  t.true(
    silent.every((bit) => bit >= STATE_BLOCK_BYTES * 8),
    `${silent.slice(0, 3).join()} …`,
  )
})

test('one damaged slot of the recovery point is a note, both are a cache', async (t) => {
  const prepared = await rolled()
  const { system } = prepared
  const path = `${DIRECTORY}/recovery-point`
  const { found, silent } = await flipFile(prepared, path)
  t.is(found, 0)
  t.true(silent.length > 100)
  const bytes = readFile(system, path)
  overwrite(system, path, flipBit(flipBit(bytes, 3), bytes.length * 8 - 1))
  const { findings } = await check(system)
  t.deepEqual(kinds(findings), ['cache'])
  const { original, config } = prepared
  const { report } = await judgeRepair(system, { original, kept: original, endOffset: 8, config })
  t.deepEqual(report.rebuilt, [path])
})

test('every flipped bit of the leader epoch checkpoint is found, and a repair loses nothing', async (t) => {
  const prepared = await rolled()
  const context = tinyContext(prepared.system, prepared.config)
  const path = `${DIRECTORY}/leader-epoch-checkpoint`
  t.deepEqual((await flipFile(prepared, path)).silent, [])
  t.true(isClean(await check(prepared.system)))
  // With several epochs, of which the last has no record yet.
  writeLeaderEpochs(context, [
    { epoch: 0, startOffset: 0, id: '0123456789abcdef' },
    { epoch: 3, startOffset: 8, id: '0123456789abcdee' },
  ])
  overwrite(prepared.system, `${DIRECTORY}/lock`, new Uint8Array(0))
  await fill(context, [['i']])
  const original = [...prepared.original, '8:i']
  t.deepEqual((await flipFile({ ...prepared, original }, path)).silent, [])
})

test('a flipped bit of the ids of leader epochs is found, but for a digit that became another one', async (t) => {
  const prepared = await rolled()
  const path = `${DIRECTORY}/leader-epoch-ids`
  const text = Buffer.from(readFile(prepared.system, path)).toString()
  const { found, silent } = await flipFile(prepared, path)
  const digits = text.lastIndexOf(' ') + 1
  t.true(silent.every((bit) => bit >> 3 >= digits && bit >> 3 < digits + 16))
  t.true(found > 100)
})

test('every flipped bit of the log start offset is found as damage, and a repair hides nothing', async (t) => {
  const prepared = await rolled()
  writeLogStartOffset(tinyContext(prepared.system), 0)
  t.deepEqual((await flipFile(prepared, `${DIRECTORY}/log-start-offset`)).silent, [])
})

test('a flipped bit of the known gaps is found, and a repair loses nothing', async (t) => {
  const { system, config, original } = await prepare(
    ROLLING,
    Array.from({ length: 12 }, (_, n) => [`${n}`]),
  )
  t.deepEqual(bases(system), [0, 3, 6, 9])
  system.fs.unlink(pathOf(3))
  const kept = original.filter((_, n) => n < 3 || n > 5)
  await judgeRepair(system, { original, kept, endOffset: 12, config })
  t.is(Buffer.from(readFile(system, `${DIRECTORY}/known-gaps`)).toString(), '0\n1\n3 6\n')
  const { silent } = await flipFile({ system, config, original: [...kept, '12:probe'] }, `${DIRECTORY}/known-gaps`, 3)
  t.deepEqual(silent, [])
})

test('known gaps that cover a record are found', async (t) => {
  const { system } = await rolled()
  writeKnownGaps(tinyContext(system), [{ fromOffset: 7, toOffset: 9 }])
  const { findings } = await check(system)
  t.deepEqual(kinds(findings), ['cache'])
  t.is(findings[0]?.offset, 7)
})
