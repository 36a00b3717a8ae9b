/**
 * A command of the user's, run with its standard input in our hands. No shell: the words are what they are. Its standard output and error
 * are ours.
 */
import type net from 'node:net'
import { systemErrorCode } from '../errors.js'
import { systemError } from './system-error.js'
import type { OutputStream } from './streams.js'

export type CommandEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  /** It could not be started: ENOENT, EACCES … */
  | { readonly kind: 'not-started'; readonly error: Error }

export interface ChildCommand {
  /** What is written arrives at its standard input; EPIPE when it reads no more. */
  readonly input: OutputStream
  /** Resolves when it has ended. */
  readonly ended: Promise<CommandEnd>
}

export function startCommand(words: readonly string[], env: Readonly<Record<string, string | undefined>>): ChildCommand {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const [program = '', ...args] = words
  const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'], env: { ...env } })
  const socket = child.stdin as net.Socket | null
  // What goes wrong is told to whoever writes.
  socket?.on('error', () => undefined)
  const ended = new Promise<CommandEnd>((resolve) => {
    child.on('error', (error) => resolve({ kind: 'not-started', error }))
    child.on('close', (code, signal) =>
      resolve(signal === null ? { kind: 'exited', code: code ?? 0 } : { kind: 'killed', signal }),
    )
  })
  return { input: new ChildInput(socket), ended }
}

class ChildInput implements OutputStream {
  readonly isTerminal = false
  readonly columns = undefined
  acceptedBytes = 0

  constructor(private readonly socket: net.Socket | null) {}

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.socket === null || this.socket.destroyed) {
        reject(systemError('EPIPE', 'write'))
        return
      }
      this.socket.write(bytes, (error) => {
        if (error === undefined || error === null) {
          this.acceptedBytes += bytes.length
          resolve()
          // A child that closed its end, or was ended, reads no more.
        } else if (GONE.has(systemErrorCode(error) ?? '')) reject(systemError('EPIPE', 'write'))
        else reject(error)
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket === null || this.socket.destroyed) resolve()
      else this.socket.end(() => resolve())
      this.socket?.on('close', () => resolve())
    })
  }
}

const GONE = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'])
