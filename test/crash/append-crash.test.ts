import test from 'ava'
import type { LogConfig } from '../../lib/log/log-context.js'
import { Log } from '../../lib/log/log.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { START_MS, batch, beside, createTiny, fill, readAll, tinyContext } from '../log/tiny-log.js'
import { crashAt, crashEverywhere, type Scenario } from './crash-everywhere.js'
import { appendOnce, judgeLitter, judgeLog } from './judge-log.js'

/** Appends and syncs in turn, and keeps what was acknowledged. */
function producing(config: Partial<LogConfig>, batches: number, syncEvery: number): Scenario {
  let appended: string[] = []
  let synced: string[] = []
  return {
    prepare: async (system) => {
      const context = createTiny(system, config)
      await fill(context, [['first', 'second'], ['third']])
      appended = ['0:first', '1:second', '2:third']
      synced = [...appended]
    },
    run: async (system) => {
      const log = Log.open(tinyContext(system, config))
      for (let n = 0; n < batches; n += 1) {
        const { baseOffset } = await log.append(batch([`a${n}`, `b${n}`], START_MS + 10 + n))
        appended.push(`${baseOffset}:a${n}`, `${baseOffset + 1}:b${n}`)
        if (n % syncEvery !== syncEvery - 1) continue
        const before = [...appended]
        await log.sync()
        synced = before
      }
      await log.close()
    },
    check: async (after, { rebooted }) => {
      await judgeLog(after, config, { synced, appended, mayQuarantine: rebooted }, rebooted)
    },
  }
}

const appending = () => producing({}, 3, 3)

const APPEND_STEPS: readonly (readonly [number, string, string])[] = [
  [1, 'the lock was taken and the end found', 'append.before-write'],
  [2, 'the batch was written', 'append.after-write'],
  [3, 'the index entries were written', 'append.after-index'],
  [4, 'the state block was written', 'sync.before'],
  [5, 'the lock was let go and the batch synced', 'sync.after'],
]

for (const [number, what, failpoint] of APPEND_STEPS) {
  test(`Log.append() step ${number}: a crash when ${what} loses and doubles nothing`, async (t) => {
    await crashAt(appending(), failpoint)
    if (number < 4) await crashAt(appending(), failpoint, 3)
    t.pass()
  })
}

for (const [number, what, failpoint] of APPEND_STEPS) {
  test(`Log.append() step ${number}: a process that lives on notices that another one died when ${what}`, async (t) => {
    const system = createFakeSystem()
    await fill(createTiny(system), [['first', 'second']])
    const living = Log.open(tinyContext(beside(system)))
    await living.append(batch(['mine'], START_MS + 10))
    const dying = beside(system, { pid: 2000 })
    dying.failpoints.set(failpoint, () => {
      dying.process.kill()
      throw new Error('killed')
    })
    const log = Log.open(tinyContext(dying))
    await t.throwsAsync(async () => {
      await log.append(batch(['of the dead'], START_MS + 11))
      await log.sync()
    })
    const { baseOffset } = await living.append(batch(['and on'], START_MS + 12))
    await living.sync()
    await living.close()
    const left = number === 1 ? [] : ['3:of the dead']
    t.deepEqual(await readAll(tinyContext(beside(system))), ['0:first', '1:second', '2:mine', ...left, `${baseOffset}:and on`])
    t.is(baseOffset, 3 + left.length)
  })
}

test('Log.append() and sync() may die before any change of the disk', async (t) => {
  const { deaths, behind } = await crashEverywhere(producing({}, 6, 2))
  t.true(deaths >= 6 * 3 + 3, `${deaths} deaths`)
  for (const step of ['append.before-write', 'append.after-write', 'append.after-index', 'sync.before', 'sync.after']) {
    t.true((behind.get(step) ?? 0) > 0, `a death behind ${step}`)
  }
})

const rolling = () => producing({ segmentBytes: 300 }, 6, 2)

const ROLL_STEPS: readonly (readonly [number, string, string])[] = [
  [1, 'the state block was invalidated', 'roll.after-invalidate'],
  [2, 'the last time-index entry was written', 'roll.after-time-index'],
  [3, 'the old segment was synced', 'roll.after-sync'],
  [4, 'the new files were created', 'roll.after-create'],
  [5, 'the state block spoke of the new segment', 'append.before-write'],
]

for (const [number, what, failpoint] of ROLL_STEPS) {
  test(`Log roll step ${number}: a crash when ${what} loses and doubles nothing`, async (t) => {
    // The third batch is the first that finds its segment full.
    await crashAt(rolling(), failpoint, number === 5 ? 3 : 1)
    t.pass()
  })
}

test('Log roll: the new files appear one after the other, and each may be the last', async (t) => {
  await crashAt(rolling(), 'segment.before-create')
  await crashAt(rolling(), 'segment.after-create')
  t.pass()
})

test('Log.append() with rolls may die before any change of the disk', async (t) => {
  const { deaths, behind } = await crashEverywhere(rolling())
  t.true(deaths > 40, `${deaths} deaths`)
  for (const [, , step] of ROLL_STEPS) t.true((behind.get(step) ?? 0) > 0, `a death behind ${step}`)
})

test('forty deaths on one disk, one after the other, leave no file that belongs to nothing', async (t) => {
  const config = { segmentBytes: 400 }
  const system = createFakeSystem()
  await fill(createTiny(system, config), [['first']])
  let values = 1
  for (let death = 1; death <= 40; death += 1) {
    const dying = beside(system, { pid: 2000 + death })
    dying.fs.crashBefore(1 + ((death * 7) % 29))
    const log = Log.open(tinyContext(dying, config))
    await t.throwsAsync(async () => {
      for (let n = 0; ; n += 1) {
        await log.append(batch([`${death}.${n}`], START_MS + death))
        await log.sync()
      }
    })
    dying.process.kill()
    await appendOnce(tinyContext(beside(system, { pid: 3000 + death }), config))
    judgeLitter(system)
    const records = await readAll(tinyContext(beside(system)))
    t.true(records.length > values)
    t.deepEqual(
      records.map((record) => Number(record.slice(0, record.indexOf(':')))),
      records.map((_, n) => n),
    )
    values = records.length
  }
})

test('Log.append() in turn by two processes may die before any change of the disk', async (t) => {
  let appended: string[] = []
  let synced: string[] = []
  const config = { segmentBytes: 400 }
  const { deaths } = await crashEverywhere({
    prepare: (system) => {
      createTiny(system, config)
      appended = []
      synced = []
    },
    run: async (system: FakeSystem) => {
      const context = tinyContext(system, config)
      const logs = [Log.open(context), Log.open(context)]
      for (let n = 0; n < 8; n += 1) {
        const log = logs[n % 2]
        const range = await log?.append(batch([`v${n}`], START_MS + n))
        appended.push(`${range?.baseOffset}:v${n}`)
        if (n % 3 !== 2) continue
        await Promise.all(logs.map((one) => one.sync()))
        synced = [...appended]
      }
    },
    check: (after, { rebooted }) => judgeLog(after, config, { synced, appended, mayQuarantine: rebooted }, rebooted),
  })
  t.true(deaths > 30, `${deaths} deaths`)
})
