/**
 * Leases of real processes: each holder is a child (lease-holder.ts), the observer is the test. Times are those of the shortest lease
 * that there is, 2 s.
 */
import test, { type ExecutionContext } from 'ava'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { HolderCommand } from '../helpers/lease-holder.js'
import { projectRoot } from '../helpers/project.js'
import { SHORTEST_STALE_MS } from '../../lib/system/lease.js'
import { LeaseWatch } from '../../lib/system/lease-watch.js'
import { createNodeSystem } from '../../lib/system/node-system.js'

const holderPath = fileURLToPath(new URL('../helpers/lease-holder.js', import.meta.url))
const staleMs = SHORTEST_STALE_MS
const system = createNodeSystem()

test('a lease is a directory that is refreshed until it is released, and may be taken again then', async (t) => {
  const path = leasePath(t)
  for (let i = 0; i < 2; i += 1) {
    const lost: string[] = []
    const lease = await system.leases.hold(path, { staleMs, onLost: (reason) => lost.push(reason) })
    t.deepEqual(readdirSync(path), [])
    await changes(path, 2)
    await Promise.all([lease.release(), lease.release()])
    t.false(existsSync(path))
    t.deepEqual(lost, [])
  }
})

test('one thread serves several leases of a process', async (t) => {
  const paths = [leasePath(t), leasePath(t)]
  const ignore = (): void => undefined
  const [one, two] = await Promise.all(paths.map((path) => system.leases.hold(path, { staleMs, onLost: ignore })))
  await one?.release()
  t.deepEqual(
    paths.map((path) => existsSync(path)),
    [false, true],
  )
  await changes(paths[1] ?? '', 1)
  await two?.release()
})

test('a lease that somebody holds is LOGQ_BUSY, in the same process too', async (t) => {
  const path = leasePath(t)
  const holder = await start(t, path)
  const options = { staleMs, onLost: () => undefined }
  await t.throwsAsync(system.leases.hold(path, options), { code: 'LOGQ_BUSY', message: `'${path}' is held by another process` })
  const second = await start(t, path, 'failed')
  t.regex(second.output(), /^failed: LOGQ_BUSY /)
  await holder.ask('release')
  const lease = await system.leases.hold(path, options)
  await t.throwsAsync(system.leases.hold(path, options), { code: 'LOGQ_BUSY' })
  await lease.release()
})

test('what keeps a lease from being taken is named', async (t) => {
  const options = { staleMs, onLost: () => undefined }
  const path = join(leasePath(t), 'missing', 'lease')
  await t.throwsAsync(system.leases.hold(path, options), { code: 'ENOENT', message: /mkdir '.*missing\/lease'/ })
  await t.throwsAsync(system.leases.hold(leasePath(t), { ...options, staleMs: 1999 }), { code: 'LOGQ_USAGE' })
  const file = leasePath(t)
  writeFileSync(file, 'x')
  await delay(staleMs + 100)
  await t.throwsAsync(system.leases.hold(file, options), { code: 'ENOTDIR' })
})

test('neither a blocked main thread nor a blocked thread pool lets a lease grow old', async (t) => {
  const path = leasePath(t)
  const holder = await start(t, path)
  const fifo = `${path}.fifo`
  spawnSync('mkfifo', [fifo])
  await holder.ask(`block-pool ${fifo}`)
  const watch = new LeaseWatch(system.clock, system.fs)
  const endMs = performance.now() + 2 * staleMs
  const blocked = holder.ask(`block ${2 * staleMs}`)
  let oldSeen = 0
  while (performance.now() < endMs) {
    // Of a machine with much else to do: twice the time is plenty, and a thread that stands still would still be found out.
    if (watch.isStale(path, 1.5 * staleMs)) oldSeen += 1
    await delay(100)
  }
  t.is(oldSeen, 0)
  await blocked
  t.notRegex(holder.output(), /lost/)
})

test('the lease of a killed process grows old, and is then taken by the next', async (t) => {
  const path = leasePath(t)
  const holder = await start(t, path)
  await changes(path, 1)
  const watch = new LeaseWatch(system.clock, system.fs)
  t.false(watch.isStale(path, staleMs))
  holder.signal('SIGKILL')
  t.true(existsSync(path))
  await until(() => watch.isStale(path, staleMs))
  const lease = await retry(() => system.leases.hold(path, { staleMs, onLost: () => undefined }))
  await lease.release()
  t.false(existsSync(path))
})

test('a stopped process whose lease was taken learns it when it goes on, and its release leaves the new one alone', async (t) => {
  for (const command of ['release', 'stop-then-release'] as const) {
    const path = leasePath(t)
    const holder = await start(t, path)
    const answer = command === 'release' ? undefined : holder.ask(command)
    if (command === 'release') holder.signal('SIGSTOP')
    const lease = await retry(() => system.leases.hold(path, { staleMs, onLost: (reason) => t.fail(reason) }))
    holder.signal('SIGCONT')
    if (command === 'release') {
      await holder.waitFor(/lost: '.*' was taken over by another process/)
      await holder.ask(command)
    } else await answer
    t.true(existsSync(path), command)
    await changes(path, 1)
    await lease.release()
  }
})

test('a stopped process whose lease nobody took goes on with it', async (t) => {
  const path = leasePath(t)
  const holder = await start(t, path)
  const watch = new LeaseWatch(system.clock, system.fs)
  holder.signal('SIGSTOP')
  await until(() => watch.isStale(path, staleMs))
  holder.signal('SIGCONT')
  await until(() => !watch.isStale(path, staleMs))
  await holder.ask('release')
  t.notRegex(holder.output(), /lost/)
  t.false(existsSync(path))
})

