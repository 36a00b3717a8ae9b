/** What clients and nemeses have to do with: the store, the history, the topics, and the processes that run. */
import { setMaxListeners } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Dice } from './dice.js'
import { diceOf } from './dice.js'
import type { History } from './history.js'
import { startProcess, type LogqProcess } from './logq-process.js'
import type { Plan } from './plan.js'

/** Processes that do not end by themselves are killed after this: then something hangs. */
const LIMIT_MS = 180_000
/** Two cores: starting one program takes 0.1 s of one. */
const START_GAP_MS = 100

export interface Setting {
  readonly plan: Plan
  readonly history: History
  /** Of the run; the store is below it. */
  readonly directory: string
  readonly store: string
  /** The bundle, or its stub. */
  readonly program: string
  /** Shell commands in front of each run of the program (doubles.ts). */
  readonly prelude: string
  /** Where a tmpfs of its own holds the store, in a mount namespace of this run; undefined on an ordinary disk. */
  readonly smallDisk: string | undefined
  /** In a user namespace of its own, where the limits of inotify hold for this run alone. */
  readonly isAlone: boolean
}

export interface StartOptions {
  readonly stdin?: 'open'
  readonly env?: Readonly<Record<string, string>>
  readonly onLines?: (lines: readonly string[]) => void
  /** Nemeses leave it alone: it is part of the driver. */
  readonly isUndisturbed?: boolean
  /** It runs as long as there is something to follow. */
  readonly isEndless?: boolean
}

/** What a nemesis adds to the environment of processes that are started while it acts. */
export type Influence = (dice: Dice, name: string, args: readonly string[]) => Readonly<Record<string, string>>

export class World {
  readonly running = new Set<LogqProcess>()
  /** Those of them that nemeses may meet. */
  readonly prey = new Set<LogqProcess>()
  /** Those of the running ones that end only when they are told to. */
  readonly endless = new Set<LogqProcess>()
  readonly influences = new Set<Influence>()
  /** When it aborts, clients begin nothing new and end what they have begun. */
  readonly stop = new AbortController()
  readonly #counts = new Map<string, number>()
  #nextStartMs = 0

  constructor(readonly setting: Setting) {
    // Every client waits for it.
    setMaxListeners(0, this.stop.signal)
  }

  get history(): History {
    return this.setting.history
  }

  get store(): string {
    return this.setting.store
  }

  get isStopping(): boolean {
    return this.stop.signal.aborted
  }

  dice(name: string): Dice {
    return diceOf(this.setting.plan.seed, name)
  }

  /** Waits; when clients are to stop, no longer than that. */
  async sleep(ms: number): Promise<void> {
    const { signal } = this.stop
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
    })
  }

  /** A name that no other process of this run has: `producer1.17`. */
  nameFor(actor: string): string {
    const count = (this.#counts.get(actor) ?? 0) + 1
    this.#counts.set(actor, count)
    return `${actor}.${count}`
  }

  /** Starts the program under a name of `nameFor`. Its start and end are in the history. */
  async start(name: string, args: readonly string[], dice: Dice, options: StartOptions = {}): Promise<LogqProcess> {
    await this.#turn()
    const { directory, program, prelude, store } = this.setting
    const env: Record<string, string> = {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: directory,
      LOGQ_STORE: store,
      TMPDIR: directory,
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      ...options.env,
    }
    if (options.isUndisturbed !== true) for (const influence of this.influences) Object.assign(env, influence(dice, name, args))
    const command = args.join(' ')
    const { stdin, onLines } = options
    const started = startProcess(name, args, {
      env,
      directory,
      program,
      prelude,
      onLines,
      ...(stdin === undefined ? {} : { stdin }),
    })
    this.running.add(started)
    if (options.isUndisturbed !== true) this.prey.add(started)
    this.history.add({ process: name, operation: 'process', type: 'invoke', command, pid: started.pid })
    let isOverdue = false
    const timer = setTimeout(() => {
      isOverdue = true
      started.signal('SIGKILL')
    }, LIMIT_MS)
    if (options.isEndless === true) {
      clearTimeout(timer)
      this.endless.add(started)
    }
    void started.ended.then(({ status, signal, stderr }) => {
      clearTimeout(timer)
      this.running.delete(started)
      this.prey.delete(started)
      this.endless.delete(started)
      const type = isOverdue ? 'fail' : signal === null ? 'ok' : 'info'
      this.history.add({ process: name, operation: 'process', type, command, status, signal, stderr })
    })
    return started
  }

  /** Id of the topic now, or undefined when there is none. */
  topicId(topic: string): string | undefined {
    return this.#topicFile(topic)?.topicId
  }

  /** Numbers of the partitions that the topic has now. */
  partitionsOf(topic: string): number[] {
    return Array.from({ length: this.#topicFile(topic)?.partitions ?? 0 }, (_, partition) => partition)
  }

  #topicFile(topic: string): { readonly topicId: string; readonly partitions: number } | undefined {
    try {
      return JSON.parse(readFileSync(join(this.store, 'topics', `${topic}.json`), 'utf8')) as {
        topicId: string
        partitions: number
      }
    } catch {
      return undefined
    }
  }

  async #turn(): Promise<void> {
    const nowMs = performance.now()
    const startMs = Math.max(nowMs, this.#nextStartMs)
    this.#nextStartMs = startMs + START_GAP_MS
    await new Promise((resolve) => setTimeout(resolve, startMs - nowMs))
  }
}

/** Names in a directory; none when it is not there. */
export function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
