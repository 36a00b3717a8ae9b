import test, { type ExecutionContext } from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX } from '../../lib/log/file-names.js'
import { readLeaderEpochs } from '../../lib/log/leader-epoch-file.js'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { logStartOffset } from '../../lib/log/log-view.js'
import { Log } from '../../lib/log/log.js'
import { readRecoveryPoint } from '../../lib/log/recovery-point-file.js'
import {
  BATCH_HEADER_BYTES,
  LAST_OFFSET_DELTA_POSITION,
  LENGTH_POSITION,
  MAGIC,
  MAGIC_POSITION,
  RECORD_COUNT_POSITION,
} from '../../lib/record/batch-layout.js'
import { stampBatch } from '../../lib/record/batch.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { createSeededRandom } from '../helpers/seeded-random.js'
import { appendOnce, judgeIndexes, judgeLitter } from '../crash/judge-log.js'
import {
  DIRECTORY,
  START_MS,
  appendBytes,
  bases,
  batch,
  beside,
  createTiny,
  fill,
  names,
  overwrite,
  pathOf,
  readAll,
  readFile,
  readWhatCanBeRead,
  sizeOf,
  tinyContext,
} from './tiny-log.js'

const LOG = pathOf(0)
const SYNCED = ['0:s0', '1:s1', '2:s2']
const UNSYNCED = ['3:u0', '4:u1', '5:u2']

/** Three batches that are synced and noted; with a tail, three more that are not. Gives where each batch ends. */
async function threeAnd(tail: 'three' | 'none'): Promise<{ system: FakeSystem; ends: number[] }> {
  const system = createFakeSystem()
  const context = createTiny(system)
  const ends: number[] = []
  for (const value of ['s0', 's1', 's2']) {
    await fill(context, [[value]])
    ends.push(sizeOf(system, LOG))
  }
  const log = Log.open(context)
  for (const value of tail === 'three' ? ['u0', 'u1', 'u2'] : []) {
    await log.append(batch([value], START_MS + 10))
    ends.push(sizeOf(system, LOG))
  }
  await log.close()
  return { system, ends }
}

function copyOf(system: FakeSystem): FakeSystem {
  return beside(system, { disk: system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'all' }) })
}

function flip(bytes: Uint8Array, at: number, mask = 0xff): Uint8Array {
  const flipped = bytes.slice()
  flipped[at] = (flipped[at] ?? 0) ^ mask
  return flipped
}

/** The next command is told, once; the bytes from `position` on are kept; the one after that goes on in a new leader epoch. */
async function expectQuarantine(
  t: ExecutionContext,
  system: FakeSystem,
  position: number,
  kept: readonly string[],
): Promise<void> {
  const bad = readFile(system, LOG).subarray(position)
  const context = tinyContext(system)
  t.deepEqual(await readWhatCanBeRead(context), kept, 'readers stop before it')
  const log = Log.open(context)
  const error = await t.throwsAsync(log.append(batch(['first'])), { message: /cut unsynced records.*quarantine/ })
  t.true(isLogqError(error, 'LOGQ_CORRUPT'))
  await log.close()
  t.is(await appendOnce(context), kept.length)
  t.deepEqual(await readAll(context), [...kept, `${kept.length}:probe`])
  const directory = `${DIRECTORY}/quarantine`
  t.deepEqual(names(system, directory), [`0.${position}.${bad.length}`])
  t.is(Buffer.compare(readFile(system, `${directory}/0.${position}.${bad.length}`), bad), 0)
  const epochs = (readLeaderEpochs(context) ?? []).map(({ epoch, startOffset }) => ({ epoch, startOffset }))
  t.deepEqual(epochs.at(-1), { epoch: 1, startOffset: kept.length })
  judgeLitter(system)
  await judgeIndexes(context)
}

