/**
 * npm run fuzz -- [TARGET…] [--minutes N] [--seed N]
 *
 * Fuzzes each target for its share of the time, in a thread that is watched: an input on which nothing comes back, or memory runs out,
 * is found too. What is found is printed with the line to add to the corpus; the status is 1. Inputs that reach something new are kept
 * in a directory outside the tree (FUZZ_CORPUS, else in the temporary directory), from which the next run goes on.
 */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { corpusLine } from './corpus.js'
import { firstLine } from './run-case.js'
import { targets } from './targets.js'
import type { FuzzJob, FuzzNews } from './worker.js'

const SHOWN_BYTES = 1 << 18
/** Of processor time: others may be using the machine. What waits for something that does not come takes none, and is given longer. */
const HANG_MS = 30_000
const STILL_MS = 10 * HANG_MS
const MOST_MEMORY_BYTES = 2 ** 31

const { names, minutes, seed } = argumentsOf(process.argv.slice(2))
const scratch = process.env['FUZZ_CORPUS'] ?? join(tmpdir(), 'logq-fuzz')
let foundCount = 0
console.log(`seed ${seed}; ${minutes} minutes for ${names.length} targets; kept in ${scratch}`)
for (const name of names) await fuzz(name, (minutes * 60_000) / names.length)
if (foundCount > 0)
  console.log(`${foundCount} found: put each right, and add its line to test/fuzz/corpus/TARGET.jsonl with why`)
else if (process.env['FUZZ_CORPUS'] === undefined && process.env['CI'] !== undefined) process.exitCode = foundCount > 0 ? 1 : 0

function argumentsOf(words: readonly string[]): { names: string[]; minutes: number; seed: number } {
  const known = targets.map((target) => target.name)
  const names: string[] = []
  const numbers = { '--minutes': 5, '--seed': Date.now() % 2 ** 31 }
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (word === '--minutes' || word === '--seed') numbers[word] = Number(words[(at += 1)])
    else if (known.includes(word)) names.push(word)
    else throw new Error(`'${word}' is none of ${known.join(', ')}, --minutes N, --seed N`)
  }
  return { names: names.length > 0 ? names : known, minutes: numbers['--minutes'], seed: numbers['--seed'] }
}

/** Goes on with a new thread after one that had to be ended. */
async function fuzz(name: string, ms: number): Promise<void> {
  const untilMs = Date.now() + ms
  for (let turn = 0; turn === 0 || (Date.now() < untilMs && turn < 5); turn += 1) {
    const ended = await watched({
      target: name,
      seed: seed + turn,
      forMs: Math.max(1_000, untilMs - Date.now()),
      scratch: join(scratch, name),
      current: new SharedArrayBuffer(8 + SHOWN_BYTES),
    })
    if (ended) return
  }
}

/** True when it ended by itself. */
function watched(job: FuzzJob): Promise<boolean> {
  const worker = new Worker(new URL('worker.js', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: 768 },
  })
  const counter = new Int32Array(job.current, 0, 2)
  return new Promise((resolve) => {
    let [last, sinceMs, usedMs] = [0, Date.now(), processorMs()]
    const finish = (ended: boolean) => {
      clearInterval(timer)
      void worker.terminate()
      resolve(ended)
    }
    const timer = setInterval(() => {
      const now = Atomics.load(counter, 0)
      if (now !== last) [last, sinceMs, usedMs] = [now, Date.now(), processorMs()]
      const isHung = processorMs() - usedMs > HANG_MS || Date.now() - sinceMs > STILL_MS
      const isHuge = process.memoryUsage.rss() > MOST_MEMORY_BYTES
      if (!isHung && !isHuge) return
      found(
        job.target,
        isHung ? `nothing comes back within ${HANG_MS} ms of processor time` : 'memory above 2 GiB',
        currentOf(job),
      )
      finish(false)
    }, 250)
    worker.on('message', (news: FuzzNews) => {
      if (news.kind === 'found') {
        found(job.target, news.problem, news.input)
        return
      }
      const { caseCount, blockCount, keptCount } = news
      console.log(`${job.target}: ${caseCount} cases, ${blockCount} blocks of code reached, ${keptCount} inputs known`)
      finish(true)
    })
    worker.on('error', (error) => {
      found(job.target, error.stack ?? error.message, currentOf(job))
      finish(false)
    })
  })
}

/** Of all threads. */
function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function currentOf(job: FuzzJob): Uint8Array {
  const length = new Int32Array(job.current, 0, 2)[1] ?? 0
  return new Uint8Array(job.current, 8, length).slice()
}

function found(target: string, problem: string, input: Uint8Array): void {
  foundCount += 1
  console.log(
    `\nFOUND in ${target} (seed ${seed}): ${problem.slice(0, 3000)}\n${corpusLine(firstLine(problem).slice(0, 100), input).slice(0, 4000)}\n`,
  )
}