test('a lease whose directory is removed is lost', async (t) => {
  const path = leasePath(t)
  const holder = await start(t, path)
  rmdirSync(path)
  await holder.waitFor(`lost: '${path}' was removed`)
  mkdirSync(path)
  await holder.ask('release')
  t.true(existsSync(path))
})

test('signals reach the process as if there were no lease', async (t) => {
  const path = leasePath(t)
  const holder = await start(t, path)
  await holder.ask('handle SIGTERM')
  holder.signal('SIGTERM')
  await holder.waitFor('signal SIGTERM')
  await holder.ask('flags')
  holder.signal('SIGINT')
  t.deepEqual(await holder.ended, [null, 'SIGINT'])
  t.is(holder.output().match(/signal/g)?.length, 1)
})

test('a lease does not keep its process alive, and does not touch its standard output', async (t) => {
  const path = leasePath(t)
  const holder = await start(t, path)
  await holder.ask('flags')
  const flags = Number.parseInt(/flags:\s*(\d+)/.exec(holder.output())?.[1] ?? '', 8)
  if (process.platform === 'linux') t.is(flags & 0o4000, 0, 'O_NONBLOCK')
  holder.say('leave')
  t.deepEqual(await holder.ended, [0, null])
  t.true(existsSync(path))
})

test('a lease is lost with its thread, and cannot be had when the thread cannot be loaded', async (t) => {
  const path = leasePath(t)
  const holder = await start(t, path)
  await holder.ask('end-thread')
  await holder.waitFor(/lost: the thread that keeps leases failed: it ended with status 1/)
  await holder.ask('release')
  t.true(existsSync(path))
  const second = await start(t, leasePath(t), 'failed', { LEASE_WORKER: join(path, 'no-such-file.js') })
  t.regex(second.output(), /^failed: LOGQ_IO .*the thread that keeps leases failed: .*no-such-file/)
})

test('the thread of the bundled program keeps leases too', async (t) => {
  const path = leasePath(t)
  const holder = await start(t, path, 'held', { LEASE_WORKER: join(projectRoot, 'dist', 'lease-worker.js') })
  await changes(path, 2)
  await holder.ask('release')
  t.false(existsSync(path))
})

const fakeTime = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
].find((library) => existsSync(library))

test('a clock that is set, forwards or backwards, loses no lease and makes none old', async (t) => {
  if (fakeTime === undefined) {
    t.log('not run: libfaketime is not installed')
    t.pass()
    return
  }
  for (const jump of ['+3600', '-3600']) {
    const path = leasePath(t)
    const offset = `${path}.offset`
    writeFileSync(offset, '+0\n')
    const holder = await start(t, path, 'held', {
      LD_PRELOAD: fakeTime,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    })
    const watch = new LeaseWatch(system.clock, system.fs)
    await changes(path, 1)
    const before = statSync(path).mtimeMs
    writeFileSync(offset, `${jump}\n`)
    const endMs = performance.now() + 2 * staleMs
    while (performance.now() < endMs) {
      t.false(watch.isStale(path, 1.5 * staleMs))
      await delay(100)
    }
    const movedMs = statSync(path).mtimeMs - before
    t.true(Math.abs(movedMs - Number(jump) * 1000) < 60_000, `the clock of the holder moved by ${movedMs} ms`)
    await holder.ask('release')
    t.notRegex(holder.output(), /lost/)
    t.false(existsSync(path))
  }
})

interface Holder {
  say(command: HolderCommand): void
  /** Resolves when it is done. */
  ask(command: HolderCommand): Promise<void>
  waitFor(wanted: string | RegExp): Promise<void>
  signal(name: NodeJS.Signals): void
  output(): string
  readonly ended: Promise<[number | null, NodeJS.Signals | null]>
}

/** A child that holds, or was refused, the lease. */
async function start(
  t: ExecutionContext,
  path: string,
  first: 'held' | 'failed' = 'held',
  env: Readonly<Record<string, string>> = {},
): Promise<Holder> {
  const child = spawn(process.execPath, [holderPath, path, String(staleMs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  t.teardown(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const holder: Holder = {
    say: (command) => void child.stdin.write(`${command}\n`),
    async ask(command) {
      const wanted = text.split('done\n').length + 1
      holder.say(command)
      await until(() => text.split('done\n').length >= wanted)
    },
    waitFor: (wanted) => until(() => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text))),
    signal: (name) => void child.kill(name),
    output: () => text,
    ended: ending(child),
  }
  await holder.waitFor(first)
  return holder
}

function ending(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve) => {
    child.on('exit', (status, signal) => {
      resolve([status, signal])
    })
  })
}

function leasePath(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'logq-lease-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return join(directory, 'lease')
}

/** Until the directory was refreshed so many times. */
async function changes(path: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const before = statSync(path).mtimeMs
    await until(() => statSync(path).mtimeMs !== before)
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 30_000
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`not within 30 s: ${isSo.toString()}`)
    await delay(20)
  }
}

/** Until the lease is old enough to be taken. */
async function retry<T>(take: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + 30_000
  for (;;) {
    try {
      return await take()
    } catch (error) {
      if (performance.now() > endMs) throw error
    }
    await delay(100)
  }
}
