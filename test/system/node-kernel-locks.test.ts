import test from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { createNodeFileSystem } from '../../lib/system/node-file-system.js'
import { createNodeKernelLocks, KNOWN_VERSION } from '../../lib/system/node-kernel-locks.js'

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

test('where the package is missing, locking says what is needed, and loading the module is no error', async (t) => {
  const directory = temporaryDirectory(t)
  fs.mkdirSync(join(directory, 'system'))
  fs.writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  for (const name of ['errors.js', 'system/node-kernel-locks.js']) {
    fs.copyFileSync(new URL(`../../lib/${name}`, import.meta.url), join(directory, name))
  }
  const module = (await import(pathToFileURL(join(directory, 'system/node-kernel-locks.js')).href)) as {
    createNodeKernelLocks: typeof createNodeKernelLocks
  }
  const missing = module.createNodeKernelLocks()
  for (const attempt of [
    async () => missing.tryLock(3, false),
    () => missing.waitForLock(3, false),
    async () => missing.unlock(3),
  ]) {
    const error = await t.throwsAsync(attempt, { code: 'LOGQ_IO', message: /kernel locks are not available on '/ })
    t.regex((error as { hint?: string }).hint ?? '', /glibc Linux or macOS/)
  }
})

test('the version whose compiled code is opened directly is the one that is installed', (t) => {
  // After an update: check that binding.tryLock and binding.unlock take the same arguments, then change KNOWN_VERSION.
  const require = createRequire(import.meta.url)
  t.is((require('fs-native-extensions/package.json') as { version: string }).version, KNOWN_VERSION)
})

test('a descriptor that is not open is an error and not a busy lock', async (t) => {
  // Not one that was just closed: another test may have it by then.
  const neverOpened = 1_000_000
  t.throws(() => locks.tryLock(neverOpened, true), { code: 'EBADF' })
  await t.throwsAsync(locks.waitForLock(neverOpened, true), { code: 'EBADF' })
})

function lockFile(t: Context): string {
  const path = join(temporaryDirectory(t), 'lock')
  fs.writeFileSync(path, '')
  return path
}

function temporaryDirectory(t: Context): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'logq-lock-'))
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

interface Context {
  teardown(fn: () => void): void
}
