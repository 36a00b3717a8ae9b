import test from 'ava'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { readBootId, readStartTicks } from '../../lib/system/node-identity.js'
import { createNodeSystem } from '../../lib/system/node-system.js'

test('createNodeSystem() identifies this process as the kernel does', (t) => {
  const { self } = createNodeSystem({})
  t.is(self.pid, process.pid)
  t.is(self.startTicks, Number(execFileSync('awk', ['{ print $22 }', `/proc/${process.pid}/stat`], { encoding: 'utf8' })))
  const bootId = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  t.is(Buffer.from(self.bootId).toString('hex'), bootId.replaceAll('-', ''))
  t.is(self.userId, process.geteuid?.() ?? 0)
  t.is(self.groupId, process.getegid?.() ?? 0)
})

test('readStartTicks() survives a command name with spaces and parentheses', (t) => {
  const path = join(os.tmpdir(), `logq-stat-${process.pid}`)
  t.teardown(() => fs.rmSync(path, { force: true }))
  const rest = Array.from({ length: 40 }, (_, index) => String(index + 3))
  fs.writeFileSync(path, `123 (a) b (c) ${rest.join(' ')}\n`)
  t.is(readStartTicks(path), 22)
})

test('where /proc is missing the start time is 0 and the boot id zeros', (t) => {
  t.is(readStartTicks('/nothing/stat'), 0)
  t.deepEqual(readBootId('/nothing/boot_id'), new Uint8Array(16))
})

test('createNodeSystem() obeys LOGQ_FAILPOINT and refuses a bad one at the start', (t) => {
  const system = createNodeSystem({ LOGQ_FAILPOINT: 'x=throw:EIO' })
  t.throws(() => system.failpoint('x'), { code: 'EIO' })
  t.throws(() => createNodeSystem({ LOGQ_FAILPOINT: 'x=later' }), { code: 'LOGQ_USAGE' })
})

test('Clock.sleep() waits, ends early at an abort, and does not wait at all when already aborted', async (t) => {
  const { clock } = createNodeSystem({})
  const startMs = clock.monotonicMs()
  await clock.sleep(20)
  t.true(clock.monotonicMs() - startMs >= 19)
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 10)
  await clock.sleep(60_000, controller.signal)
  await clock.sleep(60_000, controller.signal)
  await clock.sleep(2 ** 40, controller.signal)
  t.true(clock.monotonicMs() - startMs < 10_000)
  t.true(Math.abs(clock.nowMs() - Date.now()) < 1000)
})

test('Clock.sleep() longer than a timer can be does not end at once', async (t) => {
  const { clock } = createNodeSystem({})
  const controller = new AbortController()
  let ended = false
  const sleeping = clock.sleep(2 ** 40, controller.signal).then(() => {
    ended = true
  })
  await clock.sleep(30)
  t.false(ended)
  controller.abort()
  await sleeping
})

test('Random.bytes() differ and Random.integer() stays below its bound', (t) => {
  const { random } = createNodeSystem({})
  t.is(random.bytes(16).length, 16)
  t.notDeepEqual(random.bytes(16), random.bytes(16))
  const seen = new Set(Array.from({ length: 200 }, () => random.integer(3)))
  t.deepEqual(
    [...seen].sort((a, b) => a - b),
    [0, 1, 2],
  )
})
