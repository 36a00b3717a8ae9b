import test from 'ava'
import { readLeaderEpochs } from '../../lib/log/leader-epoch-file.js'
import { Log } from '../../lib/log/log.js'
import type { LogConfig } from '../../lib/log/log-context.js'
import { isLogqError } from '../../lib/errors.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { CrashSignal } from '../helpers/faulty-file-system.js'
import { DIRECTORY, START_MS, batch, createTiny, fill, names, pathOf, readFile, sizeOf, tinyContext } from '../log/tiny-log.js'
import { CRASH_SEEDS, crashAt, crashEverywhere, type Scenario } from './crash-everywhere.js'
import { appendOnce, judgeLog } from './judge-log.js'

const CONFIG: Partial<LogConfig> = {}
const SYNCED = ['0:first', '1:second', '2:third']

/** Writes into the file of a log, unsynced, as a bad cable would. */
function scribble(system: FakeSystem, position: number, bytes: Uint8Array): void {
  const fd = system.fs.open(pathOf(0), 'read-write')
  system.fs.write(fd, bytes, 0, bytes.length, position)
  system.fs.close(fd)
}

/** Three synced records, then three batches that were only appended, then whatever `harm` does to them. */
async function prepareTail(system: FakeSystem, harm: (positions: readonly number[]) => void): Promise<void> {
  const context = createTiny(system, CONFIG)
  await fill(context, [['first', 'second'], ['third']])
  const log = Log.open(context)
  const positions: number[] = []
  for (const value of ['u1', 'u2', 'u3']) {
    positions.push(sizeOf(system, pathOf(0)))
    await log.append(batch([value], START_MS + 50))
  }
  await log.close()
  harm([...positions, sizeOf(system, pathOf(0))])
}

/** One bit of the second of three unsynced batches is wrong. */
function damagedTail(): Scenario & { damaged: Uint8Array } {
  const scenario: Scenario & { damaged: Uint8Array } = {
    damaged: new Uint8Array(0),
    prepare: (system) =>
      prepareTail(system, ([, second = 0, third = 0, end = 0]) => {
        scribble(system, third - 1, Buffer.of(0xff))
        scenario.damaged = readFile(system, pathOf(0)).subarray(second, end)
      }),
    run: async (system) => {
      const log = Log.open(tinyContext(system, CONFIG))
      const error: unknown = await log.append(batch(['v'])).catch((caught: unknown) => caught)
      if (!isLogqError(error, 'LOGQ_CORRUPT')) throw error
      await log.close()
    },
    check: async (after, { rebooted }) => {
      await judgeLog(after, CONFIG, { synced: SYNCED, appended: [...SYNCED, '3:u1'], mayQuarantine: true }, rebooted)
      const epochs = readLeaderEpochs(tinyContext(after)) ?? []
      if (!rebooted) {
        judgeQuarantine(after, scenario.damaged)
        if (epochs.at(-1)?.startOffset !== 4) throw new Error(`no epoch begins at the cut: ${JSON.stringify(epochs)}`)
      }
      if (epochs.length > 2) throw new Error(`epochs grow: ${JSON.stringify(epochs)}`)
    },
  }
  return scenario
}

function judgeQuarantine(system: FakeSystem, damaged: Uint8Array): void {
  const directory = `${DIRECTORY}/quarantine`
  const files = names(system, directory)
  const kept = files.filter((name) => Buffer.compare(readFile(system, `${directory}/${name}`), damaged) === 0)
  if (kept.length !== 1 || files.length !== 1) throw new Error(`quarantine holds ${files.join(' ')}`)
}

/** The last of the unsynced batches was cut short in the middle. */
function tornTail(): Scenario {
  return {
    prepare: (system) =>
      prepareTail(system, ([, , , end = 0]) => {
        const fd = system.fs.open(pathOf(0), 'read-write')
        system.fs.truncate(fd, end - 7)
        system.fs.close(fd)
      }),
    run: async (system) => {
      await appendOnce(tinyContext(system, CONFIG))
    },
    check: async (after, { rebooted, passed }) => {
      // The dying process may have got as far as appending its own record.
      if (passed.includes('append.before-write')) return
      const appended = [...SYNCED, '3:u1', '4:u2']
      await judgeLog(after, CONFIG, { synced: SYNCED, appended, mayQuarantine: rebooted }, rebooted)
      if (!rebooted && names(after).includes('quarantine')) throw new Error('a torn batch went to quarantine')
    },
  }
}

const STEPS: readonly (readonly [number, string, () => Scenario, string])[] = [
  [2, 'the log was verified', damagedTail, 'recovery.before-quarantine'],
  [3, 'the bad bytes were copied', damagedTail, 'recovery.after-quarantine'],
  [4, 'a leader epoch was started at the cut', damagedTail, 'recovery.after-epoch'],
  [4, 'the cut was about to be made', damagedTail, 'recovery.before-cut'],
  [5, 'the log was cut', damagedTail, 'recovery.before-indexes'],
  [5, 'a torn batch was cut', tornTail, 'recovery.before-indexes'],
]

for (const [number, what, scenario, failpoint] of STEPS) {
  test(`recovery step ${number}: a crash when ${what} leaves work that the next process finishes`, async (t) => {
    await crashAt(scenario(), failpoint)
    t.pass()
  })
}

