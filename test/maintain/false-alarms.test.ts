/** What a kill or a power cut leaves behind is no damage: a check finds notes at most, before and after the next append. */
import test from 'ava'
import { Log } from '../../lib/log/log.js'
import type { LogConfig } from '../../lib/log/log-context.js'
import { crashEverywhere } from '../crash/crash-everywhere.js'
import { appendOnce } from '../crash/judge-log.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { START_MS, batch, createTiny, fill, tinyContext } from '../log/tiny-log.js'
import { check } from './damaged-partition.js'
import { ROLLING } from './flip-segment.js'

async function refuseAlarms(system: FakeSystem, when: string): Promise<void> {
  const { findings } = await check(system)
  if (findings.some(({ kind }) => kind !== 'note')) throw new Error(`${when}: ${JSON.stringify(findings)}`)
}

function producing(config: Partial<LogConfig>, syncEvery: number) {
  return crashEverywhere({
    prepare: async (system) => {
      createTiny(system, config)
      await fill(tinyContext(system, config), [['a', 'b'], ['c']])
    },
    run: async (system) => {
      const log = Log.open(tinyContext(system, config))
      for (let n = 1; n <= 6; n += 1) {
        await log.append(batch([`a${n}`, `b${n}`], START_MS + n))
        if (n % syncEvery === 0) await log.sync()
      }
      await log.close()
    },
    check: async (after) => {
      await refuseAlarms(after, 'as it was left')
      await appendOnce(tinyContext(after, config), true)
      await refuseAlarms(after, 'after an append')
    },
  })
}

for (const [title, config, syncEvery] of [
  ['in one segment', {}, 2],
  ['while it rolls', ROLLING, 3],
] as const) {
  test(`a producer that dies before any change of the disk, ${title}, leaves nothing that a check calls damage`, async (t) => {
    const { deaths } = await producing(config, syncEvery)
    t.true(deaths > 12, `${deaths} deaths`)
  })
}

test('a creation that dies before any change of the disk leaves nothing that a check calls damage, once it is done', async (t) => {
  const { deaths } = await crashEverywhere({
    prepare: (system) => {
      createTiny(system)
    },
    run: async (system) => {
      await fill(tinyContext(system), [['a']])
    },
    check: async (after) => {
      await refuseAlarms(after, 'as it was left')
    },
  })
  t.true(deaths > 3)
})
