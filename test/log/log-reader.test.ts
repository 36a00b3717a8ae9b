import test from 'ava'
import fc from 'fast-check'
import { isLogqError } from '../../lib/errors.js'
import { createPartition, markPartitionDeleted, removePartitionDirectory } from '../../lib/log/create-partition.js'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { LogReader } from '../../lib/log/log-reader.js'
import { Log } from '../../lib/log/log.js'
import { PartitionLock } from '../../lib/log/partition-lock.js'
import { unlinkSegment } from '../../lib/log/segment-files.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import {
  DIRECTORY,
  START_MS,
  appendBytes,
  bases,
  batch,
  beside,
  createTiny,
  fill,
  overwrite,
  pathOf,
  readAll,
  readFile,
  sizeOf,
  tinyContext,
} from './tiny-log.js'

const OWNERSHIP = { userId: 0, groupId: 0, fileMode: 0o600, directoryMode: 0o700 }

/** What `poll` gives until the end, settling what is suspect. */
async function drain(reader: LogReader): Promise<string[]> {
  const records: string[] = []
  for (;;) {
    const from = reader.nextOffset
    const found = reader.poll()
    if (found === 'end') return records
    if (found === 'suspect') await reader.settle()
    else {
      for (const { offset, value } of found.records()) {
        if (offset >= from) records.push(`${offset}:${Buffer.from(value ?? []).toString()}`)
      }
    }
  }
}

/** A writer and a reader in processes of their own. */
function pair(config = {}): { writer: FakeSystem; log: Log; reader: FakeSystem } {
  const writer = createFakeSystem()
  const log = Log.open(createTiny(writer, config))
  return { writer, log, reader: beside(writer) }
}

test('LogReader gives what is there, then what is appended, over every roll', async (t) => {
  const { log, reader: system, writer } = pair({ segmentBytes: 250 })
  const reader = new LogReader(tinyContext(system), 0)
  t.is(reader.poll(), 'end')
  const seen: string[] = []
  for (let n = 0; n < 20; n += 1) {
    await log.append(batch([`v${n}`]))
    if (n % 3 === 0) seen.push(...(await drain(reader)))
  }
  seen.push(...(await drain(reader)))
  t.deepEqual(
    seen,
    [...Array(20).keys()].map((n) => `${n}:v${n}`),
  )
  t.true(bases(writer).length > 4)
  t.is(reader.nextOffset, 20)
  t.is(reader.poll(), 'end')
  reader.close()
  t.is(system.process.openDescriptors, 0)
})

test('LogReader begins in the middle of a batch, of a segment, and beyond the end', async (t) => {
  const context = createTiny(createFakeSystem(), { segmentBytes: 250 })
  await fill(context, [['a', 'b', 'c'], ['d', 'e'], ['f', 'g', 'h'], ['i']])
  const all = await readAll(context)
  for (let from = 0; from <= 9; from += 1) {
    const reader = new LogReader(context, from)
    t.deepEqual(await drain(reader), all.slice(from))
    reader.close()
  }
  const beyond = new LogReader(context, 12)
  t.is(beyond.poll(), 'end')
  await fill(context, [['j', 'k', 'l', 'm', 'n']])
  t.deepEqual(await drain(beyond), ['12:m', '13:n'])
})

test('LogReader sees every record once, however appends, rolls and looks are mixed', async (t) => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('append' as const, 'other' as const) },
    { weight: 2, arbitrary: fc.constant('look' as const) },
    { weight: 1, arbitrary: fc.constantFrom('close' as const, 'sync' as const, 'kill' as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const config = { segmentBytes: 220 }
      const { writer, log, reader: system } = pair(config)
      let other = beside(writer, { pid: 3000 })
      let otherLog = Log.open(tinyContext(other, config))
      const reader = new LogReader(tinyContext(system), 0)
      const seen: string[] = []
      let appended = 0
      for (const [n, what] of steps.entries()) {
        if (what === 'append' || what === 'other') {
          await (what === 'append' ? log : otherLog).append(batch([`v${appended}`], START_MS + n))
          appended += 1
        } else if (what === 'sync') await log.sync()
        else if (what === 'close') reader.close()
        else if (what === 'look') seen.push(...(await drain(reader)))
        else {
          // Half-way into an append.
          other.failpoints.set('append.after-write', () => {
            throw new Error('killed')
          })
          other.fs.failNth({ operation: 'truncate', pathIncludes: '.log', code: 'EIO' })
          await otherLog.append(batch([`v${appended}`])).catch(() => undefined)
          appended += 1
          other.process.kill()
          other = beside(writer, { pid: 4000 + n })
          otherLog = Log.open(tinyContext(other, config))
        }
      }
      seen.push(...(await drain(reader)))
      t.deepEqual(
        seen,
        [...Array(appended).keys()].map((n) => `${n}:v${n}`),
      )
    }),
    { numRuns: 60 },
  )
})

