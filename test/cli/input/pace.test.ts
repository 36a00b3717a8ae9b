import test from 'ava'
import { Pace } from '../../../cli/input/pace.js'

/** A producer that notes what it is asked for, and a clock that the test turns. */
function world(lingerMs: number) {
  const calls: string[] = []
  const clock = { nowMs: 1000, monotonicMs: () => clock.nowMs }
  const producer = {
    flush: () => Promise.resolve(void calls.push('flush')),
    sync: () => Promise.resolve(void calls.push('sync')),
  }
  return { calls, clock, pace: new Pace(producer, clock, lingerMs, undefined) }
}

test('nothing is due before anything was taken', (t) => {
  const { pace } = world(0)
  pace.noteWaiting()
  t.is(pace.dueInMs(), undefined)
  t.false(pace.isOverdue)
})

test('without linger what was taken is flushed when a read waits, synced 20 ms later, and then nothing is due', async (t) => {
  const { pace, clock, calls } = world(0)
  pace.noteTaken()
  clock.nowMs += 5
  pace.noteWaiting()
  t.is(pace.dueInMs(), 0)
  await pace.run()
  t.is(pace.dueInMs(), 20)
  clock.nowMs += 20
  t.is(pace.dueInMs(), 0)
  await pace.run()
  t.deepEqual(calls, ['flush', 'sync'])
  t.is(pace.dueInMs(), undefined)
})

test('linger counts from the oldest record, however many come after it', async (t) => {
  const { pace, clock, calls } = world(100)
  for (let n = 0; n < 9; n += 1) {
    pace.noteTaken()
    pace.noteWaiting()
    t.is(pace.dueInMs(), 100 - 10 * n)
    clock.nowMs += 10
  }
  clock.nowMs += 11
  t.true(pace.isOverdue)
  await pace.run()
  t.deepEqual(calls, ['flush'])
  t.false(pace.isOverdue)
})

test('lines that come more often than every 20 ms are synced after a second all the same', async (t) => {
  const { pace, clock, calls } = world(0)
  for (let n = 0; n < 101; n += 1) {
    pace.noteTaken()
    clock.nowMs += 10
    pace.noteWaiting()
    while (pace.dueInMs() === 0) await pace.run()
  }
  t.is(calls.filter((call) => call === 'sync').length, 1)
})
