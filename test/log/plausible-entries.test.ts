import test, { type ExecutionContext } from 'ava'
import { listSegments, logEndOffset, offsetForTimestamp, openAtOffset } from '../../lib/log/log-view.js'
import { Log } from '../../lib/log/log.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { inspectPartition } from '../../lib/maintain/inspect-partition.js'
import { RECORD_COUNT, forgedEntries, makeWrong, timestampOf, valueOf, wrongEntries } from './plausible-entries.js'
import { DIRECTORY, bases, batch, batchOfRecords, beside, createTiny, readAll, tinyContext } from './tiny-log.js'

const CONFIG = { segmentBytes: 2600, indexIntervalBytes: 1 }

async function hostileLog(): Promise<FakeSystem> {
  const system = createFakeSystem()
  const log = Log.open(createTiny(system, CONFIG))
  for (let offset = 0; offset < RECORD_COUNT; offset += 1)
    await log.append(batchOfRecords([{ value: valueOf(offset), timestampMs: timestampOf(offset) }]))
  await log.sync()
  await log.close()
  return system
}

const copy = (system: FakeSystem, rebooted = false) =>
  beside(system, { disk: system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'all' }), rebooted })

function firstAt(timestampMs: number): number | undefined {
  for (let offset = 0; offset < RECORD_COUNT; offset += 1) if (timestampOf(offset) >= timestampMs) return offset
  return undefined
}

async function isFound(t: ExecutionContext, damaged: FakeSystem, what: string): Promise<void> {
  const { findings } = (await inspectPartition(tinyContext(damaged, CONFIG), { gapsAreNormal: false, isOwn: true })).check
  t.true(findings.length > 0, `${what}: nothing was found`)
  // In the active segment some of it may be what a power cut left.
  const kinds = new Set(findings.map(({ kind }) => kind))
  t.false(kinds.has('damage'), what)
  t.true(kinds.has('cache') || what === 'no entries', what)
}

for (const [what, wrong] of Object.entries(wrongEntries)) {
  test(`${what}: look-ups find what they found, an append goes on, and the check names it`, async (t) => {
    const system = await hostileLog()
    const intact = tinyContext(system, CONFIG)
    const original = await readAll(intact)
    t.is(original.length, RECORD_COUNT)
    t.is(bases(system).length, 3)
    for (const rebooted of [false, true]) {
      const damaged = copy(system, rebooted)
      makeWrong(damaged.fs, DIRECTORY, bases(system), wrong)
      const view = tinyContext(damaged, CONFIG)
      const segments = listSegments(view)
      t.is(logEndOffset(view, segments), RECORD_COUNT)
      for (let offset = 0; offset < RECORD_COUNT; offset += 1) {
        const place = openAtOffset(view, segments, offset)
        const right = openAtOffset(intact, segments, offset)
        t.is(
          `${place?.segmentBaseOffset}/${place?.position}`,
          `${right?.segmentBaseOffset}/${right?.position}`,
          `offset ${offset}`,
        )
        damaged.fs.close(place?.fd ?? -1)
        system.fs.close(right?.fd ?? -1)
      }
      for (let timestampMs = timestampOf(0) - 500; timestampMs < timestampOf(RECORD_COUNT) + 1000; timestampMs += 1500)
        t.is(await offsetForTimestamp(view, segments, timestampMs), firstAt(timestampMs), `time ${timestampMs}`)
      await isFound(t, damaged, what)
      const log = Log.open(view)
      await log.append(batch(['probe']))
      await log.close()
      t.deepEqual(await readAll(view), [...original, `${RECORD_COUNT}:probe`])
    }
  })
}

for (const [what, wrong] of Object.entries(forgedEntries)) {
  test(`${what}: the check names it, and an append goes on at the true end`, async (t) => {
    const system = await hostileLog()
    const original = await readAll(tinyContext(system, CONFIG))
    for (const rebooted of [false, true]) {
      const damaged = copy(system, rebooted)
      makeWrong(damaged.fs, DIRECTORY, bases(system), wrong)
      await isFound(t, damaged, what)
      const log = Log.open(tinyContext(damaged, CONFIG))
      await log.append(batch(['probe']))
      await log.close()
      t.deepEqual(await readAll(tinyContext(damaged, CONFIG)), [...original, `${RECORD_COUNT}:probe`])
    }
  })
}