test('LogReader goes on behind segments that are retained away under it', async (t) => {
  const { log, reader: system, writer } = pair({ segmentBytes: 220 })
  for (let n = 0; n < 12; n += 1) await log.append(batch([`v${n}`]))
  const context = tinyContext(system)
  const slow = new LogReader(context, 0)
  t.true(typeof slow.poll() === 'object')
  const late = new LogReader(context, 1)
  const start = bases(writer)[2] ?? 0
  writeLogStartOffset(tinyContext(writer), start)
  for (const base of bases(writer).filter((one) => one < start)) unlinkSegment(writer, DIRECTORY, base)
  // The segment that it has open is read to its end.
  t.deepEqual(await drain(slow), ['1:v1', '2:v2', ...(await readAll(context, start))])
  t.deepEqual(await drain(late), await readAll(context, start))
})

test('LogReader says that the topic was removed once it has given what it has open', async (t) => {
  for (const recreate of [false, true]) {
    const { log, reader: system, writer } = pair()
    await log.append(batch(['a']))
    const reader = new LogReader(tinyContext(system), 0)
    const unstarted = new LogReader(tinyContext(system), 0)
    t.true(typeof reader.poll() === 'object')
    await markPartitionDeleted(writer, DIRECTORY, {})
    writer.fs.rename(DIRECTORY, '/store/.removed-0')
    removePartitionDirectory(writer, '/store/.removed-0')
    if (recreate) {
      createPartition(writer, DIRECTORY, OWNERSHIP)
      await fill(tinyContext(writer), [['x'], ['y'], ['z']])
    }
    t.true(
      isLogqError(
        t.throws(() => reader.poll()),
        'LOGQ_TOPIC_REMOVED',
      ),
    )
    if (!recreate) {
      t.true(
        isLogqError(
          t.throws(() => unstarted.poll()),
          'LOGQ_TOPIC_REMOVED',
        ),
      )
    }
    reader.close()
  }
})

test('LogReader waits for a batch that is half-way in, and reads it when it is whole', async (t) => {
  const { log, reader: system, writer } = pair()
  await log.append(batch(['a']))
  const next = batch(['b'])
  new DataView(next.bytes.buffer, next.bytes.byteOffset).setBigInt64(0, 1n)
  const position = sizeOf(writer, pathOf(0))
  appendBytes(writer, pathOf(0), next.bytes.subarray(0, 65))
  const reader = new LogReader(tinyContext(system), 0)
  t.true(typeof reader.poll() === 'object')
  t.is(reader.poll(), 'suspect')
  const settled = reader.settle()
  await system.clock.sleep(5)
  overwrite(writer, pathOf(0), Buffer.concat([readFile(writer, pathOf(0)).subarray(0, position), next.bytes]))
  await settled
  t.deepEqual(await drain(reader), ['1:b'])
})

test('LogReader looks three times, 10 ms apart, and then under a shared lock, which it gets only when no writer is half-way', async (t) => {
  const { log, reader: system, writer } = pair()
  await log.append(batch(['a']))
  appendBytes(writer, pathOf(0), batch(['b']).bytes.subarray(0, 65))
  const lock = PartitionLock.open(writer, DIRECTORY)
  await lock.acquire({})
  const reader = new LogReader(tinyContext(system), 1)
  t.is(reader.poll(), 'suspect')
  let isSettled = false
  system.clock.advancesByItself = false
  const settled = reader.settle().then(() => (isSettled = true))
  await system.clock.advance(1000)
  t.false(isSettled, 'a writer holds the lock')
  lock.release()
  await system.clock.advance(30)
  await settled
  t.is(reader.poll(), 'end')
  t.is(reader.poll(), 'end', 'not looked at again while the file does not change')
})

test('LogReader takes bad bytes above the recovery point for the end, and reads on when they were cut', async (t) => {
  const { log, reader: system, writer } = pair()
  await log.append(batch(['a']))
  await log.sync()
  appendBytes(writer, pathOf(0), new Uint8Array(100).fill(7))
  const reader = new LogReader(tinyContext(system), 0)
  t.deepEqual(await drain(reader), ['0:a'])
  await t.throwsAsync(log.append(batch(['b'])), { message: /quarantine/ })
  t.deepEqual(await drain(reader), [])
  await log.append(batch(['c']))
  t.deepEqual(await drain(reader), ['1:c'])
})

test('LogReader follows a log that was cut below where it was', async (t) => {
  const { log, reader: system, writer } = pair()
  await log.append(batch(['a']))
  await log.sync()
  const size = sizeOf(writer, pathOf(0))
  await log.append(batch(['lost', 'lost too']))
  await log.append(batch(['and this']))
  const reader = new LogReader(tinyContext(system), 0)
  t.is((await drain(reader)).length, 4)
  // A power cut in another machine's words: the unsynced bytes are gone.
  overwrite(writer, pathOf(0), readFile(writer, pathOf(0)).subarray(0, size))
  t.is(reader.poll(), 'end')
  for (const value of ['b', 'c', 'd', 'e']) await log.append(batch([value]))
  t.deepEqual(await drain(reader), ['4:e'], 'offsets that it has given are not given again')
})

