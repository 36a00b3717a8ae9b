/**
 * What stands behind a descriptor, and how to get an open file description of one's own for it.
 *
 * O_NONBLOCK belongs to the open file description, and a shell gives the same one to all commands of a group: setting it on
 * descriptor 0, 1 or 2 makes the siblings' reads and writes fail with EAGAIN, which most programs take for an error (a `cat`
 * beside such a program lost 98 % of its output). Opening /proc/self/fd/N makes a new description on the same pipe or terminal.
 */
import fs from 'node:fs'
import { systemErrorCode } from '../errors.js'
import { systemError } from './system-error.js'

export type DescriptorKind =
  | 'file' // also block devices and directories: reads and writes never wait for another process
  | 'pipe'
  | 'terminal'
  | 'memory-device' // /dev/null, zero, full, random: never waits
  | 'other' // sockets and all other devices

/** Throws EBADF for a closed descriptor. */
export function descriptorKind(fd: number): DescriptorKind {
  const status = fs.fstatSync(fd)
  if (status.isFIFO()) return 'pipe'
  if (status.isFile() || status.isDirectory() || status.isBlockDevice()) return 'file'
  if (!status.isCharacterDevice()) return 'other'
  if (isMemoryDevice(status)) return 'memory-device'
  return process.getBuiltinModule('node:tty').isatty(fd) ? 'terminal' : 'other'
}

export function isTerminal(fd: number): boolean {
  try {
    return descriptorKind(fd) === 'terminal'
  } catch {
    return false
  }
}

/**
 * A new non-blocking descriptor for the same pipe or terminal, or undefined where that is not to be had: no /proc (macOS), or a
 * pipe that another user made (after `su` or `sudo -u`). Throws EBADF when `fd` itself was not opened for this `access`, ENXIO for
 * writing to a pipe that no one reads.
 */
export function reopenNonBlocking(fd: number, access: 'read' | 'write'): number | undefined {
  if (process.platform !== 'linux') return undefined
  requireAccess(fd, access)
  const { O_RDONLY, O_WRONLY, O_NONBLOCK, O_NOCTTY } = fs.constants
  try {
    return fs.openSync(`/proc/self/fd/${fd}`, (access === 'read' ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_NOCTTY)
  } catch (error) {
    if (systemErrorCode(error) === 'ENXIO') throw error
    return undefined
  }
}

const KMSG_MINOR = 11

/** Devices of the kind that /dev/null is. The kernel's message device is of that kind too, and waits. */
function isMemoryDevice(status: fs.Stats): boolean {
  const nullDevice = fs.statSync('/dev/null', { throwIfNoEntry: false })
  if (nullDevice === undefined || !nullDevice.isCharacterDevice()) return false
  return major(status.rdev) === major(nullDevice.rdev) && minor(status.rdev) !== KMSG_MINOR
}

function major(device: number): number {
  return process.platform === 'darwin' ? (device >>> 24) & 0xff : (device >>> 8) & 0xfff
}

function minor(device: number): number {
  return process.platform === 'darwin' ? device & 0xffffff : device & 0xff
}

/**
 * The kernel would open the writing end for someone who only holds the reading end, and the program would talk into its own input.
 */
function requireAccess(fd: number, access: 'read' | 'write'): void {
  let text: string
  try {
    text = fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')
  } catch {
    return
  }
  const flags = Number.parseInt(/^flags:\s*([0-7]+)/m.exec(text)?.[1] ?? '2', 8)
  const mode = flags & 3
  const wrong = access === 'read' ? fs.constants.O_WRONLY : fs.constants.O_RDONLY
  if (mode === wrong) throw systemError('EBADF', access)
}
