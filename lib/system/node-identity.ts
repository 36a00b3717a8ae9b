/**
 * Who this process is: what the state block and lease files record so that another process can tell whether the writer of a line
 * still runs. Each value is read at its first use, since most commands that only read never ask.
 */
import fs from 'node:fs'
import { hostname } from 'node:os'
import type { ProcessIdentity } from './system.js'

export function createNodeIdentity(): ProcessIdentity {
  let startTicks: number | undefined
  let bootId: Uint8Array | undefined
  return {
    pid: process.pid,
    get startTicks() {
      startTicks ??= readStartTicks('/proc/self/stat')
      return startTicks
    },
    get bootId() {
      bootId ??= readBootId('/proc/sys/kernel/random/boot_id')
      return bootId
    },
    get hostName() {
      return hostname()
    },
    // What new files will belong to, hence the effective ids.
    get userId() {
      return process.geteuid?.() ?? 0
    },
    get groupId() {
      return process.getegid?.() ?? 0
    },
  }
}

/** Field 22 of /proc/<pid>/stat, in clock ticks since boot; 0 where there is no such file or process (so too on macOS). */
export function readStartTicks(statPath: string): number {
  const ticks = Number(statFields(readTextOrNothing(statPath))[22 - 3])
  return Number.isSafeInteger(ticks) ? ticks : 0
}

/** The fields of a text such as /proc/self/stat, from the third on. */
export function statFields(text: string): readonly string[] {
  // Field 2 is the command name in parentheses and may itself hold spaces and parentheses: count from behind the last one.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** 16 bytes from the text of a UUID; zeros where there is none (macOS). */
export function readBootId(path: string): Uint8Array {
  const hex = readTextOrNothing(path).trim().replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/.test(hex)) return new Uint8Array(16)
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

function readTextOrNothing(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
