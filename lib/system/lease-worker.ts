/**
 * The thread that takes and refreshes the leases of a process (node-leases.ts starts it). This is the only importer of proper-lockfile.
 *
 * Everything here is synchronous: proper-lockfile's `lockSync` also refreshes with synchronous calls, from a timer of this thread, so
 * nothing waits for the main thread or for the thread pool. Its hooks for the end of the process do nothing in a thread: signals are not
 * delivered here, and the thread is ended without them.
 */
import * as fs from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { lockSync } from 'proper-lockfile'

/** What the thread is asked. `id` is the main thread's name for a lease, never used twice. */
export type LeaseRequest =
  | { readonly kind: 'hold'; readonly id: number; readonly path: string; readonly staleMs: number }
  | { readonly kind: 'release'; readonly id: number }

/** `refused` carries the code of a system error or of proper-lockfile (`ELOCKED`: held by another). */
export type LeaseReply =
  | { readonly kind: 'held' | 'released'; readonly id: number }
  | {
      readonly kind: 'refused'
      readonly id: number
      readonly message: string
      readonly code: string | undefined
      readonly syscall: string | undefined
    }
  | { readonly kind: 'lost'; readonly id: number; readonly reason: string }

/** How to let go of a lease that is held. */
const releases = new Map<number, () => void>()

parentPort?.on('message', (request: LeaseRequest) => {
  if (request.kind === 'hold') hold(request)
  else release(request.id)
})

function reply(message: LeaseReply): void {
  parentPort?.postMessage(message)
}

function hold({ id, path, staleMs }: { id: number; path: string; staleMs: number }): void {
  try {
    const letGo = lockSync(path, {
      lockfilePath: path,
      realpath: false,
      retries: 0,
      stale: staleMs,
      update: staleMs / 4,
      fs: cautiousFiles(),
      onCompromised: (error) => {
        releases.delete(id)
        reply({ kind: 'lost', id, reason: whyLost(path, error) })
      },
    })
    releases.set(id, letGo)
    reply({ kind: 'held', id })
  } catch (error) {
    const { message, code, syscall } = error as NodeJS.ErrnoException
    reply({ kind: 'refused', id, message, code, syscall })
  }
}

function release(id: number): void {
  const letGo = releases.get(id)
  releases.delete(id)
  try {
    letGo?.()
  } catch {
    // The directory stays and grows old.
  }
  reply({ kind: 'released', id })
}

/**
 * The calls that proper-lockfile makes, for one lease. It would remove whatever stands at the path, by release and when it takes over
 * an old directory; here only the directory that it looked at last is removed, as it was then.
 */
function cautiousFiles(): object {
  let seen: fs.Stats | undefined
  const look = (path: string): fs.Stats => (seen = fs.lstatSync(path))
  return {
    mkdirSync(path: string): void {
      fs.mkdirSync(path, 0o700)
      look(path)
    },
    statSync: look,
    utimesSync(path: string, accessed: Date, modified: Date): void {
      fs.utimesSync(path, accessed, modified)
      look(path)
    },
    rmdirSync(path: string): void {
      const { ino, mtimeMs } = fs.lstatSync(path)
      if (ino !== seen?.ino || mtimeMs !== seen.mtimeMs) throw Object.assign(new Error('taken by another'), { code: 'ELOCKED' })
      fs.rmdirSync(path)
    },
  }
}

/** From what proper-lockfile found when it was to refresh: a time that it did not set, or a system error. */
function whyLost(path: string, error: Error): string {
  if (!('syscall' in error)) return `'${path}' was taken over by another process`
  if (error.message.startsWith('ENOENT')) return `'${path}' was removed`
  return `'${path}' cannot be refreshed: ${error.message}`
}
