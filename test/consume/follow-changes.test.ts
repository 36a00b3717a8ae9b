/** Followers of a topic whose files are taken away, replaced and brought back underneath them. */
import test from 'ava'
import { createPartition, markPartitionDeleted } from '../../lib/log/create-partition.js'
import type { Store } from '../../lib/store/store.js'
import { addPartitions, alterTopic, createTopic, removeTopic } from '../../lib/store/topics.js'
import { overwrite, readFile } from '../log/tiny-log.js'
import { STORE, tinyStore } from '../store/tiny-store.js'
import { compact, copyDirectory, logPath, retain, segmentsOf } from './change-files.js'
import { Follower, send } from './tiny-follower.js'

const DIRECTORY = `${STORE}/t-0`
/** Three records of one byte make a segment. */
const SMALL_SEGMENTS = { 'segment.bytes': 256 }

/** `0:v3` for the numbers from..to, the end excluded. */
function seen(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, n) => `0:v${from + n}`)
}

async function sendNumbers(store: Store, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 1) await send(store, 0, `v${n}`)
}

test('segments that are deleted while they are read are read to their end, and what lay behind them is named', async (t) => {
  const { system, store } = await tinyStore({ config: SMALL_SEGMENTS })
  await sendNumbers(store, 0, 4)
  const follower = new Follower(system)
  await follower.advance()
  t.deepEqual(follower.seen, seen(0, 4))
  const inActive = segmentsOf(store).at(-1) ?? 0
  await sendNumbers(store, 4, 20)
  const nextBase = segmentsOf(store).find((base) => base > inActive) ?? 0
  const start = retain(store, 2)
  t.true(nextBase > 4 && start > nextBase)
  await follower.advance()
  t.deepEqual(follower.seen, [...seen(0, nextBase), `skipped 0 ${nextBase} ${start}`, ...seen(start, 20)])
  await follower.stop()
  t.is(follower.system.process.openDescriptors, 0)
})

test('segments that are deleted before they are reached are named, also when nothing is left or appended', async (t) => {
  const { system, store } = await tinyStore({ config: SMALL_SEGMENTS })
  await sendNumbers(store, 0, 12)
  const follower = new Follower(system, { fromOffsets: new Map([[0, 1]]) })
  const start = retain(store, 1)
  await follower.advance()
  t.deepEqual(follower.seen, [`skipped 0 1 ${start}`, ...seen(start, 12)])
  await follower.stop()

  // As after a roll of an old segment: nothing is left of it, and nothing is in the next one yet.
  overwrite(system, logPath(store, 12), new Uint8Array(0))
  t.is(retain(store, 1), 12)
  const empty = new Follower(system, { fromOffsets: new Map([[0, 2]]) })
  await empty.advance()
  t.deepEqual(empty.seen, ['skipped 0 2 12'])
  await empty.advance()
  t.is(empty.seen.length, 1, 'once')
  await empty.stop()
})

test('a partition that is followed from its start begins where its log does, without a word', async (t) => {
  const { system, store } = await tinyStore({ config: SMALL_SEGMENTS })
  await sendNumbers(store, 0, 12)
  const start = retain(store, 2)
  const follower = new Follower(system)
  await follower.advance()
  t.deepEqual(follower.seen, seen(start, 12))
  await follower.stop()
})

for (const where of ['in the segment', 'before it', 'behind it'] as const) {
  test(`a compacted segment, with the follower ${where}: no record twice, none that is left missing`, async (t) => {
    const { system, store } = await tinyStore({ config: { ...SMALL_SEGMENTS, 'cleanup.policy': 'compact' } })
    const isKept = (offset: number): boolean => offset % 3 === 2
    const all = (from: number, to: number, compacted: (offset: number) => boolean): string[] =>
      seen(from, to).filter((_, n) => !compacted(from + n) || isKept(from + n))
    await sendNumbers(store, 0, 2)
    const follower = new Follower(system)
    if (where !== 'before it') await follower.advance()
    if (where === 'behind it') {
      await sendNumbers(store, 2, 8)
      await follower.advance()
      await sendNumbers(store, 8, 12)
    } else await sendNumbers(store, 2, 12)
    const [first = 0, second = 0] = segmentsOf(store)
    t.true(second > 2 && second < 8)
    compact(store, first, isKept)
    await follower.advance()
    await sendNumbers(store, 12, 14)
    await follower.advance()
    const isCompacted = (offset: number): boolean => where === 'before it' && offset < second
    // What was appended to the segment after the last look is read from the compacted file.
    const lost = where === 'in the segment' ? (offset: number) => offset >= 2 && offset < second : isCompacted
    t.deepEqual(follower.seen, all(0, 14, lost))
    await follower.stop()
  })
}

