/** One run: topics, clients and nemeses by the plan; then heal, wait, a last look, and the verdict of the checker. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { check, extentOf, type Extent, type Violation } from './checker/check.js'
import { clients } from './clients/clients.js'
import { createTopic } from './clients/topics.js'
import { diceOf } from './dice.js'
import { GroupWatch } from './group-watch.js'
import { History, readHistory } from './history.js'
import { lastLook } from './last-look.js'
import { SMALL_DISK_SIZE } from './nemeses/full-disk.js'
import { nemeses } from './nemeses/nemeses.js'
import { planOf, type Plan } from './plan.js'
import { World } from './world.js'

export interface RunOptions {
  readonly seed: number
  readonly totalMs: number
  readonly disk: Plan['disk'] | undefined
  /** An empty directory. */
  readonly directory: string
  readonly program: string
  readonly prelude: string
  readonly isAlone: boolean
  /** Only these nemeses; undefined for all. */
  readonly only: readonly string[] | undefined
  /** Only these clients; undefined for all. */
  readonly onlyClients: readonly string[] | undefined
  readonly say: (line: string) => void
}

export interface Outcome {
  readonly violations: readonly Violation[]
  readonly extent: Extent
  readonly historyPath: string
  readonly store: string
}

/** What processes that are not endless may take to end after everything was healed. */
const DRAIN_MS = 90_000
const SAMPLE_MS = 1000
const WATCH_MS = 250

export async function runTorture(options: RunOptions): Promise<Outcome> {
  const { seed, totalMs, directory, program, prelude, isAlone, say } = options
  const wanted = nemeses.filter(({ name }) => options.only?.includes(name) ?? true)
  // The disk is chosen by the seed before it is known what can be done on it.
  const { disk } = planOf(seed, totalMs, [], options.disk)
  const smallDisk = disk === 'small' && isAlone ? mountSmallDisk(join(directory, 'disk')) : undefined
  const missing = new Map(wanted.map(({ name, missing: why }) => [name, why({ smallDisk, isAlone })]))
  const usable = [...missing].filter(([, reason]) => reason === undefined).map(([name]) => name)
  const left = [...missing].flatMap(([name, reason]) => (reason === undefined ? [] : [`${name} (${reason})`]))
  if (left.length > 0) say(`left out: ${left.join(', ')}`)
  const plan = planOf(seed, totalMs, usable, disk)
  const historyPath = join(directory, 'history.jsonl')
  const history = new History(historyPath)
  const store = join(smallDisk ?? directory, 'store')
  const world = new World({ plan, history, directory, store, program, prelude, smallDisk, isAlone })
  const watch = new GroupWatch(world)
  const watching = setInterval(() => watch.look(), WATCH_MS)
  try {
    await disturbedPart(world, say, options.onlyClients)
    await lastLook(world)
  } finally {
    clearInterval(watching)
    watch.look()
    for (const one of world.running) one.signal('SIGKILL')
    history.flush()
  }
  const events = readHistory(historyPath)
  return { violations: check(events), extent: extentOf(events), historyPath, store }
}

