/**
 * The standard streams, opened at their first use by what fstat says that they are. `process.stdin`, `process.stdout` and
 * `process.stderr` are never touched: on a pipe that alone changes the mode of a description which other programs share.
 *
 * One thing cannot be told: Node.js replaces a closed descriptor 0, 1 or 2 (`>&-`) by /dev/null before any program code runs.
 */
import fs from 'node:fs'
import { systemErrorCode } from '../errors.js'
import { descriptorKind, isTerminal, reopenNonBlocking } from './descriptor-kind.js'
import { ChildSource, FileSource, type InputSource, PolledSource } from './input-sources.js'
import { LoopTurn } from './loop-turn.js'
import { BrokenSink, ChildSink, FileSink, type OutputSink, PlainSink, PolledSink, SOCKET_DIRECT_BYTES } from './output-sinks.js'
import type { InputStream, OutputStream, StandardStreams } from './streams.js'

export function openStandardStreams(): StandardStreams {
  return {
    stdin: openInput(0, 'stdin'),
    stdout: openOutput(1),
    stderr: openOutput(2),
  }
}

/** An input on a descriptor that others may share; `close` leaves the descriptor open. */
export function openInput(fd: number, name: string): InputStream {
  return new LazyInput(
    name,
    () => isTerminal(fd),
    () => openSource(fd),
  )
}

/** An output on a descriptor that others may share; `close` leaves the descriptor open. */
export function openOutput(fd: number): OutputStream {
  return new SerialOutput(fd)
}

/**
 * An input on a path that a user named: a file, a FIFO, /dev/fd/63 of a process substitution, a terminal. Throws the system error
 * of the open, at once.
 */
export function openInputFile(path: string): InputStream {
  // stat follows the links of /dev/fd, which is wanted here. Opening a FIFO waits for its writer: the child does that.
  if (fs.statSync(path).isFIFO() && !/^\/(dev\/(fd\/|stdin$)|proc\/[^/]+\/fd\/)/.test(path)) {
    return new LazyInput(
      path,
      () => false,
      () => new ChildSource({ path }),
    )
  }
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY)
  const kind = descriptorKind(fd)
  const source =
    kind === 'pipe' || kind === 'terminal'
      ? new PolledSource(fd, { direct: true, terminal: kind === 'terminal' })
      : new FileSource(fd, true)
  return new LazyInput(
    path,
    () => kind === 'terminal',
    () => source,
    { source, size: () => (kind === 'file' ? fs.fstatSync(fd).size : undefined) },
  )
}

function openSource(fd: number): InputSource {
  const kind = descriptorKind(fd)
  if (kind === 'file' || kind === 'memory-device') return new FileSource(fd, false)
  if (kind === 'other') return new ChildSource({ fd })
  const terminal = kind === 'terminal'
  const own = reopenNonBlocking(fd, 'read')
  if (own !== undefined) return new PolledSource(own, { direct: true, terminal })
  // libuv opens a terminal again by its name, or else polls before each blocking read.
  return terminal ? new PolledSource(fd, { direct: false, terminal }) : new ChildSource({ fd })
}

function openSink(fd: number): OutputSink {
  const kind = descriptorKind(fd)
  if (kind === 'file') return new FileSink(fd)
  if (kind === 'memory-device') return new PlainSink(fd)
  if (kind === 'pipe' || kind === 'terminal') {
    const terminal = kind === 'terminal'
    try {
      const own = reopenNonBlocking(fd, 'write')
      if (own !== undefined) return new PolledSink(own, { direct: true, terminal })
    } catch (error) {
      if (systemErrorCode(error) === 'ENXIO') return new BrokenSink()
      throw error
    }
    if (terminal) return new PolledSink(fd, { direct: false, terminal })
  }
  // For the few lines that go to stderr a child would cost more than it saves: like every program's, they wait for their reader.
  if (fd === 2) return new PlainSink(fd)
  return new ChildSink(fd, kind === 'other' ? SOCKET_DIRECT_BYTES : 0)
}

class LazyInput implements InputStream {
  readonly name: string
  readonly #askTerminal: () => boolean
  readonly #open: () => InputSource
  readonly #size: () => number | undefined
  #source: InputSource | undefined
  #closed = false

  constructor(
    name: string,
    askTerminal: () => boolean,
    open: () => InputSource,
    opened: { readonly source?: InputSource; readonly size?: () => number | undefined } = {},
  ) {
    this.name = name
    this.#source = opened.source
    this.#size = opened.size ?? (() => undefined)
    this.#askTerminal = askTerminal
    this.#open = open
  }

  get isTerminal(): boolean {
    return this.#askTerminal()
  }

  async read(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    if (this.#closed) return undefined
    this.#source ??= this.#open()
    return this.#source.read(buffer, signal)
  }

  hasDataReady(): boolean {
    if (this.#closed) return false
    this.#source ??= this.#open()
    return this.#source.hasDataReady()
  }

  sizeBytes(): number | undefined {
    return this.#closed ? undefined : this.#size()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#source?.close()
  }
}

/** Puts the writes of several callers in order. A write that the system takes at once is done when `write` returns. */
class SerialOutput implements OutputStream {
  readonly #fd: number
  readonly #turn = new LoopTurn()
  #sink: OutputSink | undefined
  #waiting = 0
  #last: Promise<void> = Promise.resolve()
  #acceptedBytes = 0

  constructor(fd: number) {
    this.#fd = fd
  }

  get isTerminal(): boolean {
    return isTerminal(this.#fd)
  }

  get columns(): number | undefined {
    return this.isTerminal ? terminalColumns(this.#fd) : undefined
  }

  get acceptedBytes(): number {
    return this.#acceptedBytes
  }

  // Up to its first `await` an async function runs when it is called: what the system takes at once is out when this returns.
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#waiting > 0) return this.#queue(() => this.#writeAll(bytes))
    this.#sink ??= openSink(this.#fd)
    const accepted = bytes.length === 0 ? 0 : this.#sink.writeNow(bytes)
    this.#acceptedBytes += accepted
    if (accepted < bytes.length) return this.#queue(() => this.#writeAll(bytes.subarray(accepted)))
    return this.#turn.giveWay()
  }

  async close(): Promise<void> {
    await this.#queue(async () => {
      await this.#sink?.close()
    })
  }

  #queue(task: () => Promise<void>): Promise<void> {
    this.#waiting += 1
    const result = this.#last.then(task)
    const done = () => {
      this.#waiting -= 1
    }
    this.#last = result.then(done, done)
    return result
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    this.#sink ??= openSink(this.#fd)
    let accepted = 0
    while (accepted < bytes.length) {
      const count = await this.#sink.writeSome(accepted === 0 ? bytes : bytes.subarray(accepted))
      accepted += count
      this.#acceptedBytes += count
    }
  }
}

function terminalColumns(fd: number): number | undefined {
  // The stream makes its descriptor blocking: a new description keeps that away from everybody else.
  const own = reopenNonBlocking(fd, 'write')
  if (own === undefined) return undefined
  const stream = new (process.getBuiltinModule('node:tty').WriteStream)(own)
  const { columns } = stream
  stream.destroy()
  return columns > 0 ? columns : undefined
}
