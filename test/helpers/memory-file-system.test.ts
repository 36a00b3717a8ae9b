import test from 'ava'
import fc from 'fast-check'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { systemErrorCode } from '../../lib/errors.js'
import type { FileSystem, OpenMode } from '../../lib/system/file-system.js'
import { MemoryDisk } from './memory-disk.js'
import { openProcess } from './memory-file-system.js'
import { createNodeFileSystem } from '../../lib/system/node-file-system.js'

type Operation =
  | { do: 'open'; path: string; mode: OpenMode; permissions: number; slot: number }
  | { do: 'close' | 'fileStatus' | 'fdatasyncBlocking'; slot: number }
  | { do: 'read' | 'write'; slot: number; start: number; length: number; position: number }
  | { do: 'truncate'; slot: number; sizeBytes: number }
  | { do: 'changeMode'; slot: number; permissions: number }
  | {
      do: 'pathStatus' | 'list' | 'removeDirectory' | 'unlink' | 'syncDirectory' | 'fileSystemType' | 'freeBytes' | 'totalBytes'
      path: string
    }
  | { do: 'makeDirectory'; path: string; permissions: number }
  | { do: 'rename' | 'link'; path: string; to: string }

const SLOTS = 4
const longName = 'n'.repeat(256)

const path = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'e', 'e/a', 'd/e/f') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      './/d/./a',
      'd/../a',
      longName,
      `d/${longName}`,
      `${longName}/a`,
      'n'.repeat(255),
      'é'.repeat(128),
    ),
  },
)
const slot = fc.nat(SLOTS - 1)
const permissions = fc.constantFrom(0o600, 0o644, 0o755, 0o700)
const position = fc.oneof(fc.nat(30), fc.constantFrom(4090, 4096, 8191, 20_000))

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      path,
      mode: fc.constantFrom<OpenMode>('read', 'read-write', 'create', 'create-new'),
      permissions,
      slot,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('close' as const, 'fileStatus' as const, 'fdatasyncBlocking' as const), slot }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('read' as const, 'write' as const),
      slot,
      start: fc.nat(20),
      length: fc.constantFrom(1, 10, 5000, 9000),
      position,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('truncate' as const), slot, sizeBytes: position }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('changeMode' as const), slot, permissions }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'pathStatus' as const,
        'list' as const,
        'removeDirectory' as const,
        'unlink' as const,
        'syncDirectory' as const,
        'fileSystemType' as const,
        'freeBytes' as const,
        'totalBytes' as const,
      ),
      path,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('makeDirectory' as const), path, permissions }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('rename' as const), path, to: path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('link' as const), path, to: path }) },
)

test('every operation gives what the real file system gives: values, sizes, modes and error codes', (t) => {
  const parent = fs.mkdtempSync(join(os.tmpdir(), 'logq-model-'))
  t.teardown(() => fs.rmSync(parent, { recursive: true, force: true }))
  const umask = 0o777 & ~fs.statSync(fs.mkdirSync(join(parent, 'a/b'), { recursive: true }) ?? parent).mode
  let run = 0
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 60 }), (operations) => {
      run += 1
      const root = join(parent, String(run))
      fs.mkdirSync(root)
      const real = new Subject(createNodeFileSystem(), root)
      const disk = new MemoryDisk({ umask })
      const process1 = openProcess(disk)
      process1.makeDirectory('/root')
      const memory = new Subject(process1, '/root')
      try {
        for (const [index, each] of operations.entries()) {
          const expected = real.run(each)
          const actual = memory.run(each)
          if (JSON.stringify(actual) !== JSON.stringify(expected)) {
            throw new Error(
              `step ${index}, ${JSON.stringify(each)}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`,
            )
          }
        }
      } finally {
        real.closeAll()
        memory.closeAll()
        fs.rmSync(root, { recursive: true, force: true })
      }
    }),
    { numRuns: 400 },
  )
  t.pass()
})

class Subject {
  readonly #fs: FileSystem
  readonly #root: string
  readonly #slots: (number | undefined)[] = []

  constructor(fileSystem: FileSystem, root: string) {
    this.#fs = fileSystem
    this.#root = root
  }

  run(operation: Operation): unknown {
    try {
      return { value: this.#act(operation) ?? 'done' }
    } catch (error) {
      return { code: systemErrorCode(error) ?? String(error) }
    }
  }

  closeAll(): void {
    for (const fd of this.#slots) if (fd !== undefined) this.#fs.close(fd)
  }

  #act(operation: Operation): unknown {
    // Not join(), which would resolve what is to be tested.
    const path = 'path' in operation ? `${this.#root}/${operation.path}` : ''
    // A descriptor that was never opened in either.
    const fd = 'slot' in operation ? (this.#slots[operation.slot] ?? 9999) : -1
    switch (operation.do) {
      case 'open':
        if (fd !== 9999) return 'busy'
        this.#slots[operation.slot] = this.#fs.open(path, operation.mode, operation.permissions)
        break
      case 'close':
        // In a worker Node.js prints a warning for each of these.
        if (fd === 9999) return 'nothing to close'
        this.#fs.close(fd)
        this.#slots[operation.slot] = undefined
        break
      case 'fileStatus': {
        const { kind, sizeBytes, mode, links } = this.#fs.fileStatus(fd)
        return { kind, sizeBytes, mode, links }
      }
      case 'fdatasyncBlocking':
        this.#fs.fdatasyncBlocking(fd)
        break
      case 'read': {
        const buffer = new Uint8Array(operation.start + operation.length)
        const count = this.#fs.read(fd, buffer, operation.start, operation.length, operation.position)
        return [count, Buffer.from(buffer).toString('latin1')]
      }
      case 'write': {
        const buffer = Uint8Array.from(
          { length: operation.start + operation.length },
          (_, index) => 33 + ((index + operation.position) % 90),
        )
        return this.#fs.write(fd, buffer, operation.start, operation.length, operation.position)
      }
      case 'truncate':
        this.#fs.truncate(fd, operation.sizeBytes)
        break
      case 'changeMode':
        this.#fs.changeMode(fd, operation.permissions)
        break
      case 'pathStatus': {
        const status = this.#fs.pathStatus(path)
        return status === undefined ? 'none' : [status.kind, status.kind === 'file' ? status.sizeBytes : 0, status.mode]
      }
      case 'list':
        return this.#fs.list(path)
      case 'removeDirectory':
        this.#fs.removeDirectory(path)
        break
      case 'unlink':
        this.#fs.unlink(path)
        break
      case 'syncDirectory':
        this.#fs.syncDirectory(path)
        break
      case 'fileSystemType':
        return typeof this.#fs.fileSystemType(path)
      case 'freeBytes':
        return typeof this.#fs.freeBytes(path)
      case 'totalBytes':
        return typeof this.#fs.totalBytes(path)
      case 'makeDirectory':
        this.#fs.makeDirectory(path, operation.permissions)
        break
      case 'rename':
        this.#fs.rename(path, `${this.#root}/${operation.to}`)
        break
      case 'link':
        this.#fs.link(path, `${this.#root}/${operation.to}`)
        break
    }
    return undefined
  }
}
