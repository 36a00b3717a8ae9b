/** Who holds kernel locks: by a /proc made for the test, and by the kernel's own. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createNodeProcesses } from '../../lib/system/node-processes.js'
import { createNodeSystem } from '../../lib/system/node-system.js'
import { until } from '../helpers/until.js'

const onLinux = existsSync('/proc/locks') ? test : test.skip
if (!existsSync('/proc/locks')) process.stderr.write('not run: holders of real kernel locks (no /proc/locks)\n')

function temporaryDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'logq-processes-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return directory
}

interface FakeProcess {
  readonly state?: string
  readonly cmdline?: string
  /** Files that it has locked. */
  readonly locks?: readonly string[]
}

/** A directory as /proc is, in which device numbers are those of another file system than the files'. */
function fakeProc(t: ExecutionContext, processes: Readonly<Record<number, FakeProcess>>, locks: string): string {
  const proc = temporaryDirectory(t)
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(proc, path)), { recursive: true })
    writeFileSync(join(proc, path), content)
  }
  write('locks', locks)
  write('stat', 'cpu 1 2 3\nbtime 1700000000\n')
  for (const [pid, { state = 'S', cmdline = 'cat\0', locks: locked = [] }] of Object.entries(processes)) {
    const rest = Array.from({ length: 18 }, () => '0').join(' ')
    write(`${pid}/stat`, `${pid} (a ) b) ${state} ${rest} 500 0\n`)
    write(`${pid}/cmdline`, cmdline)
    write(`${pid}/fdinfo/3`, 'pos:\t0\nflags:\t02\n')
    for (const [n, path] of locked.entries()) {
      write(`${pid}/fdinfo/${n + 4}`, `pos:\t0\nlock:\t1: OFDLCK  ADVISORY  WRITE -1 00:99:${statSync(path).ino} 0 EOF\n`)
      mkdirSync(join(proc, pid, 'fd'), { recursive: true })
      symlinkSync(path, join(proc, pid, 'fd', String(n + 4)))
    }
  }
  return proc
}

function lockedLine(path: string, type = 'OFDLCK  ADVISORY  WRITE', device = '00:99'): string {
  return `1: ${type} -1 ${device}:${statSync(path).ino} 0 EOF\n`
}

function fileOf(path: string): { device: number; inode: number } {
  const { dev, ino } = statSync(path)
  return { device: dev, inode: ino }
}

test('the holder is found by its descriptor, with its command, its state and its start', (t) => {
  const file = join(temporaryDirectory(t), 'lock')
  writeFileSync(file, '')
  const running = {
    7: { state: 'T', cmdline: '/usr/bin/node\0--stack-size=1\0/opt/logq/cli/logq.cjs\0produce\0t\0', locks: [file] },
    8: { cmdline: '' },
  }
  const proc = fakeProc(t, running, lockedLine(file) + lockedLine(file, '-> OFDLCK  ADVISORY  WRITE'))
  const processes = createNodeProcesses(proc)
  const holder = { pid: 7, command: 'logq produce t', isStopped: true, startedMs: 1_700_000_005_000 }
  t.deepEqual(processes.lockTable()?.holdersOf(fileOf(file)), { processes: [holder], waiterCount: 1 })
  t.deepEqual(processes.find(7), holder)
  t.like(processes.find(8), { command: 'a ) b', isStopped: false })
  t.is(processes.find(9), undefined)
})

test('a file is not locked when another one of its number is, or it is only read, or waited for', (t) => {
  const directory = temporaryDirectory(t)
  const [file, other] = ['lock', 'other'].map((name) => join(directory, name)) as [string, string]
  writeFileSync(file, '')
  writeFileSync(other, '')
  const holdersOf = (locks: string, processes: Readonly<Record<number, FakeProcess>> = {}) =>
    createNodeProcesses(fakeProc(t, processes, locks))
      .lockTable()
      ?.holdersOf(fileOf(file))
  t.is(holdersOf(''), undefined)
  t.is(holdersOf(lockedLine(other)), undefined)
  t.is(holdersOf(lockedLine(file, 'OFDLCK  ADVISORY  READ ')), undefined)
  t.is(holdersOf(lockedLine(file, '-> OFDLCK  ADVISORY  WRITE')), undefined)
  t.is(holdersOf('what is this\n1: OFDLCK ADVISORY WRITE\n'), undefined)
  // The number is that of a file on another device, and nobody is seen to have this one locked.
  t.is(holdersOf(lockedLine(file)), undefined)
  t.is(holdersOf(lockedLine(file), { 7: { locks: [other] } }), undefined)
})

test('of a process that may not be looked at it is known that there is one', (t) => {
  const file = join(temporaryDirectory(t), 'lock')
  writeFileSync(file, '')
  const { dev } = statSync(file)
  const major = Math.floor(dev / 256) % 4096
  const minor = (dev % 256) + Math.floor(dev / 2 ** 20) * 256
  const device = `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}`
  const proc = fakeProc(t, {}, lockedLine(file, 'OFDLCK  ADVISORY  WRITE', device))
  t.deepEqual(createNodeProcesses(proc).lockTable()?.holdersOf(fileOf(file)), { processes: [], waiterCount: 0 })
})

test('where there is no /proc, nothing is known', (t) => {
  const nothing = createNodeProcesses(join(temporaryDirectory(t), 'proc'))
  t.is(nothing.lockTable(), undefined)
  t.is(nothing.find(process.pid), undefined)
})

onLinux('the kernel tells of this process that it holds a lock, and that somebody waits for it', async (t) => {
  const file = join(temporaryDirectory(t), 'lock')
  writeFileSync(file, '')
  const { fs, locks, processes } = createNodeSystem()
  const holders = () => processes.lockTable()?.holdersOf(fileOf(file))
  const [holder, waiter] = [fs.open(file, 'read-write'), fs.open(file, 'read-write')]
  t.is(holders(), undefined)
  t.true(locks.tryLock(holder, false))
  const held = holders()
  t.deepEqual(
    held?.processes.map(({ pid, isStopped }) => [pid, isStopped]),
    [[process.pid, false]],
  )
  t.is(held?.waiterCount, 0)
  const startedMs = held?.processes[0]?.startedMs ?? 0
  t.true(startedMs <= Date.now() + 5000 && startedMs > Date.now() - 3_600_000)
  const granted = locks.waitForLock(waiter, false)
  await until('it is waited for', () => holders()?.waiterCount === 1)
  locks.unlock(holder)
  await granted
  t.is(holders()?.waiterCount, 0)
  locks.unlock(waiter)
  t.is(holders(), undefined)
  for (const fd of [holder, waiter]) fs.close(fd)
})