async function disturbedPart(world: World, say: (line: string) => void, only: RunOptions['onlyClients']): Promise<void> {
  const { plan } = world.setting
  for (const topic of Object.values(plan.topics)) {
    const end = await createTopic(world, world.nameFor('driver'), world.dice('driver'), topic)
    if (end.status !== 0) throw new Error(`cannot create '${topic.name}': ${end.stderr}`)
  }
  const failures: unknown[] = []
  const chosen = clients.filter(({ name }) => only?.includes(name) ?? true)
  const actors = chosen.flatMap((client) =>
    Array.from({ length: client.count }, async (_, n) => {
      const actor = `${client.name}${n + 1}`
      const dice = world.dice(actor)
      try {
        while (!world.isStopping) {
          await client.work(world, actor, dice)
          await world.sleep(dice.below(2 * client.pauseMs))
        }
      } catch (error) {
        failures.push(error)
        world.stop.abort()
      }
    }),
  )
  const sampler = sample(world)
  for (const [n, phase] of plan.phases.entries()) {
    if (world.isStopping) break
    say(
      `phase ${n + 1} of ${plan.phases.length}, ${Math.round(phase.durationMs / 1000)} s: ${phase.nemeses.join(', ') || 'undisturbed'}`,
    )
    await runPhase(world, phase.nemeses, phase.durationMs, n)
  }
  world.stop.abort()
  world.history.add({ process: 'driver', operation: 'heal', type: 'ok' })
  await drain(world)
  // Followers and members of groups go on; their actors end with them.
  await Promise.race([Promise.all(actors), noneButEndless(world)])
  clearInterval(sampler)
  for (const { name, finish } of nemeses) {
    if (!plan.phases.some((phase) => phase.nemeses.includes(name))) continue
    await finish?.(world, world.dice(name), (what) => {
      world.history.add({ process: name, operation: 'nemesis', type: 'info', what })
    })
  }
  if (failures.length > 0) throw failures[0]
}

async function runPhase(world: World, names: readonly string[], durationMs: number, phase: number): Promise<void> {
  const over = new AbortController()
  const acts = nemeses
    .filter(({ name }) => names.includes(name))
    .map(async ({ name, act }) => {
      const event = { process: name, operation: 'nemesis' } as const
      world.history.add({ ...event, type: 'invoke' })
      await act(world, diceOf(world.setting.plan.seed, `${name} ${phase}`), over.signal, (what) => {
        world.history.add({ ...event, type: 'info', what })
      })
      world.history.add({ ...event, type: 'ok' })
    })
  await world.sleep(durationMs)
  over.abort()
  await Promise.all(acts)
}

/** Waits until what was begun has ended. What does not end hangs: where, is noted, and it is killed. */
async function drain(world: World): Promise<void> {
  const untilMs = performance.now() + DRAIN_MS
  for (;;) {
    const left = finite(world)
    if (left.length === 0) return
    // Whoever was stopped by a nemesis that had no time to let it go on.
    for (const one of world.running) one.signal('SIGCONT')
    if (performance.now() > untilMs) {
      for (const { name, pid, args } of left) {
        const stderr = ['wchan', 'status', 'stack'].map((file) => `${file}: ${readProc(pid, file).slice(0, 300)}`).join('\n')
        world.history.add({ process: name, operation: 'process', type: 'fail', command: args.join(' '), stderr })
      }
      for (const one of left) one.signal('SIGKILL')
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function finite(world: World): { name: string; pid: number; args: readonly string[]; signal(name: NodeJS.Signals): void }[] {
  return [...world.running].filter((one) => !world.endless.has(one))
}

/** A client that was about to begin something when everything stopped still begins it. */
async function noneButEndless(world: World): Promise<void> {
  for (let quietRounds = 0; quietRounds < 10;) {
    quietRounds = finite(world).length === 0 ? quietRounds + 1 : 0
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Memory and descriptors of all processes, noted when they are larger than before. */
function sample(world: World): NodeJS.Timeout {
  const largest = new Map<string, { rssBytes: number; descriptors: number }>()
  return setInterval(() => {
    for (const { name, pid } of world.running) {
      const rssBytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(readProc(pid, 'status'))?.[1] ?? 0) * 1024
      const descriptors = countDescriptors(pid)
      const before = largest.get(name) ?? { rssBytes: 0, descriptors: 0 }
      if (rssBytes < before.rssBytes * 1.2 && descriptors <= before.descriptors) continue
      largest.set(name, { rssBytes, descriptors })
      world.history.add({ process: name, operation: 'resources', type: 'info', rssBytes, descriptors })
    }
  }, SAMPLE_MS)
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

function countDescriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0
  }
}

function mountSmallDisk(directory: string): string | undefined {
  mkdirSync(directory)
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK_SIZE},mode=0700`, 'none', directory], {
    stdio: 'ignore',
  })
  return status === 0 ? directory : undefined
}