async function expectSilentCut(t: ExecutionContext, system: FakeSystem, kept: readonly string[]): Promise<void> {
  const context = tinyContext(system)
  t.deepEqual(await readAll(context), kept)
  t.is(await appendOnce(context), kept.length)
  t.deepEqual(await readAll(context), [...kept, `${kept.length}:probe`])
  t.false(names(system).includes('quarantine'))
  t.is(readLeaderEpochs(context)?.length, 1)
  await judgeIndexes(context)
}

/** Every command fails, names the damage, and changes nothing in the log. */
async function expectCorruption(t: ExecutionContext, system: FakeSystem): Promise<void> {
  const before = readFile(system, LOG)
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const log = Log.open(tinyContext(system))
    const error = await t.throwsAsync(log.append(batch(['x'])))
    t.true(isLogqError(error, 'LOGQ_CORRUPT'), error.message)
    t.regex(error.message, /synced records of 'tiny-0' below offset \d+ are missing or damaged/)
    await log.close()
  }
  t.deepEqual(readFile(system, LOG), before)
  t.false(names(system).includes('quarantine'))
}

test('recovery cuts a log that ends anywhere in its unsynced tail to whole batches, without a word', async (t) => {
  const original = await threeAnd('three')
  const whole = readFile(original.system, LOG)
  for (let length = original.ends[2] ?? 0; length < whole.length; length += 1) {
    const system = copyOf(original.system)
    overwrite(system, LOG, whole.subarray(0, length))
    const batches = original.ends.filter((end) => end <= length).length
    await expectSilentCut(t, system, [...SYNCED, ...UNSYNCED].slice(0, batches))
  }
})

test('recovery refuses a log that ends anywhere below its recovery point, and readers name the place', async (t) => {
  const original = await threeAnd('none')
  const whole = readFile(original.system, LOG)
  for (let length = 0; length < whole.length; length += 1) {
    const system = copyOf(original.system)
    overwrite(system, LOG, whole.subarray(0, length))
    await expectCorruption(t, system)
    const error = await t.throwsAsync(readAll(tinyContext(system)))
    t.true(isLogqError(error, 'LOGQ_CORRUPT'), `length ${length}: ${error.message}`)
  }
})

for (const length of [1, 16, 17, 60, 61, 4096, 10_000]) {
  test(`recovery cuts ${length} zeros at the end without a word`, async (t) => {
    const { system } = await threeAnd('three')
    appendBytes(system, LOG, new Uint8Array(length))
    await expectSilentCut(t, system, [...SYNCED, ...UNSYNCED])
  })
}

test('recovery cuts one large batch that is not wholly there without a word', async (t) => {
  const { system } = await threeAnd('three')
  const large = batch(['x'.repeat(100_000)]).bytes
  // Two bytes that look like a batch's magic are not a batch.
  appendBytes(system, LOG, large.subarray(0, 60_000))
  await expectSilentCut(t, system, [...SYNCED, ...UNSYNCED])
})

test('recovery puts garbage at the end into quarantine', async (t) => {
  for (const length of [17, 61, 500]) {
    const { system } = await threeAnd('three')
    const position = sizeOf(system, LOG)
    appendBytes(system, LOG, createSeededRandom(length).bytes(length).fill(7, 8, 17))
    await expectQuarantine(t, system, position, [...SYNCED, ...UNSYNCED])
  }
})

test('recovery puts a copy of an old batch at the end into quarantine', async (t) => {
  const { system, ends } = await threeAnd('three')
  const position = sizeOf(system, LOG)
  appendBytes(system, LOG, readFile(system, LOG).subarray(ends[0], ends[1]))
  await expectQuarantine(t, system, position, [...SYNCED, ...UNSYNCED])
})

test('recovery puts every unsynced batch from the first bad one on into quarantine', async (t) => {
  const original = await threeAnd('three')
  const bytes = readFile(original.system, LOG)
  for (const [bad, end] of [3, 4, 5].entries()) {
    const system = copyOf(original.system)
    overwrite(system, LOG, flip(bytes, (original.ends[end] ?? 0) - 2))
    await expectQuarantine(t, system, original.ends[end - 1] ?? 0, [...SYNCED, ...UNSYNCED.slice(0, bad)])
  }
})

