/**
 * The log on the disk in memory, with the process killed or the power cut before every single change that it makes to the disk; and
 * the same on disks that lie, to see that this would be noticed.
 */
import test from 'ava'
import { createPartition } from '../../lib/log/create-partition.js'
import { LogReader } from '../../lib/log/log-reader.js'
import { Log } from '../../lib/log/log.js'
import { BatchBuilder } from '../../lib/record/batch-builder.js'
import { ownershipOf } from '../../lib/system/durable.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'

const PARTITION = '/store/t-0'
const APPENDS = 10
const RECORDS_PER_APPEND = 2

/** How large records and segments are: what lies on one page is torn in other ways than what lies on many. */
interface Shape {
  readonly segmentBytes: number
  readonly recordBytes: number
}

const shapes: readonly (readonly [string, Shape, number])[] = [
  ['small batches, some rolls', { segmentBytes: 600, recordBytes: 12 }, 1],
  ['batches over several pages, some rolls', { segmentBytes: 20_000, recordBytes: 2000 }, 2],
  ['batches over several pages, one segment', { segmentBytes: 1_000_000, recordBytes: 4000 }, 2],
]

for (const [name, shape, seeds] of shapes) {
  test(`${name}: whatever step the process is killed before, every append that returned is there`, async (t) => {
    const steps = await countSteps(shape)
    for (let step = steps.first; step <= steps.last + 1; step += 1) {
      const { system, appended } = await crashBefore(step, shape)
      system.process.kill()
      const next = createFakeSystem({ disk: system.disk, clock: system.clock, pid: 2000 })
      t.is(await problemOf(next, shape, appended, appended + RECORDS_PER_APPEND), undefined, where(system, step))
    }
  })

  test(`${name}: whatever step the power is cut before, every record that was synced is there`, async (t) => {
    const steps = await countSteps(shape)
    for (let step = steps.first; step <= steps.last + 1; step += 1) {
      for (let seed = 0; seed < seeds; seed += 1) {
        const { system, next, synced, appended } = await powerCutBefore(step, seed, shape)
        t.is(
          await problemOf(next, shape, synced, appended + RECORDS_PER_APPEND),
          undefined,
          `${where(system, step)}, seed ${seed}`,
        )
      }
    }
  })
}

for (const [lie, make] of [
  ['fdatasync', lieAboutData],
  ['the fsync of directories', lieAboutDirectories],
] as const) {
  test(`on a disk that lies about ${lie} the same check finds losses`, async (t) => {
    const shape = { segmentBytes: 20_000, recordBytes: 2000 }
    const steps = await countSteps(shape)
    let problems = 0
    for (let step = steps.first; step <= steps.last + 1; step += 1) {
      const { next, synced, appended } = await powerCutBefore(step, 0, shape, make)
      if ((await problemOf(next, shape, synced, appended + RECORDS_PER_APPEND)) !== undefined) problems += 1
    }
    t.true(problems > 0)
  })
}

async function countSteps(shape: Shape): Promise<{ first: number; last: number }> {
  const system = newPartition()
  const first = system.fs.mutations + 1
  await appendMany(system, shape, {})
  return { first, last: system.fs.mutations }
}

interface Progress {
  /** Records whose append has returned. */
  appended?: number
  /** Records whose sync has returned. */
  synced?: number
}

async function crashBefore(step: number, shape: Shape, prepare: (system: FakeSystem) => void = () => undefined) {
  const system = newPartition()
  prepare(system)
  system.fs.crashBefore(step)
  const progress: Progress = {}
  try {
    await appendMany(system, shape, progress)
  } catch (error) {
    // The log wraps what the dying file system throws.
    if (!system.fs.hasCrashed) throw error
  }
  return { system, appended: progress.appended ?? 0, synced: progress.synced ?? 0 }
}

async function powerCutBefore(step: number, seed: number, shape: Shape, prepare?: (system: FakeSystem) => void) {
  const crash = await crashBefore(step, shape, prepare)
  const disk = crash.system.disk.crash({ seed: step * 1000 + seed, keepUnsynced: 'random' })
  const bootId = new Uint8Array(16).fill(9)
  return { ...crash, next: createFakeSystem({ disk, clock: crash.system.clock, pid: 2000, bootId }) }
}

function newPartition(): FakeSystem {
  const system = createFakeSystem()
  system.fs.makeDirectory('/store')
  system.fs.syncDirectory('/')
  createPartition(system, PARTITION, ownershipOfStore(system))
  system.fs.syncDirectory('/store')
  return system
}

