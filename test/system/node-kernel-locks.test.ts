import test from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createNodeFileSystem } from '../../lib/system/node-file-system.js'
import { createNodeKernelLocks } from '../../lib/system/node-kernel-locks.js'

const nodeFs = createNodeFileSystem()
const locks = createNodeKernelLocks()

test('an exclusive lock excludes, shared ones share, and unlock or close frees them', (t) => {
  const path = lockFile(t)
  const [a, b, c] = [nodeFs.open(path, 'create'), nodeFs.open(path, 'create'), nodeFs.open(path, 'create')]
  t.true(locks.tryLock(a, false))
  t.false(locks.tryLock(b, false))
  t.false(locks.tryLock(b, true))
  locks.unlock(a)
  t.true(locks.tryLock(b, true))
  t.true(locks.tryLock(c, true))
  t.false(locks.tryLock(a, false))
  nodeFs.close(b)
  nodeFs.close(c)
  t.true(locks.tryLock(a, false))
  nodeFs.close(a)
})

test('waitForLock() resolves once the holder lets go, and not before', async (t) => {
  const path = lockFile(t)
  const [holder, waiter] = [nodeFs.open(path, 'create'), nodeFs.open(path, 'create')]
  t.true(locks.tryLock(holder, false))
  let held = false
  const waiting = locks.waitForLock(waiter, false).then(() => {
    held = true
  })
  await delay(50)
  t.false(held)
  locks.unlock(holder)
  await waiting
  t.false(locks.tryLock(holder, true))
  nodeFs.close(holder)
  nodeFs.close(waiter)
})

test('the death of a process frees its lock', async (t) => {
  const path = lockFile(t)
  const module = new URL('../../lib/system/node-kernel-locks.js', import.meta.url).href
  const program = `
    import fs from 'node:fs'
    import { createNodeKernelLocks } from ${JSON.stringify(module)}
    const held = createNodeKernelLocks().tryLock(fs.openSync(${JSON.stringify(path)}, 'r+'), false)
    console.log(held ? 'held' : 'busy')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  t.is(line.toString(), 'held\n')

  const fd = nodeFs.open(path, 'read-write')
  t.false(locks.tryLock(fd, false))
  child.kill('SIGKILL')
  await locks.waitForLock(fd, false)
  t.pass()
  nodeFs.close(fd)
})

test('a closed descriptor is an error and not a busy lock', async (t) => {
  const path = lockFile(t)
  const fd = nodeFs.open(path, 'read')
  nodeFs.close(fd)
  t.throws(() => locks.tryLock(fd, true), { code: 'EBADF' })
  await t.throwsAsync(locks.waitForLock(fd, true), { code: 'EBADF' })
})

function lockFile(t: { teardown(fn: () => void): void }): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'logq-lock-'))
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'lock')
  fs.writeFileSync(path, '')
  return path
}
