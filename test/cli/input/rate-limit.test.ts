import test from 'ava'
import { Pace } from '../../../cli/input/pace.js'
import { RateLimit, parseRate } from '../../../cli/input/rate-limit.js'
import { FakeClock } from '../../helpers/fake-system.js'

/** A clock that jumps when somebody sleeps. */
function makeLimit(rate: string) {
  const clock = new FakeClock()
  const signal = new AbortController()
  const flushes: number[] = []
  const nothing = () => Promise.resolve()
  const flush = () => {
    flushes.push(clock.monotonicMs())
    return Promise.resolve()
  }
  const pace = new Pace({ flush, sync: nothing }, clock, 0, undefined)
  return { clock, signal, pace, flushes, limit: new RateLimit(parseRate(rate), clock, signal.signal) }
}

test('rates are a second, a minute or an hour', (t) => {
  t.deepEqual(['5', '5/s', '60/m', '7200/h', '1/h'].map(parseRate), [5, 5, 1, 2, 1 / 3600])
})

for (const [rate, count, leastMs] of [
  ['1/m', 4, 180_000],
  ['10/s', 50, 4_900],
  ['1000/s', 5_000, 4_990],
  ['100000/s', 300_000, 2_990],
] as const) {
  test(`${rate}: records are taken evenly, and as fast as that`, async (t) => {
    const { clock, limit, pace } = makeLimit(rate)
    const startMs = clock.monotonicMs()
    let worstMs = 0
    for (let n = 0; n < count; n += 1) {
      t.true(await limit.admit(pace))
      pace.noteTaken()
      worstMs = Math.max(worstMs, Math.abs(clock.monotonicMs() - startMs - (n * leastMs) / (count - 1)))
    }
    t.true(worstMs < 25, `${worstMs} ms off`)
  })
}

test('after a pause there is no burst beyond a tenth of a second', async (t) => {
  const { clock, limit, pace } = makeLimit('100/s')
  await limit.admit(pace)
  await clock.sleep(60_000)
  const resumedMs = clock.monotonicMs()
  for (let n = 0; n < 31; n += 1) await limit.admit(pace)
  t.true(clock.monotonicMs() - resumedMs >= 195, `${clock.monotonicMs() - resumedMs} ms`)
})

test('while the next record waits, those that were taken are appended', async (t) => {
  const { clock, limit, pace, flushes } = makeLimit('1/m')
  const startMs = clock.monotonicMs()
  for (let n = 0; n < 3; n += 1) {
    await limit.admit(pace)
    pace.noteTaken()
  }
  t.deepEqual(
    flushes.map((ms) => ms - startMs),
    [0, 60_000],
  )
})

test('the signal ends the wait', async (t) => {
  const { clock, limit, pace, signal } = makeLimit('1/h')
  t.true(await limit.admit(pace))
  void clock.sleep(500).then(() => {
    signal.abort()
  })
  t.false(await limit.admit(pace))
})