test('recovery tells a damaged length, with whole batches behind it, from a torn batch', async (t) => {
  const { system, ends } = await threeAnd('three')
  const position = ends[2] ?? 0
  // The length of the first unsynced batch then reaches beyond the end of the file.
  overwrite(system, LOG, flip(readFile(system, LOG), position + 10, 0x10))
  await expectQuarantine(t, system, position, SYNCED)
})

test('recovery of a torn batch that is full of look-alike headers takes no time, and keeps in quarantine what it cannot tell', async (t) => {
  // What 17 bytes of a header can say: base offset 3, a length of 400 kB, leader epoch 0 and the magic number.
  const start = Buffer.from('0000000000000003' + '00061a80' + '00000000' + '02', 'hex')
  // A header with all that a batch may have, but for the CRC.
  const whole = Buffer.alloc(BATCH_HEADER_BYTES)
  start.copy(whole)
  whole.writeInt32BE(0, LAST_OFFSET_DELTA_POSITION)
  whole.writeInt32BE(1, RECORD_COUNT_POSITION)
  for (const [lookAlike, isTold] of [
    [start, true],
    [whole, false],
  ] as const) {
    const { system } = await threeAnd('none')
    const position = sizeOf(system, LOG)
    const records = Buffer.alloc(4 << 20, lookAlike)
    const torn = Buffer.alloc(BATCH_HEADER_BYTES + records.length)
    whole.copy(torn)
    torn.writeInt32BE(torn.length, LENGTH_POSITION)
    records.copy(torn, BATCH_HEADER_BYTES)
    appendBytes(system, LOG, torn)
    const log = Log.open(tinyContext(system))
    const before = performance.now()
    const appending = log.append(batch(['next']))
    if (isTold) t.is((await appending).baseOffset, SYNCED.length)
    else await t.throwsAsync(appending, { message: /cut unsynced records.*quarantine/ })
    // A second where it was measured; more than a minute when every look-alike is summed.
    t.true(performance.now() - before < 10_000)
    await log.close()
    t.is(names(system).includes('quarantine'), !isTold)
    t.is(await appendOnce(tinyContext(system)), isTold ? SYNCED.length + 1 : SYNCED.length)
    if (isTold) continue
    const kept = readFile(system, `${DIRECTORY}/quarantine/0.${position}.${torn.length}`)
    t.is(Buffer.compare(kept, torn), 0)
  }
})

test('recovery finds a whole batch behind a torn one wherever its header lies', async (t) => {
  for (const fillBytes of [0, (1 << 20) - 62, (1 << 20) - 30, (1 << 20) - 1, 1 << 20]) {
    const { system } = await threeAnd('none')
    const position = sizeOf(system, LOG)
    const torn = Buffer.alloc(BATCH_HEADER_BYTES + fillBytes)
    torn[MAGIC_POSITION] = MAGIC
    torn.writeInt32BE(0x7000_0000, LENGTH_POSITION)
    const { bytes } = batch(['after'])
    stampBatch(bytes, 7, 0)
    appendBytes(system, LOG, Buffer.concat([torn, bytes]))
    await expectQuarantine(t, system, position, SYNCED)
  }
})

