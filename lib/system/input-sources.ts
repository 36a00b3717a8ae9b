/**
 * Ways to read a descriptor without ever blocking the process: one class for each kind of thing behind it.
 *
 * What none of them does is a blocking read on the thread pool: it cannot be cancelled, `process.exit` does not return while one is
 * pending, and four of them stop every fsync.
 */
import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import type net from 'node:net'
import { systemErrorCode } from '../errors.js'
import { spawnCat } from './cat-child.js'
import { LoopTurn } from './loop-turn.js'

/** `InputStream` without its name. One `read` at a time. */
export interface InputSource {
  read(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined>
  hasDataReady(): boolean
  close(): void
}

/**
 * Files and memory devices. The position stays with the open file description (position null), because other commands may share
 * it: in `(head -1; logq produce t) < file` each goes on where the one before stopped.
 */
/** Node.js refuses to read 2 GiB at once, which is what is left of the window over an input after one very large record. */
const MAX_READ_BYTES = 1 << 30

export class FileSource implements InputSource {
  readonly #fd: number
  readonly #owned: boolean
  #closed = false

  constructor(fd: number, owned: boolean) {
    this.#fd = fd
    this.#owned = owned
  }

  read(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    if (signal?.aborted === true) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, buffer, 0, Math.min(buffer.length, MAX_READ_BYTES), null, (error, bytesRead) => {
        if (error) reject(error)
        else resolve(bytesRead)
      })
    })
  }

  hasDataReady(): boolean {
    return true
  }

  close(): void {
    if (this.#owned && !this.#closed) fs.closeSync(this.#fd)
    this.#closed = true
  }
}

// What a Linux pipe holds unless someone enlarged it.
const PIPE_BYTES = 64 * 1024

/**
 * Pipes and terminals. `direct` says that the descriptor is this program's own and non-blocking: then bytes that wait are read
 * straight into the caller's buffer, and the event loop is asked only when none do. It must be asked that way round at first: a
 * pipe whose writers were all gone before it was opened again never wakes a poll, but a read says at once that it has ended.
 */
export class PolledSource implements InputSource {
  readonly #fd: number
  readonly #direct: boolean
  readonly #terminal: boolean
  readonly #turn = new LoopTurn()
  /** Bytes that were read before they were asked for: by the poll, and by `hasDataReady`. */
  readonly #ahead = new Uint8Array(PIPE_BYTES)
  #aheadStart = 0
  #aheadEnd = 0
  #socket: net.Socket | undefined
  #wake: (() => void) | undefined
  #ended = false
  #failure: Error | undefined
  #closed = false

  constructor(fd: number, options: { direct: boolean; terminal: boolean }) {
    this.#fd = fd
    this.#direct = options.direct
    this.#terminal = options.terminal
  }