test('recovery steps 1, 6 and 8: a crash around the state blocks and the indexes leaves work that the next process finishes', async (t) => {
  const { behind } = await crashEverywhere(damagedTail())
  t.true((behind.get('') ?? 0) > 0, 'before the state block was invalidated')
  t.true(
    (behind.get('recovery.before-indexes') ?? 0) >= 2,
    'before the indexes were cut, and before the state block was written',
  )
})

test('recovery step 7: a crash around the sync of a long tail leaves work that the next process finishes', async (t) => {
  const large = 'x'.repeat(5 << 20)
  const { deaths } = await crashEverywhere({
    prepare: async (system) => {
      const log = Log.open(createTiny(system, { segmentBytes: 1 << 24 }))
      await log.append(batch([large]))
      await log.close()
    },
    run: async (system) => {
      const context = tinyContext(system, { segmentBytes: 1 << 24 })
      system.failpoint('test.begin')
      await Log.open(context).append(batch(['v']))
    },
    check: async (after, { rebooted, passed }) => {
      if (passed.includes('append.before-write')) return
      const appended = [`0:${large}`]
      await judgeLog(after, { segmentBytes: 1 << 24 }, { synced: [], appended, mayQuarantine: rebooted }, rebooted)
    },
  })
  t.true(deaths > 4, `${deaths} deaths`)
})

test('recovery of a torn batch may die before any change of the disk', async (t) => {
  const { deaths } = await crashEverywhere(tornTail())
  t.true(deaths >= 6, `${deaths} deaths`)
})

test('recovery of a damaged tail may die before any change, and again, and again', async (t) => {
  const scenario = damagedTail()
  let deaths = 0
  for (let first = 1; ; first += 1) {
    const system = createFakeSystem()
    await scenario.prepare(system)
    if (!(await dies(system.disk, first, scenario))) break
    for (let second = 1; ; second += 1) {
      const copy = system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'all' })
      if (!(await dies(copy, second, scenario))) break
      deaths += 1
      await dies(copy, 1 + ((first + second) % 5), scenario)
      await scenario.check(createFakeSystem({ disk: copy, pid: 3000 }), {
        how: `${first}, ${second}`,
        rebooted: false,
        passed: [],
      })
    }
  }
  t.true(deaths > 100, `${deaths} deaths`)
})

async function dies(disk: FakeSystem['disk'], n: number, scenario: Scenario): Promise<boolean> {
  const system = createFakeSystem({ disk, pid: 2000, seed: n })
  system.fs.crashBefore(n)
  try {
    await scenario.run(system)
  } catch (error) {
    if (!(error instanceof CrashSignal) && !system.fs.hasCrashed && error !== undefined && n < 3) throw error
  }
  system.process.kill()
  return system.fs.hasCrashed
}

for (const [what, scenario] of [
  ['a damaged tail', damagedTail],
  ['a torn batch', tornTail],
] as const) {
  test(`recovery of ${what}: the power is cut before any change, and again while the next one recovers, and what was synced is there`, async (t) => {
    let cuts = 0
    const seeds = Math.ceil(CRASH_SEEDS / 2)
    for (let seed = 1; seed <= seeds; seed += 1) {
      for (let first = 1; ; first += 1) {
        const system = createFakeSystem()
        await scenario().prepare(system)
        const once = await powerCut(system.disk, first, 'v1', seed)
        if (once === undefined) break
        for (let second = 1; ; second += 1) {
          // A copy: everything on this disk is durable.
          const twice = await powerCut(once.afterPowerCut({ seed: 1, keepUnsynced: 'all' }), second, 'v2', seed + 1)
          if (twice === undefined) break
          cuts += 1
          const after = createFakeSystem({ disk: twice, pid: 3000 })
          await judgeLog(after, CONFIG, { synced: SYNCED, appended: [], mayQuarantine: true }, true).catch((error: unknown) => {
            throw new Error(`seed ${seed}, cut before change ${first}, then before ${second}`, { cause: error })
          })
        }
      }
    }
    t.log(`${cuts} pairs of power cuts`)
    t.true(cuts > 100 * seeds, `${cuts} pairs of power cuts`)
  })
}

/** What a power cut before the n-th change of a process leaves of the disk; undefined when the process has come to its end. */
async function powerCut(
  disk: FakeSystem['disk'],
  n: number,
  value: string,
  seed: number,
): Promise<FakeSystem['disk'] | undefined> {
  const bootId = Uint8Array.from({ length: 16 }, (_, index) => index + n)
  const system = createFakeSystem({ disk, pid: 2000, bootId })
  system.fs.crashBefore(n)
  try {
    const log = Log.open(tinyContext(system, CONFIG))
    await log.append(batch([value], START_MS + 60)).catch((error: unknown) => {
      if (!isLogqError(error, 'LOGQ_CORRUPT')) throw error
    })
    await log.close()
  } catch (error) {
    if (!(error instanceof CrashSignal) && !system.fs.hasCrashed) throw error
  }
  return system.fs.hasCrashed ? disk.afterPowerCut({ seed: 100 * seed + n, keepUnsynced: 'random' }) : undefined
}
