/**
 * Runs something on a disk in memory and lets it die before each of its changes of the disk, one run for each; after each death
 * looks at what is left, once as after a SIGKILL and several times as after a power cut. The last death comes after the end.
 */
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { CrashSignal } from '../helpers/faulty-file-system.js'
import type { PowerCut } from '../helpers/memory-disk.js'

export interface Scenario {
  /** Makes what has to be there before. */
  readonly prepare: (system: FakeSystem) => Promise<void> | void
  /** What dies on the way, in a process of its own. */
  readonly run: (system: FakeSystem) => Promise<void>
  /** Looks at the disk after a death; `rebooted` after a power cut. Throws when something is wrong. */
  readonly check: (after: FakeSystem, death: Death) => Promise<void>
}

export interface Death {
  /** In words, for messages. */
  readonly how: string
  readonly rebooted: boolean
  /** The failpoints that the run passed, in order. */
  readonly passed: readonly string[]
}

/** What a power cut leaves of what was not synced, by a name for messages. */
type Cuts = Readonly<Record<string, PowerCut>>

/** Nothing, everything, the data without what speaks of them, and what speaks of them without the data; then any part. */
function powerCuts(randomSeeds: number): Cuts {
  const isLog = (name: string) => name.endsWith('.log')
  const cuts: Record<string, PowerCut> = {
    'nothing left': { seed: 1, keepUnsynced: 'none' },
    'everything left': { seed: 1, keepUnsynced: 'all' },
    'only logs left': { seed: 1, keepUnsynced: (name) => (isLog(name) ? 'all' : 'none') },
    'all but logs left': { seed: 1, keepUnsynced: (name) => (isLog(name) ? 'none' : 'all') },
  }
  for (let seed = 1; seed <= randomSeeds; seed += 1) cuts[`seed ${seed}`] = { seed, keepUnsynced: 'random' }
  return cuts
}

/** CRASH_SEEDS=N tries more of what a power cut may leave. */
export const CRASH_SEEDS = Number(process.env['CRASH_SEEDS'] ?? 2)

/**
 * Returns the number of deaths, and for each failpoint how many deaths came right behind it ('' before the first). A power cut leaves
 * any part of what was not synced as often as `randomSeeds` says.
 */
export async function crashEverywhere(
  scenario: Scenario,
  randomSeeds = CRASH_SEEDS,
): Promise<{ deaths: number; behind: Map<string, number> }> {
  const behind = new Map<string, number>()
  const cuts = powerCuts(randomSeeds)
  for (let n = 1; ; n += 1) {
    const { died, passed } = await crashOnce(scenario, `before change ${n}`, cuts, (system) => {
      system.fs.crashBefore(n)
    })
    if (!died) return { deaths: n - 1, behind }
    const last = passed.at(-1) ?? ''
    behind.set(last, (behind.get(last) ?? 0) + 1)
  }
}

/** Dies at a failpoint, the n-th time that it is passed. Throws when it never is. */
export async function crashAt(scenario: Scenario, failpoint: string, nth = 1): Promise<void> {
  let passed = 0
  const { died } = await crashOnce(scenario, `at ${failpoint}`, powerCuts(CRASH_SEEDS), (system) => {
    system.failpoints.set(failpoint, () => {
      passed += 1
      if (passed === nth) die(system)
    })
  })
  if (!died) throw new Error(`${failpoint} was not passed ${nth} times`)
}

function die(system: FakeSystem): never {
  system.fs.crashBefore(system.fs.mutations + 1)
  throw new CrashSignal(system.fs.mutations + 1)
}

async function crashOnce(
  scenario: Scenario,
  where: string,
  cuts: Cuts,
  arm: (system: FakeSystem) => void,
): Promise<{ died: boolean; passed: readonly string[] }> {
  const first = createFakeSystem()
  await scenario.prepare(first)
  const alive = createFakeSystem({ disk: first.disk, clock: first.clock, pid: 2000, seed: 2 })
  const failpoint = (name: string) => {
    // Somebody caught the first signal of death; no more steps are taken.
    if (alive.fs.hasCrashed) throw new CrashSignal(alive.fs.mutations)
    alive.failpoint(name)
  }
  const dying: FakeSystem = { ...alive, failpoint }
  arm(dying)
  alive.disk.syncsTakeTime = true
  let died = false
  try {
    await scenario.run(dying)
  } catch (error) {
    // What fails because the process is dead may have been taken for another error on the way.
    if (!(error instanceof CrashSignal) && !dying.fs.hasCrashed) throw error
    died = true
  }
  died ||= dying.fs.hasCrashed
  const passed = dying.passedFailpoints
  const inspect = async (after: FakeSystem, how: string, rebooted: boolean) => {
    try {
      await scenario.check(after, { how, rebooted, passed })
    } catch (error) {
      throw new Error(`${where}, ${how}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  const bootId = dying.self.bootId.map((byte) => byte ^ 0xff)
  for (const [name, cut] of Object.entries(cuts)) {
    const disk = dying.disk.afterPowerCut(cut)
    await inspect(createFakeSystem({ disk, clock: dying.clock, pid: 3000, seed: 3, bootId }), `power cut, ${name}`, true)
  }
  dying.process.kill()
  await inspect(createFakeSystem({ disk: dying.disk, clock: dying.clock, pid: 3000, seed: 3 }), 'kill', false)
  return { died, passed }
}
