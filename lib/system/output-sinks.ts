/**
 * Ways to write a descriptor without ever blocking the process: one class for each kind of thing behind it. `SerialOutput`
 * (standard-streams.ts) puts the writes of several callers in order and counts what was accepted.
 */
import fs from 'node:fs'
import type net from 'node:net'
import { systemErrorCode } from '../errors.js'
import { type CatChild, spawnCat } from './cat-child.js'
import { systemError } from './system-error.js'

export interface OutputSink {
  /** Bytes accepted without waiting, from the start of `bytes`. */
  writeNow(bytes: Uint8Array): number
  /** Waits until at least one byte, and at most all, were accepted; returns how many. */
  writeSome(bytes: Uint8Array): Promise<number>
  /** Resolves when whatever stands between this process and the descriptor has passed everything on. */
  close(): Promise<void>
}

// Lines for people and small results: one page costs less in place than on the thread pool, and is out before process.exit.
const SMALL_WRITE_BYTES = 4096

/** Files. The position stays with the open file description, so that `>>` appends and `(a; b) > file` follow each other. */
export class FileSink implements OutputSink {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  writeNow(bytes: Uint8Array): number {
    return bytes.length <= SMALL_WRITE_BYTES ? fs.writeSync(this.#fd, bytes, 0, bytes.length, null) : 0
  }

  // One call to the system for the whole of `bytes`: processes that share a file opened for appending do not mix within it.
  writeSome(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#fd, bytes, 0, bytes.length, null, (error, bytesWritten) => {
        if (error) reject(error)
        else resolve(bytesWritten)
      })
    })
  }

  async close(): Promise<void> {}
}

/** Memory devices, which never wait; and stderr where nothing better is to be had (see `openSink`). */
export class PlainSink implements OutputSink {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  // No room: someone who shares the description made it non-blocking.
  writeNow(bytes: Uint8Array): number {
    return writeUnlessFull(this.#fd, bytes)
  }

  async writeSome(bytes: Uint8Array): Promise<number> {
    for (;;) {
      const accepted = this.writeNow(bytes)
      if (accepted > 0) return accepted
      await new Promise<void>((resolve) => {
        setTimeout(resolve, 10)
      })
    }
  }

  async close(): Promise<void> {}
}

// The event loop passes on this much by itself before the count of accepted bytes moves.
const POLLED_WRITE_BYTES = 256 * 1024

/** Pipes and terminals. `direct`: the descriptor is this program's own and non-blocking. */
export class PolledSink implements OutputSink {
  readonly #fd: number
  readonly #direct: boolean
  readonly #terminal: boolean
  #socket: net.Socket | undefined
  #failure: Error | undefined
  #closed = false

  constructor(fd: number, options: { direct: boolean; terminal: boolean }) {
    this.#fd = fd
    this.#direct = options.direct
    this.#terminal = options.terminal
  }

  writeNow(bytes: Uint8Array): number {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closed) throw systemError('EBADF', 'write')
    return this.#direct ? writeUnlessFull(this.#fd, bytes) : 0
  }

  writeSome(bytes: Uint8Array): Promise<number> {
    const part = bytes.length > POLLED_WRITE_BYTES ? bytes.subarray(0, POLLED_WRITE_BYTES) : bytes
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#socket ??= this.#makeSocket()
      this.#socket.write(part, (error) => {
        if (error) reject(error)
        else resolve(part.length)
      })
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#socket !== undefined) this.#socket.destroy()
    else if (this.#direct) fs.closeSync(this.#fd)
  }

  #makeSocket(): net.Socket {
    // A tty.WriteStream would make its descriptor blocking: a terminal stopped with Ctrl-S would stop this process. A ReadStream is
    // a socket on the same kind of handle, and nobody starts its reading side.
    const socket = this.#terminal
      ? new (process.getBuiltinModule('node:tty').ReadStream)(this.#fd)
      : new (process.getBuiltinModule('node:net').Socket)({ fd: this.#fd, readable: false, writable: true })
    socket.on('error', (error) => {
      this.#failure = error
    })
    return socket
  }
}

/** A pipe whose reader was gone before the first write. */
export class BrokenSink implements OutputSink {
  writeNow(): number {
    throw systemError('EPIPE', 'write')
  }

  async writeSome(): Promise<number> {
    throw systemError('EPIPE', 'write')
  }

  async close(): Promise<void> {}
}

/**
 * What can neither be opened again nor safely be made non-blocking: a child, `cat`, owns the blocking descriptor (ChildSource says
 * why a socket is no exception). Accepted then means accepted by the pipe to that child. `close` waits for the child, so that the
 * next command's output comes after this one's.
 *
 * The child takes 10 ms to start. The first `directBytes` are therefore written the way every other program writes: a socket has
 * room for 50 times as many, so that only a reader who left all that unread could hold this process up.
 */
export class ChildSink implements OutputSink {
  readonly #fd: number
  #directBytes: number
  #writer: ChildWriter | undefined

  constructor(fd: number, directBytes: number) {
    this.#fd = fd
    this.#directBytes = directBytes
  }

  writeNow(bytes: Uint8Array): number {
    if (this.#writer !== undefined || bytes.length > this.#directBytes) return 0
    const accepted = writeUnlessFull(this.#fd, bytes)
    this.#directBytes -= accepted
    return accepted
  }

  writeSome(bytes: Uint8Array): Promise<number> {
    this.#writer ??= new ChildWriter(this.#fd)
    return this.#writer.write(bytes)
  }

  async close(): Promise<void> {
    await this.#writer?.close()
  }
}

/** What a socket takes in place: enough for the answer of most commands that give one. */
export const SOCKET_DIRECT_BYTES = SMALL_WRITE_BYTES

class ChildWriter {
  readonly #child: CatChild
  readonly #input: net.Socket

  constructor(fd: number) {
    this.#child = spawnCat('pipe', fd)
    this.#input = this.#child.process.stdin as net.Socket
    // Every failure is told by the end of the child.
    this.#input.on('error', () => undefined)
    // Written bytes must get through before this process ends, but an idle child must not keep it from ending.
    this.#child.process.unref()
    this.#input.unref()
  }

  write(bytes: Uint8Array): Promise<number> {
    this.#input.ref()
    return new Promise((resolve, reject) => {
      this.#input.write(bytes, (error) => {
        if (!error) {
          this.#input.unref()
          resolve(bytes.length)
          return
        }
        this.#child.process.ref()
        void this.#child.ended.then((failure) => reject(failure ?? systemError('EPIPE', 'write')))
      })
    })
  }

  async close(): Promise<void> {
    this.#child.process.ref()
    this.#input.end()
    const failure = await this.#child.ended
    if (failure !== undefined) throw failure
  }
}

/** 0 where a non-blocking description has no room. */
function writeUnlessFull(fd: number, bytes: Uint8Array): number {
  try {
    return fs.writeSync(fd, bytes, 0, bytes.length, null)
  } catch (error) {
    if (systemErrorCode(error) === 'EAGAIN') return 0
    throw error
  }
}