test('a topic that becomes a compacted one while it is followed may have gaps from then on', async (t) => {
  const { system, store } = await tinyStore({ config: SMALL_SEGMENTS })
  await sendNumbers(store, 0, 2)
  const follower = new Follower(system, { fromOffsets: new Map([[0, 0]]) })
  await follower.advance()
  await sendNumbers(store, 2, 12)
  await alterTopic(store, 't', { 'cleanup.policy': 'compact' })
  const [, second = 0, third = 0] = segmentsOf(store)
  compact(store, second, (offset) => offset === second)
  await follower.advance()
  t.deepEqual(follower.seen, [...seen(0, second + 1), ...seen(third, 12)])
  await follower.stop()
})

test('a segment that was merged into the one before it is followed on there', async (t) => {
  const { system, store } = await tinyStore({ config: { ...SMALL_SEGMENTS, 'cleanup.policy': 'compact' } })
  await sendNumbers(store, 0, 12)
  const [first = 0, second = 0, third = 0, fourth = 0] = segmentsOf(store)
  const follower = new Follower(system, { fromOffsets: new Map([[0, second]]) })
  const steps = follower.advance('batch')
  await steps
  const bytes = [first, second, third].map((base) => readFile(system, logPath(store, base)))
  overwrite(system, `${DIRECTORY}/.tmp-merged`, Buffer.concat(bytes))
  system.fs.rename(`${DIRECTORY}/.tmp-merged`, logPath(store, first))
  for (const base of [second, third]) system.fs.unlink(logPath(store, base))
  t.deepEqual(segmentsOf(store), [first, fourth, ...segmentsOf(store).slice(2)])
  await follower.advance()
  t.deepEqual(follower.seen, seen(second, 12))
  await follower.stop()
})

test('a directory that is moved away is missed aloud, and gone on with when it is restored', async (t) => {
  const { system, store } = await tinyStore({ partitions: 2 })
  await sendNumbers(store, 0, 3)
  const follower = new Follower(system)
  await follower.advance()
  system.fs.rename(DIRECTORY, `${STORE}/elsewhere`)
  await follower.advance('unreachable')
  system.fs.rename(`${STORE}/elsewhere`, DIRECTORY)
  await sendNumbers(store, 3, 4)
  await follower.see(6)
  t.deepEqual(follower.seen, [...seen(0, 3), 'unreachable 0 missing', 'restored', ...seen(3, 4)])
  await follower.stop()
  t.is(follower.system.process.openDescriptors, 0)
})

test('a directory that is away for a moment only is nothing to speak of', async (t) => {
  const { system, store } = await tinyStore()
  await sendNumbers(store, 0, 3)
  const follower = new Follower(system)
  await follower.advance()
  system.fs.rename(DIRECTORY, `${STORE}/elsewhere`)
  const looking = follower.advance()
  await system.clock.sleep(100)
  system.fs.rename(`${STORE}/elsewhere`, DIRECTORY)
  await sendNumbers(store, 3, 4)
  await looking
  await follower.see(4)
  t.deepEqual(follower.seen, seen(0, 4))
  await follower.stop()
})

for (const [what, path] of [
  ['a partition', DIRECTORY],
  ['the whole store', STORE],
] as const) {
  test(`${what} that a copy takes the place of is followed on in the copy`, async (t) => {
    const { system, store } = await tinyStore({ config: SMALL_SEGMENTS })
    await sendNumbers(store, 0, 5)
    const follower = new Follower(system)
    await follower.advance()
    // Appended to the old files, and copied before it was looked at.
    await sendNumbers(store, 5, 6)
    copyDirectory(system, path, `${path}.copy`)
    system.fs.rename(path, `${path}.old`)
    system.fs.rename(`${path}.copy`, path)
    await sendNumbers(store, 6, 12)
    await follower.see(12)
    t.deepEqual(follower.seen, seen(0, 12))
    // The lock of the old files says nothing any more.
    await markPartitionDeleted(system, DIRECTORY, { wait: 'no' })
    await follower.advance('unreachable')
    await removeTopic(store, 't')
    await follower.advance('removed')
    await createTopic(store, 't')
    await send(store, 0, 'fresh')
    await follower.see(16)
    t.deepEqual(follower.seen.slice(12), ['unreachable 0 marked-removed', 'removed', 'recreated', '0:fresh'])
    await follower.stop()
    t.is(follower.system.process.openDescriptors, 0)
    t.deepEqual(follower.system.hints.watched, [])
  })
}

