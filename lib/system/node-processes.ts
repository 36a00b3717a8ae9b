/**
 * Who holds kernel locks, as Linux tells it: /proc/locks says which files are locked, and for the locks that logq takes (of open file
 * descriptions) not by whom; /proc/PID/fdinfo does. Nothing is locked for that, so nobody is held up. The table is a moment's.
 */
import fs from 'node:fs'
import { statFields } from './node-identity.js'
import type { LockHolders, LockTable, ProcessDescription, Processes } from './system.js'

/** Clock ticks in a second, for whatever the kernel tells to programs. */
const TICKS_PER_SECOND = 100

/** `proc` is another directory in tests. */
export function createNodeProcesses(proc = '/proc'): Processes {
  return {
    lockTable: () => {
      const table = readLocks(proc)
      return table === undefined ? undefined : new NodeLockTable(proc, table)
    },
    find: (pid) => describe(proc, pid),
  }
}

interface LockedFile {
  readonly major: number
  readonly minor: number
  readonly inode: number
  readonly isWaiting: boolean
}

interface OpenLock {
  readonly pid: number
  readonly fd: string
}

class NodeLockTable implements LockTable {
  /** By inode, the descriptors that have a lock; looked for once, and only when some file is locked. */
  #open: ReadonlyMap<number, readonly OpenLock[]> | undefined

  constructor(
    private readonly proc: string,
    private readonly locked: readonly LockedFile[],
  ) {}

  holdersOf(file: { readonly device: number; readonly inode: number }): LockHolders | undefined {
    const locks = this.locked.filter(({ inode }) => inode === file.inode)
    if (locks.every(({ isWaiting }) => isWaiting)) return undefined
    this.#open ??= openLocks(this.proc)
    // The device of a file may be told in another way here than by stat (btrfs, overlays): what the descriptor stands for decides.
    const holders = (this.#open.get(file.inode) ?? []).filter(({ pid, fd }) => isFile(`${this.proc}/${pid}/fd/${fd}`, file))
    const pids = [...new Set(holders.map(({ pid }) => pid))]
    const processes = pids.flatMap((pid) => describe(this.proc, pid) ?? [])
    const waiterCount = locks.filter(({ isWaiting }) => isWaiting).length
    if (processes.length > 0) return { processes, waiterCount }
    // Another user's, unless it was let go meanwhile.
    return this.#isLockedStill(file) ? { processes, waiterCount } : undefined
  }

  #isLockedStill({ device, inode }: { readonly device: number; readonly inode: number }): boolean {
    const { major, minor } = numbersOf(device)
    return (readLocks(this.proc) ?? []).some(
      (lock) => lock.inode === inode && !lock.isWaiting && lock.major === major && lock.minor === minor,
    )
  }
}

/** Exclusive locks, and those who wait for one. */
function readLocks(proc: string): LockedFile[] | undefined {
  const text = readText(`${proc}/locks`)
  return text?.split('\n').flatMap((line) => {
    const match = /^\d+: (-> )?(?:OFDLCK|POSIX|FLOCK)\s+\S+\s+WRITE\s+\S+\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s/.exec(line)
    if (match === null) return []
    const [, arrow, major = '', minor = '', inode] = match
    return [{ major: parseInt(major, 16), minor: parseInt(minor, 16), inode: Number(inode), isWaiting: arrow !== undefined }]
  })
}

/** What this user may see of all processes. */
function openLocks(proc: string): ReadonlyMap<number, readonly OpenLock[]> {
  const found = new Map<number, OpenLock[]>()
  for (const pid of list(proc).filter((name) => /^\d+$/.test(name))) {
    for (const fd of list(`${proc}/${pid}/fdinfo`)) {
      const text = readText(`${proc}/${pid}/fdinfo/${fd}`) ?? ''
      for (const match of text.matchAll(/^lock:.*\sWRITE\s+\S+\s+[0-9a-f]+:[0-9a-f]+:(\d+)\s/gm)) {
        const inode = Number(match[1])
        const locks = found.get(inode) ?? []
        found.set(inode, locks)
        locks.push({ pid: Number(pid), fd })
      }
    }
  }
  return found
}

function isFile(path: string, file: { readonly device: number; readonly inode: number }): boolean {
  try {
    const { dev, ino } = fs.statSync(path)
    return dev === file.device && ino === file.inode
  } catch {
    // It ended meanwhile.
    return false
  }
}

function describe(proc: string, pid: number): ProcessDescription | undefined {
  const stat = readText(`${proc}/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = statFields(stat)
  const startTicks = Number(fields[22 - 3])
  const bootedSeconds = Number(/^btime (\d+)$/m.exec(readText(`${proc}/stat`) ?? '')?.[1])
  const startedMs = (bootedSeconds + startTicks / TICKS_PER_SECOND) * 1000
  return {
    pid,
    command: commandOf(readText(`${proc}/${pid}/cmdline`) ?? '') || nameIn(stat),
    isStopped: /^[Tt]$/.test(fields[0] ?? ''),
    startedMs: Number.isFinite(startedMs) ? startedMs : undefined,
  }
}

function commandOf(cmdline: string): string {
  const [program = '', ...args] = cmdline.replace(/\0+$/, '').split('\0')
  const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1).replace(/\.[cm]?js$/, '')
  const script = args.findIndex((arg) => !arg.startsWith('-'))
  const words =
    nameOf(program) === 'node' && script >= 0 ? [nameOf(args[script] ?? ''), ...args.slice(script + 1)] : [program, ...args]
  return words.join(' ').trim()
}

/** Of a process that has no command line: a kernel thread, or one that is ending. */
function nameIn(stat: string): string {
  return stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
}

/** As the C library takes a device number apart; in halves, since bits are of 32 here. */
function numbersOf(device: number): { readonly major: number; readonly minor: number } {
  const high = Math.floor(device / 0x1_0000_0000)
  const low = device >>> 0
  return {
    major: ((low >>> 8) & 0xfff) | (high & ~0xfff),
    minor: (low & 0xff) | ((low >>> 12) & 0xff_f00),
  }
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function list(directory: string): string[] {
  try {
    return fs.readdirSync(directory)
  } catch {
    return []
  }
}
