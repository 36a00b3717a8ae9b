/** A world for commands that run inside the test: streams in memory, everything else real. */
import type { World } from '../../cli/command-io.js'
import { createNodeSystem } from '../../lib/system/node-system.js'
import type { InputStream, OutputStream } from '../../lib/system/streams.js'

export class MemoryOutput implements OutputStream {
  readonly chunks: Uint8Array[] = []
  acceptedBytes = 0
  readonly isTerminal: boolean
  readonly columns: number | undefined
  /** Awaited before each write is accepted; throws what the write shall fail with. */
  beforeWrite: (bytes: Uint8Array) => Promise<void> | void = () => undefined

  constructor(isTerminal = false) {
    this.isTerminal = isTerminal
    this.columns = isTerminal ? 80 : undefined
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.beforeWrite(bytes)
    this.chunks.push(bytes.slice())
    this.acceptedBytes += bytes.length
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  text(): string {
    return this.bytes().toString('utf8')
  }
}

export class MemoryInput implements InputStream {
  readonly isTerminal: boolean
  readonly name = 'stdin'
  private left: Uint8Array

  constructor(content: Uint8Array | string = '', isTerminal = false) {
    this.left = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
    this.isTerminal = isTerminal
  }

  read(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    if (signal?.aborted === true) return Promise.resolve(undefined)
    const part = this.left.subarray(0, buffer.length)
    buffer.set(part)
    this.left = this.left.subarray(part.length)
    return Promise.resolve(part.length)
  }

  hasDataReady(): boolean {
    return true
  }

  close(): void {
    this.left = new Uint8Array(0)
  }
}

export interface FakeWorldOptions {
  readonly stdin?: Uint8Array | string
  /** Which streams are terminals. */
  readonly terminals?: readonly ('stdin' | 'stdout' | 'stderr')[]
  readonly env?: Readonly<Record<string, string>>
}

export interface FakeWorld extends World {
  readonly streams: { readonly stdin: MemoryInput; readonly stdout: MemoryOutput; readonly stderr: MemoryOutput }
  /** What INT, TERM and HUP do first. */
  abort(): void
}

export function fakeWorld({ stdin, terminals = [], env = {} }: FakeWorldOptions = {}): FakeWorld {
  const controller = new AbortController()
  return {
    system: createNodeSystem({}),
    streams: {
      stdin: new MemoryInput(stdin, terminals.includes('stdin')),
      stdout: new MemoryOutput(terminals.includes('stdout')),
      stderr: new MemoryOutput(terminals.includes('stderr')),
    },
    env,
    cwd: '/',
    signal: controller.signal,
    openInputFile: (path) => {
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), {
        code: 'ENOENT',
        syscall: 'open',
        path,
      })
    },
    abort: () => {
      controller.abort()
    },
  }
}

/** A system error as Node.js makes them. */
export function systemError(code: string, reason: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${reason}, ${syscall}`), { code, syscall })
}