  async read(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    await this.#turn.giveWay()
    if (!this.#hasResult()) {
      if (signal?.aborted === true || this.#closed) return undefined
      const bytesRead = this.#readNow(buffer)
      if (bytesRead !== undefined) return bytesRead
      await this.#waitForResult(signal)
    }
    if (this.#aheadStart < this.#aheadEnd) return this.#takeAhead(buffer)
    if (this.#failure !== undefined) throw this.#failure
    return this.#ended ? 0 : undefined
  }

  hasDataReady(): boolean {
    if (this.#hasResult()) return true
    if (this.#closed || this.#wake !== undefined) return false
    try {
      const bytesRead = this.#readNow(this.#ahead)
      if (bytesRead === undefined) return false
      this.#aheadStart = 0
      this.#aheadEnd = bytesRead
    } catch (error) {
      this.#failure = error as Error
    }
    return true
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#socket !== undefined) this.#socket.destroy()
    else if (this.#direct) fs.closeSync(this.#fd)
    this.#wake?.()
  }

  #hasResult(): boolean {
    return this.#aheadStart < this.#aheadEnd || this.#ended || this.#failure !== undefined
  }

  #takeAhead(buffer: Uint8Array): number {
    const length = Math.min(buffer.length, this.#aheadEnd - this.#aheadStart)
    buffer.set(this.#ahead.subarray(this.#aheadStart, this.#aheadStart + length))
    this.#aheadStart += length
    return length
  }

  /** Undefined when nothing waits. 0 is the end of the input. */
  #readNow(buffer: Uint8Array): number | undefined {
    if (!this.#direct || buffer.length === 0) return undefined
    try {
      const bytesRead = fs.readSync(this.#fd, buffer, 0, Math.min(buffer.length, MAX_READ_BYTES), null)
      if (bytesRead === 0) this.#ended = true
      return bytesRead
    } catch (error) {
      if (isTryAgain(error)) return undefined
      throw error
    }
  }

  #waitForResult(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        this.#wake = undefined
        signal?.removeEventListener('abort', finish)
        // A paused socket reads nothing and does not keep the process alive.
        this.#socket?.pause()
        resolve()
      }
      this.#wake = finish
      signal?.addEventListener('abort', finish)
      this.#socket ??= this.#makeSocket()
      this.#socket.resume()
    })
  }

  #makeSocket(): net.Socket {
    const options: net.SocketConstructorOpts & net.ConnectOpts = {
      readable: true,
      writable: false,
      onread: {
        buffer: this.#ahead,
        callback: (bytesRead) => {
          this.#aheadStart = 0
          this.#aheadEnd = bytesRead
          this.#wake?.()
          return false
        },
      },
    }
    const socket = this.#terminal
      ? new (process.getBuiltinModule('node:tty').ReadStream)(this.#fd, options)
      : new (process.getBuiltinModule('node:net').Socket)({ ...options, fd: this.#fd })
    socket.on('end', () => {
      this.#ended = true
      this.#wake?.()
    })
    socket.on('error', (error) => {
      this.#failure = error
      this.#wake?.()
    })
    return socket
  }
}

/**
 * Everything that can neither be opened again nor safely be made non-blocking: a child, `cat`, owns the blocking descriptor. It reads
 * ahead, so what follows this command on the same descriptor may miss some bytes; pipes and files do not have that weakness.
 *
 * Why a socket does not simply become a net.Socket: what a Node.js parent or sshd gives is one socket for the whole command line, so
 * in `ssh host 'logq produce t; cat'` the non-blocking mode would outlive this program and break the next one.
 */
export class ChildSource implements InputSource {
  readonly #child: ChildProcess
  readonly #output: net.Socket
  #wake: (() => void) | undefined
  #rest: Uint8Array | undefined
  #ended = false
  #failure: Error | undefined
  readonly #killChild: () => void

  /** `path`: what the child opens instead of reading `fd`. */
  constructor(from: { fd: number } | { path: string }) {
    const child = 'fd' in from ? spawnCat(from.fd, 'pipe') : spawnCat('ignore', 'pipe', ['--', from.path])
    this.#child = child.process
    this.#output = child.process.stdout as net.Socket
    this.#killChild = () => void this.#child.kill('SIGKILL')
    process.once('exit', this.#killChild)
    this.#output.on('readable', () => this.#wake?.())
    // Not at the end of the output: the child may have stopped because it failed.
    void child.ended.then((failure) => {
      this.#failure = failure
      this.#ended = true
      this.#wake?.()
    })
    this.#keepAlive(false)
  }

  async read(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    for (;;) {
      this.#rest ??= (this.#output.read() as Buffer | null) ?? undefined
      if (this.#rest !== undefined) {
        const length = Math.min(buffer.length, this.#rest.length)
        buffer.set(this.#rest.subarray(0, length))
        this.#rest = length < this.#rest.length ? this.#rest.subarray(length) : undefined
        return length
      }
      if (this.#ended) {
        if (this.#failure !== undefined) throw this.#failure
        return 0
      }
      if (signal?.aborted === true || this.#output.destroyed) return undefined
      await this.#waitForChange(signal)
    }
  }

  hasDataReady(): boolean {
    return this.#rest !== undefined || this.#output.readableLength > 0 || this.#ended
  }

  close(): void {
    process.removeListener('exit', this.#killChild)
    this.#killChild()
    this.#output.destroy()
    this.#wake?.()
  }

  #waitForChange(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        this.#wake = undefined
        signal?.removeEventListener('abort', finish)
        this.#keepAlive(false)
        resolve()
      }
      this.#wake = finish
      signal?.addEventListener('abort', finish)
      this.#keepAlive(true)
    })
  }

  /** The child holds up the end of this process only while someone waits for what it reads. */
  #keepAlive(wanted: boolean): void {
    if (wanted) {
      this.#child.ref()
      this.#output.ref()
    } else {
      this.#child.unref()
      this.#output.unref()
    }
  }
}

function isTryAgain(error: unknown): boolean {
  return systemErrorCode(error) === 'EAGAIN'
}
