/** Leases kept by one thread of this process (lease-worker.ts), which runs only while there are any. */
import type { Worker } from 'node:worker_threads'
import { LogqError } from '../errors.js'
import { type Lease, type LeaseOptions, type Leases, SHORTEST_STALE_MS } from './lease.js'
import type { LeaseReply, LeaseRequest } from './lease-worker.js'

export function createNodeLeases(): Leases {
  let keeper: LeaseKeeper | undefined
  return {
    async hold(path, options) {
      if (options.staleMs < SHORTEST_STALE_MS) {
        throw new LogqError('LOGQ_USAGE', `a lease of ${options.staleMs} ms is too short`, {
          hint: `at least ${SHORTEST_STALE_MS} ms`,
        })
      }
      const { Worker } = process.getBuiltinModule('node:worker_threads')
      if (keeper === undefined || keeper.isOver) keeper = new LeaseKeeper(Worker)
      return await keeper.hold(path, options)
    },
  }
}

interface Holding {
  readonly path: string
  readonly staleMs: number
  readonly onLost: (reason: string) => void
  /** Waits for the answer of the thread to `hold`. */
  taking: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined
  /** Waits for the answer to `release`. */
  letGo: (() => void) | undefined
}

/** The thread and what it holds. It ends with its last lease. */
class LeaseKeeper {
  isOver = false
  readonly #worker: Worker
  readonly #holdings = new Map<number, Holding>()
  #nextId = 1

  constructor(WorkerThread: typeof Worker) {
    // Beside this module in dist/lib and in the test build, beside the bundle in dist/.
    this.#worker = new WorkerThread(new URL('./lease-worker.js', import.meta.url), {
      // Left out, Node.js opens the standard streams of this process, and with that changes them for everyone who shares them.
      stdout: true,
      stderr: true,
      // Options of this process, such as --input-type, need not suit a file.
      execArgv: [],
    })
    this.#worker.on('message', (reply: LeaseReply) => this.#take(reply))
    this.#worker.on('error', (error) => this.#end(error.message))
    this.#worker.on('exit', (status) => this.#end(`it ended with status ${status}`))
    this.#worker.unref()
  }

  async hold(path: string, { staleMs, onLost }: LeaseOptions): Promise<Lease> {
    const id = this.#nextId++
    const holding: Holding = { path, staleMs, onLost, taking: undefined, letGo: undefined }
    this.#holdings.set(id, holding)
    await new Promise<void>((resolve, reject) => {
      holding.taking = { resolve, reject }
      this.#ask({ kind: 'hold', id, path, staleMs })
    })
    let released: Promise<void> | undefined
    return { release: () => (released ??= this.#release(id)) }
  }

  async #release(id: number): Promise<void> {
    const holding = this.#holdings.get(id)
    // Lost before.
    if (holding === undefined) return
    await new Promise<void>((resolve) => {
      holding.letGo = resolve
      this.#ask({ kind: 'release', id })
    })
  }

  #ask(request: LeaseRequest): void {
    this.#worker.postMessage(request)
    this.#stayWhileAsked()
  }

  #take(reply: LeaseReply): void {
    const holding = this.#holdings.get(reply.id)
    if (holding === undefined) return
    if (reply.kind === 'held') {
      holding.taking?.resolve()
      holding.taking = undefined
    } else {
      this.#holdings.delete(reply.id)
      if (reply.kind === 'refused') holding.taking?.reject(refusal(holding, reply))
      else leave(holding, reply.kind === 'lost' ? reply.reason : undefined)
    }
    if (this.#holdings.size === 0) this.#end('')
    else this.#stayWhileAsked()
  }

  /** The thread itself never keeps the process alive; somebody who waits for its answer does. */
  #stayWhileAsked(): void {
    const isAsked = [...this.#holdings.values()].some(({ taking, letGo }) => taking !== undefined || letGo !== undefined)
    if (isAsked) this.#worker.ref()
    else this.#worker.unref()
  }

  /** Without leases the thread is stopped; when it ended by itself, all that it held is lost. */
  #end(reason: string): void {
    if (this.isOver) return
    this.isOver = true
    this.#worker.unref()
    void this.#worker.terminate()
    for (const holding of this.#holdings.values()) {
      const message = `the thread that keeps leases failed: ${reason}`
      if (holding.taking === undefined) leave(holding, message)
      else holding.taking.reject(new LogqError('LOGQ_IO', `'${holding.path}': ${message}`))
    }
    this.#holdings.clear()
  }
}

/** Who is waiting for the release need not hear that there was nothing left to release. */
function leave({ letGo, onLost }: Holding, reason: string | undefined): void {
  if (letGo !== undefined) letGo()
  else if (reason !== undefined) onLost(reason)
}

function refusal({ path, staleMs }: Holding, { code, message, syscall }: LeaseReply & { kind: 'refused' }): Error {
  if (code === 'ELOCKED') {
    return new LogqError('LOGQ_BUSY', `'${path}' is held by another process`, {
      hint: `it is free ${staleMs / 1000} s after that process stopped`,
    })
  }
  return Object.assign(new Error(message), { code, syscall, path })
}
