/** Leases of one process in memory: refreshed as the fake clock goes, until the process is stopped or killed. */
import { LogqError } from '../../lib/errors.js'
import { type Lease, type LeaseOptions, type Leases, SHORTEST_STALE_MS } from '../../lib/system/lease.js'
import type { Clock } from '../../lib/system/system.js'
import type { MemoryProcess } from './memory-file-system.js'

/** As `FakeClock` is. */
interface BeatingClock extends Clock {
  beat(intervalMs: number, onBeat: () => void): () => void
}

interface Held extends LeaseOptions {
  readonly path: string
  /** As this lease set it last: another time means another holder. */
  modifiedMs: number | undefined
  readonly stopBeat: () => void
}

export class FakeLeases implements Leases {
  readonly #fs: MemoryProcess
  readonly #clock: BeatingClock
  readonly #held = new Map<string, Held>()
  #stopped = false

  constructor(fs: MemoryProcess, clock: BeatingClock) {
    this.#fs = fs
    this.#clock = clock
  }

  async hold(path: string, options: LeaseOptions): Promise<Lease> {
    const { staleMs } = options
    if (staleMs < SHORTEST_STALE_MS) throw new LogqError('LOGQ_USAGE', `a lease of ${staleMs} ms is too short`)
    const there = this.#fs.pathStatus(path)
    if (there !== undefined) {
      if (there.modifiedMs >= this.#clock.nowMs() - staleMs) {
        throw new LogqError('LOGQ_BUSY', `'${path}' is held by another process`)
      }
      this.#fs.removeDirectory(path)
    }
    this.#fs.makeDirectory(path, 0o700)
    const stopBeat = this.#clock.beat(staleMs / 4, () => {
      this.#refresh(held)
    })
    const held: Held = { ...options, path, modifiedMs: this.#fs.pathStatus(path)?.modifiedMs, stopBeat }
    this.#held.set(path, held)
    return {
      release: async () => {
        if (this.#held.get(path) !== held) return
        this.#forget(held)
        try {
          if (this.#isOurs(held)) this.#fs.removeDirectory(path)
        } catch {
          // It stays and grows old.
        }
      },
    }
  }

  /** As SIGSTOP: nothing is refreshed any more. The rest of the process is for the test to leave alone. */
  stop(): void {
    this.#stopped = true
  }

  /** As SIGCONT: what is still there is refreshed at once, the rest is lost. */
  cont(): void {
    this.#stopped = false
    for (const held of [...this.#held.values()]) this.#refresh(held)
  }

  /** The lease at `path` is lost for another reason than what is on disk. */
  lose(path: string, reason: string): void {
    const held = this.#held.get(path)
    if (held === undefined) throw new Error(`no lease is held at '${path}'`)
    this.#forget(held)
    held.onLost(reason)
  }

  get held(): string[] {
    return [...this.#held.keys()]
  }

  #refresh(held: Held): void {
    if (this.#stopped) return
    let isOurs: boolean
    try {
      isOurs = this.#isOurs(held)
    } catch {
      // The process was killed, or the power was cut.
      this.#forget(held)
      return
    }
    if (!isOurs) {
      this.#forget(held)
      held.onLost(`'${held.path}' was taken over or removed`)
      return
    }
    this.#fs.touch(held.path)
    held.modifiedMs = this.#clock.nowMs()
  }

  #isOurs({ path, modifiedMs }: Held): boolean {
    return modifiedMs !== undefined && this.#fs.pathStatus(path)?.modifiedMs === modifiedMs
  }

  #forget(held: Held): void {
    held.stopBeat()
    this.#held.delete(held.path)
  }
}