test('recovery never loses a record to a wrong bit of an unsynced header without keeping it in quarantine', async (t) => {
  const original = await threeAnd('three')
  const bytes = readFile(original.system, LOG)
  const first = original.ends[3] ?? 0
  for (let bit = 0; bit < 61 * 8; bit += 1) {
    const system = copyOf(original.system)
    const damaged = flip(bytes, first + Math.floor(bit / 8), 1 << (bit % 8))
    overwrite(system, LOG, damaged)
    const context = tinyContext(system)
    const log = Log.open(context)
    await log.append(batch(['v'])).catch((error: unknown) => {
      if (!isLogqError(error, 'LOGQ_CORRUPT')) throw error
    })
    await log.close()
    const records = (await readAll(context)).filter((record) => !record.endsWith(':v'))
    const kept = names(system).includes('quarantine') ? names(system, `${DIRECTORY}/quarantine`).length : 0
    if (kept === 0) t.deepEqual(records, [...SYNCED, ...UNSYNCED], `bit ${bit}`)
    else t.deepEqual(records, [...SYNCED, ...UNSYNCED].slice(0, records.length), `bit ${bit}`)
    t.true(records.length >= 4, `bit ${bit}`)
  }
})

test('a second cut at the same place does not replace what the first one put into quarantine', async (t) => {
  const { system } = await threeAnd('none')
  const size = sizeOf(system, LOG)
  for (const value of [7, 9]) {
    overwrite(system, LOG, readFile(system, LOG).subarray(0, size))
    appendBytes(system, LOG, new Uint8Array(100).fill(value))
    const log = Log.open(tinyContext(system))
    await t.throwsAsync(log.append(batch(['x'])), { message: /quarantine/ })
    await log.close()
  }
  const directory = `${DIRECTORY}/quarantine`
  t.deepEqual(
    names(system, directory).map((name) => readFile(system, `${directory}/${name}`)[0]),
    [7, 9],
  )
})

test('each cut begins an epoch of its own, and one that no record is in is replaced', async (t) => {
  const { system } = await threeAnd('none')
  const context = tinyContext(system)
  const begun: unknown[] = []
  for (let cut = 0; cut < 3; cut += 1) {
    appendBytes(system, LOG, new Uint8Array(80).fill(cut + 1))
    await appendOnce(context, true)
    const last = readLeaderEpochs(context)?.at(-1)
    begun.push([last?.epoch, last?.startOffset])
  }
  t.deepEqual(begun, [
    [1, 3],
    [2, 4],
    [3, 5],
  ])
})

test('recovery refuses bad bytes in a segment that is not the last: a roll has synced it', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await fill(context, [['a'], ['b'], ['c'], ['d'], ['e'], ['f'], ['g']])
  t.true(bases(system).length >= 3)
  // A power cut may take the newest recovery points back.
  system.fs.unlink(`${DIRECTORY}/recovery-point`)
  overwrite(system, LOG, flip(readFile(system, LOG), sizeOf(system, LOG) - 1))
  system.fs.unlink(`${DIRECTORY}/lock`)
  const before = readFile(system, LOG)
  const log = Log.open(context)
  const error = await t.throwsAsync(log.append(batch(['x'])))
  t.true(isLogqError(error, 'LOGQ_CORRUPT'))
  t.deepEqual(readFile(system, LOG), before)
  t.false(names(system).includes('quarantine'))
})

test('recovery goes on from a recovery point whose segment was retained away', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await fill(context, [['a']])
  const early = readFile(system, `${DIRECTORY}/recovery-point`)
  await fill(context, [['b'], ['c'], ['d'], ['e']])
  const second = bases(system)[1] ?? 0
  const start = bases(system)[2] ?? second
  writeLogStartOffset(context, start)
  for (const base of bases(system).filter((one) => one < start)) system.fs.unlink(pathOf(base))
  overwrite(system, `${DIRECTORY}/recovery-point`, early)
  overwrite(system, `${DIRECTORY}/lock`, new Uint8Array(0))
  t.is(await appendOnce(context), 5)
})

test('recovery refuses when the segment of the recovery point is missing and was not retained away', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await fill(context, [['a']])
  const early = readFile(system, `${DIRECTORY}/recovery-point`)
  await fill(context, [['b'], ['c'], ['d'], ['e']])
  system.fs.unlink(LOG)
  overwrite(system, `${DIRECTORY}/recovery-point`, early)
  overwrite(system, `${DIRECTORY}/lock`, new Uint8Array(0))
  const log = Log.open(context)
  t.true(isLogqError(await t.throwsAsync(log.append(batch(['x']))), 'LOGQ_CORRUPT'))
})

