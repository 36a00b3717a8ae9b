import test from 'ava'
import { Replay, parseSpeed } from '../../../cli/reading/replay.js'
import { createFakeSystem } from '../../helpers/fake-system.js'

/** When records with these timestamps are let through, in ms after the first, and how often was flushed before. */
async function rhythm(speed: string, timestamps: readonly (number | bigint)[]): Promise<{ atMs: number[]; flushes: number }> {
  const { clock } = createFakeSystem()
  let flushes = 0
  const output = {
    flush: () => {
      flushes += 1
      return Promise.resolve()
    },
  }
  const replay = new Replay(parseSpeed(speed), output, clock, new AbortController().signal)
  const atMs: number[] = []
  for (const timestampMs of timestamps) {
    await replay.waitFor(timestampMs)
    atMs.push(clock.monotonicMs())
  }
  return { atMs, flushes }
}

for (const [speed, timestamps, atMs, flushes] of [
  ['1x', [5_000, 5_100, 5_100, 6_000], [0, 100, 100, 1_000], 2],
  ['10x', [5_000, 5_100, 6_000], [0, 10, 100], 2],
  ['0.5x', [5_000, 5_100], [0, 200], 1],
  ['max', [5_000, 9_000], [0, 0], 0],
  // Backwards is no wait, and what comes after is as late after the first as it was.
  ['1x', [5_000, 4_000, 5_100, 4_000, 5_200], [0, 0, 100, 100, 200], 2],
  // -1 is no time.
  ['1x', [-1, 5_000, -1, 5_010n], [0, 0, 0, 10], 1],
] as const) {
  test(`--speed ${speed} of ${timestamps.join()}`, async (t) => {
    t.deepEqual(await rhythm(speed, timestamps), { atMs: [...atMs], flushes })
  })
}

test('what comes late is caught up with', async (t) => {
  const { clock } = createFakeSystem()
  const replay = new Replay(1, { flush: () => Promise.resolve() }, clock, new AbortController().signal)
  await replay.waitFor(1_000)
  await clock.sleep(700)
  await replay.waitFor(1_500)
  t.is(clock.monotonicMs(), 700)
  await replay.waitFor(2_000)
  t.is(clock.monotonicMs(), 1_000)
})

test('an aborted wait ends at once', async (t) => {
  const { clock } = createFakeSystem()
  clock.advancesByItself = false
  const stop = new AbortController()
  const replay = new Replay(1, { flush: () => Promise.resolve() }, clock, stop.signal)
  await replay.waitFor(0)
  const waiting = replay.waitFor(1e12)
  stop.abort()
  await waiting
  t.is(clock.monotonicMs(), 0)
})
