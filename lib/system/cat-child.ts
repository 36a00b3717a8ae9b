/**
 * The child that reads or writes a descriptor for us where that would block: plain `cat`, which every system has.
 *
 * It runs in a session of its own, so that a Ctrl-C meant for the foreground does not end it before its bytes were passed on.
 */
import type { ChildProcess } from 'node:child_process'
import type net from 'node:net'
import { systemError } from './system-error.js'

export interface CatChild {
  readonly process: ChildProcess
  /** Resolves when the child has ended and its streams were read to their ends: with what went wrong, or undefined. */
  readonly ended: Promise<Error | undefined>
}

/** `standardInput`, `standardOutput`: a descriptor of ours, or 'pipe'. */
export function spawnCat(
  standardInput: number | 'pipe' | 'ignore',
  standardOutput: number | 'pipe',
  args: string[] = [],
): CatChild {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const syscall = standardOutput === 'pipe' ? 'read' : 'write'
  const child = spawn('cat', args, {
    stdio: [standardInput, standardOutput, 'pipe'],
    detached: true,
    // Its messages are looked at.
    env: { ...process.env, LC_ALL: 'C' },
  })
  // The stream is missing when the child could not be started.
  const talk = child.stderr as net.Socket | null
  let message = ''
  talk?.on('data', (chunk: Buffer) => {
    if (message.length < LONGEST_MESSAGE) message += chunk.toString('latin1')
  })
  talk?.unref()
  const ended = new Promise<Error | undefined>((resolve) => {
    child.on('error', (error) => resolve(failed(syscall, error.message)))
    child.on('close', (code, signal) => {
      if (code === 0) resolve(undefined)
      else if (signal === 'SIGPIPE') resolve(systemError('EPIPE', syscall))
      else resolve(failureFrom(message, syscall, signal ?? `exit ${code}`))
    })
  })
  return { process: child, ended }
}

const LONGEST_MESSAGE = 1000

// A socket whose reader went away without reading everything is reset, which is no signal.
const CODES: readonly (readonly [RegExp, string])[] = [
  [/broken pipe|connection reset/i, 'EPIPE'],
  [/no space left/i, 'ENOSPC'],
  [/permission denied/i, 'EACCES'],
  [/no such file/i, 'ENOENT'],
]

function failureFrom(message: string, syscall: string, how: string): Error {
  for (const [words, code] of CODES) if (words.test(message)) return systemError(code, syscall)
  return failed(syscall, message.trim() === '' ? how : message.trim())
}

function failed(syscall: string, how: string): Error {
  return systemError('EIO', syscall, undefined, `the child process that does it failed (${how})`)
}