test('recovery refuses when the last segment, with the recovery point in it, is missing', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 200 })
  await fill(context, [['a'], ['b'], ['c'], ['d'], ['e']])
  const last = bases(system).at(-1) ?? 0
  t.true(last > 0)
  system.fs.unlink(pathOf(last))
  const log = Log.open(context)
  t.true(isLogqError(await t.throwsAsync(log.append(batch(['x']))), 'LOGQ_CORRUPT'))
  t.true(isLogqError(await t.throwsAsync(readAll(context)), 'LOGQ_CORRUPT'))
})

test('recovery refuses a partition whose segments are all gone', async (t) => {
  const { system } = await threeAnd('none')
  system.fs.unlink(LOG)
  const log = Log.open(tinyContext(system))
  const error = await t.throwsAsync(log.append(batch(['x'])))
  t.true(isLogqError(error, 'LOGQ_CORRUPT'))
  t.regex(error.message, /no segment is left/)
})

test('recovery takes over a partition that Kafka wrote, with missing offsets and epochs of its own', async (t) => {
  const { system, ends } = await threeAnd('three')
  const bytes = readFile(system, LOG)
  // Without its second batch, as compaction leaves it.
  overwrite(system, LOG, Buffer.concat([bytes.subarray(0, ends[0]), bytes.subarray(ends[1])]))
  for (const name of ['lock', 'recovery-point', 'leader-epoch-checkpoint', 'leader-epoch-ids']) {
    system.fs.unlink(`${DIRECTORY}/${name}`)
  }
  const context = tinyContext(system)
  t.is(await appendOnce(context), 6)
  t.deepEqual(await readAll(context), ['0:s0', '2:s2', ...UNSYNCED, '6:probe'])
  t.deepEqual(readLeaderEpochs(context)?.length, 1)
})

test('recovery removes what killed processes left, and nothing else', async (t) => {
  const { system } = await threeAnd('three')
  const orphan = pathOf(77, OFFSET_INDEX_SUFFIX)
  system.fs.makeDirectory(`${DIRECTORY}/quarantine`, 0o700)
  for (const path of [
    `${DIRECTORY}/.tmp-0123456789ab`,
    `${DIRECTORY}/quarantine/.tmp-0123456789ab`,
    orphan,
    `${DIRECTORY}/notes`,
  ]) {
    overwrite(system, path, Buffer.from('x'))
  }
  overwrite(system, `${DIRECTORY}/lock`, new Uint8Array(0))
  await appendOnce(tinyContext(system))
  t.false(names(system).some((name) => name.startsWith('.tmp-')))
  t.deepEqual(names(system, `${DIRECTORY}/quarantine`), [])
  t.is(system.fs.pathStatus(orphan), undefined)
  t.true(names(system).includes('notes'))
})

const SMALL_FILES = [
  'lock',
  'recovery-point',
  'leader-epoch-checkpoint',
  'leader-epoch-ids',
  pathOf(0, OFFSET_INDEX_SUFFIX).slice(DIRECTORY.length + 1),
  pathOf(0, TIME_INDEX_SUFFIX).slice(DIRECTORY.length + 1),
]

for (const file of SMALL_FILES) {
  for (const others of [[], ['lock']]) {
    const alone = others.length === 0 ? 'alone' : 'with the lock file gone'
    test(`no wrong byte in '${file}', ${alone}, costs a record or gives a wrong one`, async (t) => {
      const original = await threeAnd('three')
      const path = `${DIRECTORY}/${file}`
      const bytes = readFile(original.system, path)
      const damages: (readonly [string, Uint8Array | undefined])[] = [...bytes.keys()].flatMap((at) => [
        [`byte ${at}`, flip(bytes, at)] as const,
        [`bit of byte ${at}`, flip(bytes, at, 1)] as const,
      ])
      damages.push(['gone', undefined], ['empty', new Uint8Array(0)], ['zeros', new Uint8Array(bytes.length)])
      damages.push(['short', bytes.subarray(0, bytes.length - 1)], ['long', Buffer.concat([bytes, bytes])])
      for (const [what, damaged] of damages) {
        const system = copyOf(original.system)
        if (damaged === undefined) system.fs.unlink(path)
        else overwrite(system, path, damaged)
        for (const other of others) if (other !== file) system.fs.unlink(`${DIRECTORY}/${other}`)
        await judgeDamaged(t, system, `${file}: ${what}`)
      }
    })
  }
}