for (const where of ['the same segment', 'an earlier segment'] as const) {
  test(`an older backup that ends in ${where}: said, and followed from its end`, async (t) => {
    const { system, store } = await tinyStore(where === 'an earlier segment' ? { config: SMALL_SEGMENTS } : {})
    await sendNumbers(store, 0, 4)
    copyDirectory(system, DIRECTORY, `${STORE}/backup`)
    await sendNumbers(store, 4, 12)
    const follower = new Follower(system)
    await follower.advance()
    system.fs.rename(DIRECTORY, `${STORE}/broken`)
    system.fs.rename(`${STORE}/backup`, DIRECTORY)
    await follower.advance('shortened')
    await send(store, 0, 'instead of v4')
    await follower.see(14)
    t.deepEqual(follower.seen, [...seen(0, 12), 'shortened 0 12 4', '0:instead of v4'])
    await follower.stop()
  })
}

test('an offset beyond the end of the log is waited for, which is said once', async (t) => {
  const { system, store } = await tinyStore()
  await sendNumbers(store, 0, 3)
  const follower = new Follower(system, { fromOffsets: new Map([[0, 5]]) })
  for (let look = 0; look < 4; look += 1) await follower.advance()
  t.deepEqual(follower.seen, ['ahead 0 5 3'])
  await sendNumbers(store, 3, 8)
  await follower.see(4)
  t.deepEqual(follower.seen.slice(1), seen(5, 8))
  await follower.stop()
})

test('a removal that a power cut half reverted is said, and followed on when it is repaired', async (t) => {
  const { system, store } = await tinyStore()
  await sendNumbers(store, 0, 3)
  const follower = new Follower(system)
  await follower.advance()
  const lock = readFile(system, `${DIRECTORY}/lock`)
  await markPartitionDeleted(system, DIRECTORY, { wait: 'no' })
  await follower.advance('unreachable')
  const waiting = follower.see(6)
  overwrite(system, `${DIRECTORY}/lock`, lock)
  await sendNumbers(store, 3, 4)
  await waiting
  t.deepEqual(follower.seen, [...seen(0, 3), 'unreachable 0 marked-removed', 'restored', ...seen(3, 4)])
  await follower.stop()
})

test('a topic that comes back file by file is followed when its files stand still', async (t) => {
  const { system, store } = await tinyStore({ config: SMALL_SEGMENTS })
  await sendNumbers(store, 0, 30)
  const follower = new Follower(system)
  await follower.advance()
  system.fs.rename(DIRECTORY, `${STORE}/backup`)
  await follower.advance('unreachable')
  const back = follower.see(32)
  system.fs.makeDirectory(DIRECTORY, 0o700)
  follower.system.hints.give(`${STORE}/topics`)
  for (const name of system.fs.list(`${STORE}/backup`)) {
    await system.clock.sleep(40)
    overwrite(system, `${DIRECTORY}/${name}`, readFile(system, `${STORE}/backup/${name}`))
  }
  await sendNumbers(store, 30, 31)
  await back
  await follower.advance()
  t.deepEqual(follower.seen, [...seen(0, 30), 'unreachable 0 missing', 'restored', ...seen(30, 31)])
  await follower.stop()
})

test('an added partition is followed from its start, also when its directory comes later than the topic file', async (t) => {
  const { system, store } = await tinyStore()
  await sendNumbers(store, 0, 2)
  const follower = new Follower(system)
  await follower.advance()
  await addPartitions(store, 't', 2)
  await send(store, 1, 'x')
  system.fs.rename(`${STORE}/t-1`, `${STORE}/later`)
  await follower.advance('unreachable')
  system.fs.rename(`${STORE}/later`, `${STORE}/t-1`)
  await follower.see(5)
  t.deepEqual(follower.seen, [...seen(0, 2), 'unreachable 1 missing', 'restored', '1:x'])
  await follower.stop()
})

test('an empty directory in the place of the one that was read: said, and followed from its start', async (t) => {
  const { system, store } = await tinyStore()
  await sendNumbers(store, 0, 3)
  const follower = new Follower(system)
  await follower.advance()
  system.fs.rename(DIRECTORY, `${STORE}/elsewhere`)
  createPartition(system, DIRECTORY, store.ownership)
  await follower.advance('shortened')
  await send(store, 0, 'new')
  await follower.see(5)
  t.deepEqual(follower.seen, [...seen(0, 3), 'shortened 0 3 0', '0:new'])
  await follower.stop()
})
