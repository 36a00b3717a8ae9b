/**
 * A world in which nothing happens by itself: disk, locks and clock are in memory, random numbers come from a seed. The same seed
 * gives the same run on every machine. Several systems made with the same `disk` and `clock` are processes side by side.
 */
import { FakeLeases } from './fake-leases.js'
import { FaultyFileSystem } from './faulty-file-system.js'
import { MemoryDisk } from './memory-disk.js'
import { type MemoryProcess, openProcess } from './memory-file-system.js'
import { createSeededRandom } from './seeded-random.js'
import type { ChangeHints, Clock, ProcessIdentity, Random, System } from '../../lib/system/system.js'

export interface FakeSystemOptions {
  readonly seed?: number
  readonly disk?: MemoryDisk
  readonly clock?: FakeClock
  readonly pid?: number
  /** 16 bytes: a power cut gives the next process another one. */
  readonly bootId?: Uint8Array
}

export interface FakeSystem extends System {
  /** The same as `process`, with faults, crashes and a list of what was called. */
  readonly fs: FaultyFileSystem
  readonly clock: FakeClock
  readonly hints: FakeHints
  readonly leases: FakeLeases
  readonly disk: MemoryDisk
  readonly process: MemoryProcess
  /** What happens at a failpoint, by name; one that throws fails there. Names that were passed are in `passedFailpoints`. */
  readonly failpoints: Map<string, () => void>
  readonly passedFailpoints: string[]
}

export function createFakeSystem(options: FakeSystemOptions = {}): FakeSystem {
  const seed = options.seed ?? 1
  const clock = options.clock ?? new FakeClock()
  const disk = options.disk ?? new MemoryDisk({ nowMs: () => clock.nowMs() })
  const process = openProcess(disk)
  const fs = new FaultyFileSystem(process, { onSyncFailure: (fd) => process.failSync(fd) })
  const random: Random = createSeededRandom(seed)
  const self: ProcessIdentity = {
    pid: options.pid ?? 1000,
    startTicks: (options.pid ?? 1000) * 10,
    bootId: options.bootId ?? Uint8Array.from({ length: 16 }, (_, index) => index + 1),
    hostName: 'localhost',
    userId: 0,
    groupId: 0,
  }
  const failpoints = new Map<string, () => void>()
  const passedFailpoints: string[] = []
  return {
    fs,
    locks: process,
    leases: new FakeLeases(process, clock),
    clock,
    random,
    hints: new FakeHints(),
    self,
    processes: { lockTable: () => undefined, find: () => undefined },
    failpoint: (name) => {
      passedFailpoints.push(name)
      failpoints.get(name)?.()
    },
    disk,
    process,
    failpoints,
    passedFailpoints,
  }
}

/** 2026-01-01T00:00:00Z. */
export const FAKE_START_MS = 1_767_225_600_000

interface Beat {
  readonly intervalMs: number
  readonly onBeat: () => void
  dueMs: number
}

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/**
 * A clock that stands still until it is advanced, or, with `advancesByItself` (the default), until everybody sleeps: then it jumps to
 * the first one's time. Work that waits for the real world, such as a child or a real file, counts as sleeping.
 */
export class FakeClock implements Clock {
  advancesByItself: boolean
  #nowMs: number
  #elapsedMs = 0
  #sleepers: Sleeper[] = []
  readonly #beats = new Set<Beat>()
  #jumping = false

  constructor(options: { startMs?: number; advancesByItself?: boolean } = {}) {
    this.#nowMs = options.startMs ?? FAKE_START_MS
    this.advancesByItself = options.advancesByItself ?? true
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  /** Someone sets the wall clock, forwards or backwards; the monotonic one and sleepers do not notice. */
  setWallClock(nowMs: number): void {
    this.#nowMs = nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        dueMs: this.#elapsedMs + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener('abort', sleeper.wake)
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
          resolve()
        },
      }
      signal?.addEventListener('abort', sleeper.wake)
      this.#sleepers.push(sleeper)
      if (this.advancesByItself) this.#jumpWhenIdle()
    })
  }

  /** Lets time pass: wakes who is due, in order, and lets each go on as far as it gets before the next. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms
    for (let first = this.#firstDue(); first !== undefined && first.dueMs <= endMs; first = this.#firstDue()) {
      this.#moveTo(first.dueMs)
      first.wake()
      await turn()
    }
    this.#moveTo(endMs)
    await turn()
  }

  get sleepers(): number {
    return this.#sleepers.length
  }

  /**
   * Calls `onBeat` when time has passed, at most once in `intervalMs`, until the returned function is called. It never makes time pass:
   * for what goes on beside the work that is tested.
   */
  beat(intervalMs: number, onBeat: () => void): () => void {
    const beat = { intervalMs, onBeat, dueMs: this.#elapsedMs + intervalMs }
    this.#beats.add(beat)
    return () => {
      this.#beats.delete(beat)
    }
  }

  #jumpWhenIdle(): void {
    if (this.#jumping) return
    this.#jumping = true
    void turn().then(() => {
      this.#jumping = false
      const first = this.#firstDue()
      if (first === undefined || !this.advancesByItself) return
      this.#moveTo(first.dueMs)
      first.wake()
      if (this.#sleepers.length > 0) this.#jumpWhenIdle()
    })
  }

  #firstDue(): Sleeper | undefined {
    let first: Sleeper | undefined
    for (const sleeper of this.#sleepers) if (first === undefined || sleeper.dueMs < first.dueMs) first = sleeper
    return first
  }

  #moveTo(elapsedMs: number): void {
    this.#nowMs += Math.max(0, elapsedMs - this.#elapsedMs)
    this.#elapsedMs = Math.max(elapsedMs, this.#elapsedMs)
    for (const beat of [...this.#beats]) {
      if (beat.dueMs > this.#elapsedMs) continue
      beat.dueMs = this.#elapsedMs + beat.intervalMs
      beat.onBeat()
    }
  }
}

/** Hints that come only when a test gives them. */
export class FakeHints implements ChangeHints {
  readonly #watchers = new Map<symbol, { directory: string; onHint: () => void }>()

  watch(directory: string, onHint: () => void): () => void {
    const key = Symbol(directory)
    this.#watchers.set(key, { directory, onHint })
    return () => {
      this.#watchers.delete(key)
    }
  }

  /** Tells those who watch `directory`. */
  give(directory: string): void {
    for (const watcher of this.#watchers.values()) if (watcher.directory === directory) watcher.onHint()
  }

  get watched(): string[] {
    return [...this.#watchers.values()].map(({ directory }) => directory)
  }
}

/** Until every promise that can go on by itself has gone on. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
