/**
 * A process that takes a lease through the library and does what its standard input says, line by line; what happens it prints.
 *
 *     node lease-holder.js PATH STALE_MS
 *
 * Lines are commands, see below; after each but the last comes `done`. LEASE_WORKER puts another file in the place of the library's thread.
 */
import { readFileSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { createInterface } from 'node:readline'
import type { Worker } from 'node:worker_threads'
import { isLogqError, systemErrorCode } from '../../lib/errors.js'
import type { Lease } from '../../lib/system/lease.js'
import { createNodeSystem } from '../../lib/system/node-system.js'

export type HolderCommand =
  | 'release'
  | 'stop-then-release' // SIGSTOP; after SIGCONT there is no time to learn what happened
  | `block ${number}` // for so many ms the main thread does nothing
  | `block-pool ${string}` // every thread of the pool waits for a writer of that FIFO
  | 'end-thread'
  | `handle ${NodeJS.Signals}`
  | 'flags' // of standard output, as /proc has them
  | 'leave' // reads no further, with the lease held

const [path = '', staleMs = '2000'] = process.argv.slice(2)
const say = (line: string): void => void writeSync(1, `${line}\n`)

const threads = createRequire(import.meta.url)('node:worker_threads') as { Worker: typeof Worker }
const started: Worker[] = []
threads.Worker = class extends threads.Worker {
  constructor(file: string | URL, options?: ConstructorParameters<typeof Worker>[1]) {
    super(process.env['LEASE_WORKER'] ?? file, options)
    started.push(this)
  }
}
syncBuiltinESMExports()

let lease: Lease
try {
  lease = await createNodeSystem().leases.hold(path, {
    staleMs: Number(staleMs),
    onLost: (reason) => {
      say(`lost: ${reason}`)
    },
  })
} catch (error) {
  say(`failed: ${isLogqError(error) ? error.code : (systemErrorCode(error) ?? '')} ${String(error)}`)
  process.exit(1)
}
say('held')

for await (const line of createInterface({ input: process.stdin })) {
  const [command = '', argument = ''] = line.split(' ')
  if (command === 'leave') break
  switch (command) {
    case 'release':
      await lease.release()
      break
    case 'stop-then-release':
      process.kill(process.pid, 'SIGSTOP')
      await lease.release()
      break
    case 'block':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(argument))
      break
    case 'block-pool':
      for (let i = 0; i < 4; i += 1) void open(argument, 'r')
      break
    case 'end-thread':
      await started[0]?.terminate()
      break
    case 'handle':
      process.on(argument as NodeJS.Signals, (name) => {
        say(`signal ${name}`)
      })
      break
    case 'flags':
      say(/flags:.*/.exec(readFileSync('/proc/self/fdinfo/1', 'utf8'))?.[0] ?? '')
      break
  }
  say('done')
}
process.stdin.destroy()
