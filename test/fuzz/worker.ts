/** Fuzzes one target in a thread of its own until it is told to stop, led by coverage. main.ts watches it: it may hang. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { createSeededRandom } from '../helpers/seeded-random.js'
import { readCorpus } from './corpus.js'
import { Coverage } from './coverage.js'
import { mutate } from './mutate.js'
import { firstLine, minimised, problemOf } from './run-case.js'
import type { FuzzTarget } from './target.js'
import { targets } from './targets.js'

export interface FuzzJob {
  readonly target: string
  readonly seed: number
  /** Counted from when everything is loaded. */
  readonly forMs: number
  /** Where inputs that reach something new are kept from run to run. */
  readonly scratch: string
  /** The number of the case, its length and its bytes: what main.ts reports when nothing comes any more. */
  readonly current: SharedArrayBuffer
}

export type FuzzNews =
  | { readonly kind: 'found'; readonly problem: string; readonly input: Uint8Array }
  | { readonly kind: 'end'; readonly caseCount: number; readonly blockCount: number; readonly keptCount: number }

const BATCH_CASES = 40
/** Every so many cases one is made long, to see whether its time grows faster than it does. */
const LONG_EVERY = 200
const MOST_FOUND = 10

const job = workerData as FuzzJob
const counter = new Int32Array(job.current, 0, 2)
const shown = new Uint8Array(job.current, 8)

async function fuzz(target: FuzzTarget): Promise<void> {
  await target.prepare?.()
  const coverage = new Coverage()
  const random = createSeededRandom(job.seed)
  const words = target.words ?? []
  const found = new Set<string>()
  const known: Uint8Array[] = [...readCorpus(target.name).map(({ input }) => input), ...readScratch()].filter(
    ({ length }) => length <= 1 << 14,
  )
  const untilMs = Date.now() + job.forMs
  let caseCount = 0
  let queue = [...known, ...sample(40)]
  while (Date.now() < untilMs && found.size < MOST_FOUND) {
    const batch = queue.splice(0, BATCH_CASES)
    for (const input of batch) await run(input)
    await keepWhatIsNew(batch)
    if (queue.length > 0) continue
    queue = random.chance(0.1) ? sample(BATCH_CASES) : []
    while (queue.length < BATCH_CASES) queue.push(mutate(pick(), known, words, random))
    if (caseCount % LONG_EVERY < BATCH_CASES) await runLong()
  }
  tell({ kind: 'end', caseCount, blockCount: coverage.blockCount, keptCount: known.length })

  function sample(count: number): Uint8Array[] {
    return fc.sample(target.inputs, { seed: random.integer(2 ** 31), numRuns: count })
  }

  function pick(): Uint8Array {
    return known[random.integer(known.length)] ?? new Uint8Array(0)
  }

  async function run(input: Uint8Array): Promise<void> {
    caseCount += 1
    show(input)
    const problem = await problemOf(target, input)
    if (problem === undefined || found.has(kindOf(problem))) return
    found.add(kindOf(problem))
    tell({ kind: 'found', problem, input: input.length > 1 << 14 ? input : await minimised(target, input, problem) })
  }

  async function keepWhatIsNew(batch: readonly Uint8Array[]): Promise<void> {
    if (coverage.take().length === 0) return
    for (const input of batch) {
      await problemOf(target, input)
      const fresh = coverage.take()
      if (fresh.length === 0) continue
      coverage.note(fresh)
      known.push(input)
      const name = createHash('sha1').update(input).digest('hex').slice(0, 16)
      writeFileSync(join(job.scratch, name), input)
    }
    // What ran in other parts, such as the harness of a target, is not asked for again.
    coverage.note(coverage.take())
  }

  /** The same part over and over: four times as much may take about four times as long. */
  async function runLong(): Promise<void> {
    const start = pick()
    const at = random.integer(start.length + 1)
    const unit = Buffer.from(start.subarray(at, at + 1 + random.integer(30)))
    if (unit.length === 0) return
    const long = (bytes: number) => {
      const parts = Array.from({ length: Math.ceil(bytes / unit.length) }, () => unit)
      return Buffer.concat([start.subarray(0, at), ...parts, start.subarray(at)])
    }
    const shortMs = await timeOf(long(1 << 15))
    const input = long(1 << 17)
    const longMs = await timeOf(input)
    const problem = `faster than its input: ${longMs} ms for ${input.length} bytes, ${shortMs} for a quarter`
    if (longMs < 400 || longMs < 10 * shortMs || found.has(kindOf(problem))) return
    found.add(kindOf(problem))
    tell({ kind: 'found', problem: `${problem}, repeated: ${JSON.stringify(unit.toString())} at ${at}`, input: start })
  }

  async function timeOf(input: Uint8Array): Promise<number> {
    show(input)
    const started = process.cpuUsage()
    await problemOf(target, input)
    const { user, system } = process.cpuUsage(started)
    return (user + system) / 1000
  }
}

function kindOf(problem: string): string {
  return firstLine(problem).replaceAll(/\d+/g, 'N').slice(0, 50)
}

function readScratch(): Uint8Array[] {
  if (!existsSync(job.scratch)) mkdirSync(job.scratch, { recursive: true })
  return readdirSync(job.scratch).map((name) => readFileSync(join(job.scratch, name)))
}

function show(input: Uint8Array): void {
  const length = Math.min(input.length, shown.length)
  shown.set(input.subarray(0, length))
  counter[1] = length
  Atomics.add(counter, 0, 1)
}

function tell(news: FuzzNews): void {
  parentPort?.postMessage(news)
}

const target = targets.find(({ name }) => name === job.target)
if (target === undefined) throw new Error(`there is no target '${job.target}'`)
await fuzz(target)