test('LogReader does not take what was written over a cut for corruption', async (t) => {
  const { log, reader: system, writer } = pair()
  await log.append(batch(['a']))
  const size = sizeOf(writer, pathOf(0))
  await log.append(batch(['seen, then lost']))
  const reader = new LogReader(tinyContext(system), 0)
  t.is((await drain(reader)).length, 2)
  overwrite(writer, pathOf(0), readFile(writer, pathOf(0)).subarray(0, size))
  // Longer than what was there, so that the reader's position is in the middle of a batch.
  await log.append(batch(['x'.repeat(200)]))
  await log.append(batch(['y']))
  await log.sync()
  t.deepEqual(await drain(reader), ['2:y'])
})

test('LogReader names damage below the recovery point by topic, partition, offset, file and position', async (t) => {
  for (const segmentBytes of [1 << 20, 220]) {
    const { log, reader: system, writer } = pair({ segmentBytes })
    for (const value of ['a', 'b', 'c', 'd', 'e']) await log.append(batch([value]))
    await log.sync()
    const bytes = readFile(writer, pathOf(0))
    const size = batch(['a']).bytes.length
    bytes[2 * size - 1] = 0xff
    overwrite(writer, pathOf(0), bytes)
    const reader = new LogReader(tinyContext(system), 0)
    t.true(typeof reader.poll() === 'object')
    const error = await t.throwsAsync(drain(reader))
    t.true(isLogqError(error, 'LOGQ_CORRUPT'))
    t.like(error, { place: { topic: 'tiny', partition: 0, offset: 1, file: pathOf(0), position: size } })
    t.regex(error.message, /CRC/)
  }
})

test('LogReader stops at the synced offset when an fsync fails while it reads', async (t) => {
  const { log, reader: system, writer } = pair()
  await log.append(batch(['a']))
  await log.sync()
  const reader = new LogReader(tinyContext(system), 0)
  t.deepEqual(await drain(reader), ['0:a'])
  writer.fs.failNth({ operation: 'fdatasync', code: 'EIO' })
  await log.append(batch(['b']))
  await t.throwsAsync(log.sync())
  await system.clock.advance(60)
  t.is(reader.poll(), 'end')
})

test('LogReader opens no segment for writing and writes nothing', async (t) => {
  const { log, reader: system } = pair({ segmentBytes: 220 })
  for (let n = 0; n < 10; n += 1) await log.append(batch([`v${n}`]))
  await readAll(tinyContext(system))
  const changing = system.fs.operations.filter(({ mutation, mode }) => mutation !== undefined || (mode ?? 'read') !== 'read')
  t.deepEqual(changing, [])
})

test('LogReader refuses a directory in place of a segment', async (t) => {
  const { log, reader: system, writer } = pair({ segmentBytes: 220 })
  for (let n = 0; n < 10; n += 1) await log.append(batch([`v${n}`]))
  unlinkSegment(writer, DIRECTORY, 0)
  writer.fs.makeDirectory(pathOf(0))
  await t.throwsAsync(drain(new LogReader(tinyContext(system), 0)), { code: 'EINVAL' })
})

test('LogReader does not go on in another partition that was created in place of its own', async (t) => {
  const { log, reader: system, writer } = pair({ segmentBytes: 220 })
  for (let n = 0; n < 10; n += 1) await log.append(batch([`old${n}`]))
  const reader = new LogReader(tinyContext(system), 0)
  t.true(typeof reader.poll() === 'object')
  await markPartitionDeleted(writer, DIRECTORY, {})
  writer.fs.rename(DIRECTORY, '/store/.removed-0')
  removePartitionDirectory(writer, '/store/.removed-0')
  createPartition(writer, DIRECTORY, OWNERSHIP)
  await fill(
    tinyContext(writer, { segmentBytes: 220 }),
    Array.from({ length: 20 }, (_, n) => [`new${n}`]),
  )
  const seen: string[] = []
  const error = await t.throwsAsync(async () => {
    for (;;) {
      const found = reader.poll()
      if (found === 'end') return
      if (found === 'suspect') await reader.settle()
      else for (const { value } of found.records()) seen.push(Buffer.from(value ?? []).toString())
    }
  })
  t.true(isLogqError(error, 'LOGQ_TOPIC_REMOVED'))
  t.true(
    seen.every((value) => value.startsWith('old')),
    seen.join(' '),
  )
})

test('LogReader that was closed and goes on does not take another partition for its own', async (t) => {
  const { log, reader: system, writer } = pair()
  await log.append(batch(['a']))
  const reader = new LogReader(tinyContext(system), 0)
  t.deepEqual(await drain(reader), ['0:a'])
  reader.close()
  t.is(system.process.openDescriptors, 0)
  writer.fs.rename(DIRECTORY, '/store/.removed-0')
  createPartition(writer, DIRECTORY, OWNERSHIP)
  await fill(tinyContext(writer), [['x'], ['y']])
  t.true(
    isLogqError(
      t.throws(() => reader.poll()),
      'LOGQ_TOPIC_REMOVED',
    ),
  )
})