function lieAboutData(system: FakeSystem): void {
  system.process.fdatasync = () => Promise.resolve()
  system.process.fdatasyncBlocking = () => undefined
}

function lieAboutDirectories(system: FakeSystem): void {
  system.process.syncDirectory = () => undefined
}

async function appendMany(system: FakeSystem, shape: Shape, progress: Progress): Promise<void> {
  const log = Log.open(contextOf(system, shape))
  for (let i = 0; i < APPENDS; i += 1) {
    await log.append(batchOf(i * RECORDS_PER_APPEND, RECORDS_PER_APPEND, shape))
    progress.appended = (i + 1) * RECORDS_PER_APPEND
    if (i % 3 !== 2) continue
    await log.sync()
    progress.synced = progress.appended
  }
  await log.sync()
  progress.synced = progress.appended ?? 0
  await log.close()
}

/**
 * What is wrong with the partition as the next process finds it, or undefined: readers see at least `least` records before anybody
 * recovers it; the next producer can append; and then exactly a beginning of what was written is there, `most` records or fewer, with
 * the new record behind.
 */
async function problemOf(system: FakeSystem, shape: Shape, least: number, most: number): Promise<string | undefined> {
  try {
    const before = await readAll(system, shape)
    if (before.length < least) return `a reader sees ${before.length} of ${least} records`
    await appendAfterRecovery(system, shape)
    const after = await readAll(system, shape)
    if (after.pop() !== recordOf(most, shape)) return 'the record appended after recovery is not the last one'
    if (after.length < least || after.length > most) return `${after.length} records are left: not ${least} to ${most}`
    const wrong = after.findIndex((value, offset) => value !== recordOf(offset, shape))
    return wrong === -1 ? undefined : `offset ${wrong} has another record's value`
  } catch (error) {
    return String(error)
  }

  async function appendAfterRecovery(next: FakeSystem, itsShape: Shape): Promise<void> {
    // Recovery that drops whole batches says so once and appends nothing; the next attempt goes on.
    for (let attempt = 1; ; attempt += 1) {
      const log = Log.open(contextOf(next, itsShape))
      try {
        await log.append(batchOf(most, 1, itsShape))
        await log.sync()
        return
      } catch (error) {
        if (attempt === 2 || !(error instanceof Error && 'code' in error && error.code === 'LOGQ_CORRUPT')) throw error
      } finally {
        await log.close()
      }
    }
  }
}

async function readAll(system: FakeSystem, shape: Shape): Promise<string[]> {
  const reader = new LogReader(contextOf(system, shape), 0)
  const values: string[] = []
  for (let step = reader.poll(); step !== 'end'; step = reader.poll()) {
    if (step === 'suspect') {
      await reader.settle()
      continue
    }
    for (const record of step.records()) {
      if (record.offset !== values.length) throw new Error(`offset ${record.offset} comes after ${values.length - 1}`)
      values.push(Buffer.from(record.value ?? '').toString())
    }
  }
  reader.close()
  return values
}

function batchOf(firstRecord: number, count: number, shape: Shape) {
  const builder = new BatchBuilder({ codec: 'none' })
  for (let i = 0; i < count; i += 1) {
    builder.append({ value: Buffer.from(recordOf(firstRecord + i, shape)), timestampMs: firstRecord + i })
  }
  const { bytes, maxTimestampMs } = builder.seal()
  return { bytes: bytes.slice(), lastOffsetDelta: count - 1, maxTimestampMs: Number(maxTimestampMs) }
}

function recordOf(number: number, shape: Shape): string {
  return `record ${number} `.padEnd(shape.recordBytes, String(number))
}

function contextOf(system: FakeSystem, shape: Shape) {
  const config = () => ({ segmentBytes: shape.segmentBytes, segmentMs: 1e12, indexIntervalBytes: 1 })
  return { system, directory: PARTITION, topic: 't', partition: 0, ownership: ownershipOfStore(system), config }
}

function ownershipOfStore(system: FakeSystem) {
  const status = system.process.pathStatus('/store')
  if (status === undefined) throw new Error('the store is gone')
  return ownershipOf(status)
}

function where(system: FakeSystem, step: number): string {
  const last = system.fs.operations.findLast(({ mutation }) => mutation === step - 1)
  return `before step ${step}, after ${last?.operation} ${last?.path}`
}
