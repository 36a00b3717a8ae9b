import test from 'ava'
import { createFakeSystem, FAKE_START_MS, FakeClock } from './fake-system.js'

test('the same seed gives the same random numbers, another seed others', (t) => {
  const draw = (seed: number) => {
    const { random } = createFakeSystem({ seed })
    return [...random.bytes(8), random.integer(1000), random.integer(1000)]
  }
  t.deepEqual(draw(7), draw(7))
  t.notDeepEqual(draw(7), draw(8))
  const counts = [0, 0, 0]
  const { random } = createFakeSystem()
  for (let i = 0; i < 3000; i += 1) {
    const drawn = random.integer(3)
    counts[drawn] = (counts[drawn] ?? 0) + 1
  }
  t.true(counts.every((count) => count > 800))
})

test('two systems on one disk and clock see each other as two processes do', (t) => {
  const one = createFakeSystem()
  const two = createFakeSystem({ disk: one.disk, clock: one.clock, pid: 2000 })
  const fd = one.fs.open('/lock', 'create')
  t.true(one.locks.tryLock(fd, false))
  const other = two.fs.open('/lock', 'read-write')
  t.false(two.locks.tryLock(other, false))
  one.process.kill()
  t.true(two.locks.tryLock(other, false))
  t.not(one.self.pid, two.self.pid)
})

test('advance() wakes sleepers in the order of their times and lets each go on before the next', async (t) => {
  const clock = new FakeClock({ advancesByItself: false })
  const seen: string[] = []
  const sleepy = async (name: string, ...naps: number[]) => {
    for (const ms of naps) {
      await clock.sleep(ms)
      seen.push(`${name}@${clock.monotonicMs()}`)
    }
  }
  void sleepy('a', 30, 30)
  void sleepy('b', 10, 10, 10)
  await clock.advance(29)
  t.deepEqual(seen, ['b@10', 'b@20'])
  await clock.advance(100)
  t.deepEqual(seen, ['b@10', 'b@20', 'a@30', 'b@30', 'a@60'])
  t.is(clock.nowMs(), FAKE_START_MS + 129)
  t.is(clock.sleepers, 0)
})

test('a clock that advances by itself jumps to the first sleeper, and an abort ends a sleep where time stands', async (t) => {
  const clock = new FakeClock()
  const order: string[] = []
  const controller = new AbortController()
  await Promise.all([
    clock.sleep(86_400_000).then(() => order.push('day')),
    clock.sleep(1000).then(() => {
      order.push('second')
      controller.abort()
    }),
    clock.sleep(3_600_000, controller.signal).then(() => order.push(`aborted at ${clock.monotonicMs()}`)),
  ])
  t.deepEqual(order, ['second', 'aborted at 1000', 'day'])
  clock.setWallClock(5)
  t.is(clock.nowMs(), 5)
  t.is(clock.monotonicMs(), 86_400_000)
})

test('failpoints are recorded and do what the test says', (t) => {
  const system = createFakeSystem()
  system.failpoints.set('b', () => {
    throw new Error('here')
  })
  system.failpoint('a')
  t.throws(() => system.failpoint('b'), { message: 'here' })
  t.deepEqual(system.passedFailpoints, ['a', 'b'])
})

test('hints come when given, to those who watch that directory', (t) => {
  const { hints } = createFakeSystem()
  let count = 0
  const stop = hints.watch('/a', () => {
    count += 1
  })
  hints.give('/b')
  hints.give('/a')
  t.deepEqual(hints.watched, ['/a'])
  stop()
  hints.give('/a')
  t.is(count, 1)
})

test('a failed fdatasync of the fake disk has lost its pages for good', async (t) => {
  const system = createFakeSystem()
  const fd = system.fs.open('/log', 'create-new')
  system.fs.syncDirectory('/')
  system.fs.write(fd, Buffer.from('data'), 0, 4, 0)
  system.fs.failNth({ operation: 'fdatasync', code: 'EIO' })
  await t.throwsAsync(system.fs.fdatasync(fd), { code: 'EIO' })
  await system.fs.fdatasync(fd)
  const after = createFakeSystem({ disk: system.disk.crash({ seed: 1, keepUnsynced: 'all' }) })
  const buffer = Buffer.alloc(4)
  after.fs.read(after.fs.open('/log', 'read'), buffer, 0, 4, 0)
  t.is(buffer.toString('latin1'), '\0\0\0\0')
})
