import test from 'ava'
import { FakeClock, createFakeSystem } from '../helpers/fake-system.js'
import { LeaseWatch } from '../../lib/system/lease-watch.js'

const staleMs = 4000
const path = '/lease'
const ignore = (): void => undefined

/** Two processes on one disk: `holder` holds the lease, `watch` is the other's. */
async function makePair() {
  const clock = new FakeClock({ advancesByItself: false })
  const holder = createFakeSystem({ clock })
  const other = createFakeSystem({ clock, disk: holder.disk })
  const lost: string[] = []
  const lease = await holder.leases.hold(path, { staleMs, onLost: (reason) => lost.push(reason) })
  const watch = new LeaseWatch(clock, other.fs)
  /** What is seen in looks 250 ms apart. */
  const look = async (forMs: number): Promise<boolean[]> => {
    const seen = [watch.isStale(path, staleMs)]
    for (let ms = 0; ms < forMs; ms += 250) {
      await clock.advance(250)
      seen.push(watch.isStale(path, staleMs))
    }
    return seen
  }
  return { clock, holder, other, lost, lease, watch, look }
}

test('a lease that is refreshed is never old', async (t) => {
  const { look, lease, holder } = await makePair()
  t.false((await look(10 * staleMs)).includes(true))
  await lease.release()
  t.is(holder.fs.pathStatus(path), undefined)
})

test('a lease of a stopped process is old when it has been seen unchanged for that long, and no longer when the process goes on', async (t) => {
  const { holder, look, lost } = await makePair()
  await look(staleMs)
  holder.leases.stop()
  const seen = await look(2 * staleMs)
  t.is(seen.indexOf(true), staleMs / 250)
  t.false(seen.slice(staleMs / 250).includes(false))
  holder.leases.cont()
  t.deepEqual(await look(0), [false])
  t.deepEqual(lost, [])
})

test('the first look finds no lease old, however old its time is', async (t) => {
  const { clock, holder, watch } = await makePair()
  holder.process.kill()
  await clock.advance(100 * staleMs)
  t.false(watch.isStale(path, staleMs))
})

test('a directory that is not there, or goes away, is one that is not refreshed', async (t) => {
  const { lease, look, watch } = await makePair()
  await look(1000)
  await lease.release()
  t.is((await look(2 * staleMs)).indexOf(true), staleMs / 250)
  watch.forget(path)
  t.is((await look(2 * staleMs)).indexOf(true), staleMs / 250)
})

test('setting the wall clock makes nothing old and nothing fresh', async (t) => {
  const { clock, look, holder } = await makePair()
  for (const jumpMs of [3_600_000, -7_200_000, 10 * 365 * 86_400_000]) {
    clock.setWallClock(clock.nowMs() + jumpMs)
    t.false((await look(2 * staleMs)).includes(true))
  }
  holder.leases.stop()
  await look(staleMs / 2)
  clock.setWallClock(0)
  t.true((await look(staleMs)).includes(true))
})

test('a watcher that was stopped with everybody else gives the others time for a sign', async (t) => {
  const { clock, holder, look, watch } = await makePair()
  await look(staleMs)
  holder.leases.stop()
  await clock.advance(100 * staleMs)
  t.false(watch.isStale(path, staleMs))
  holder.leases.cont()
  t.false((await look(staleMs)).includes(true))
  holder.leases.stop()
  await clock.advance(100 * staleMs)
  t.true((await look(staleMs)).includes(true))
})

test('fake leases: one holder at a time, an old one is taken over, and its holder learns it when it goes on', async (t) => {
  const { clock, holder, other, lost, lease } = await makePair()
  const options = { staleMs, onLost: ignore }
  await t.throwsAsync(other.leases.hold(path, options), { code: 'LOGQ_BUSY' })
  await t.throwsAsync(other.leases.hold('/b', { ...options, staleMs: 1 }), { code: 'LOGQ_USAGE' })
  holder.leases.stop()
  await clock.advance(staleMs + 1000)
  const second = await other.leases.hold(path, options)
  t.deepEqual(lost, [])
  holder.leases.cont()
  t.deepEqual(lost, [`'${path}' was taken over or removed`])
  await lease.release()
  t.not(other.fs.pathStatus(path), undefined)
  await second.release()
  t.is(other.fs.pathStatus(path), undefined)
})

test('fake leases: lost by word of the test, and gone with their process', async (t) => {
  const { clock, holder, other, lost } = await makePair()
  holder.leases.lose(path, 'the thread ended')
  t.deepEqual(lost, ['the thread ended'])
  t.throws(() => holder.leases.lose(path, 'again'))
  await clock.advance(2 * staleMs)
  await other.leases.hold(path, { staleMs, onLost: ignore })
  other.process.kill()
  await clock.advance(staleMs)
  t.deepEqual([holder.leases.held, other.leases.held], [[], []])
  t.is(lost.length, 1)
})