/** All six records can be read and are there after the next append; or the damage is named, and nothing has changed. */
async function judgeDamaged(t: ExecutionContext, system: FakeSystem, what: string): Promise<void> {
  const context = tinyContext(system)
  const log = readFile(system, LOG)
  const records = [...SYNCED, ...UNSYNCED]
  t.deepEqual(await readAll(context), records, what)
  for (let offset = 0; offset <= records.length; offset += 1) {
    t.deepEqual(await readAll(context, offset, records.length), records.slice(offset), `${what}, from ${offset}`)
  }
  const appended = await appendOnce(context).catch((error: unknown) => {
    if (!isLogqError(error, 'LOGQ_CORRUPT')) throw error
    return undefined
  })
  if (appended === undefined) {
    t.deepEqual(readFile(system, LOG), log, what)
    t.false(names(system).includes('quarantine'), what)
    return
  }
  t.is(appended, records.length, what)
  t.deepEqual(await readAll(context), [...records, '6:probe'], what)
  await judgeIndexes(context)
}

test('a wrong byte in log-start-offset is named by those who need it, and keeps nobody from appending', async (t) => {
  const original = await threeAnd('three')
  const path = `${DIRECTORY}/log-start-offset`
  writeLogStartOffset(tinyContext(original.system), 1)
  const bytes = readFile(original.system, path)
  for (const at of bytes.keys()) {
    const system = copyOf(original.system)
    overwrite(system, path, flip(bytes, at))
    const context = tinyContext(system)
    const error = t.throws(() => logStartOffset(context, [0]))
    t.true(isLogqError(error, 'LOGQ_CORRUPT'))
    t.is(await appendOnce(context), 6)
    t.deepEqual(await readAll(context), [...SYNCED, ...UNSYNCED, '6:probe'])
  }
})

test('a reader gives no wrong record for any wrong bit of synced batches, and the log is never cut', async (t) => {
  const original = await threeAnd('none')
  const bytes = readFile(original.system, LOG)
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const system = copyOf(original.system)
    const damaged = flip(bytes, Math.floor(bit / 8), 1 << (bit % 8))
    overwrite(system, LOG, damaged)
    const context = tinyContext(system)
    const seen: string[] = []
    try {
      seen.push(...(await readAll(context)))
      t.deepEqual(seen, SYNCED, `bit ${bit}: all there, or the damage is named`)
    } catch (error) {
      t.true(isLogqError(error, 'LOGQ_CORRUPT'), `bit ${bit}: ${String(error)}`)
    }
    await appendOnce(context).catch((error: unknown) => {
      t.true(isLogqError(error, 'LOGQ_CORRUPT'), `bit ${bit}: ${String(error)}`)
    })
    t.deepEqual(readFile(system, LOG).subarray(0, damaged.length), damaged, `bit ${bit}`)
  }
})

test('a long tail that was verified is synced, so that the next process need not verify it again', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system, { segmentBytes: 1 << 25 })
  const log = Log.open(context)
  for (let n = 0; n < 5; n += 1) await log.append(batch(['x'.repeat(1 << 20)]))
  await log.close()
  t.is(readRecoveryPoint(context)?.offset, 0)
  const next = Log.open(context)
  await next.append(batch(['y']))
  await next.close()
  t.is(readRecoveryPoint(context)?.offset, 5)
})
