/** What disturbs a run. Each kind is a file here, and a line of nemeses.ts. */
import type { Dice } from '../dice.js'
import type { Setting, World } from '../world.js'

export interface Nemesis {
  readonly name: string
  /** Why it cannot act on this machine, in a few words; undefined when it can. */
  readonly missing: (setting: Pick<Setting, 'smallDisk' | 'isAlone'>) => string | undefined
  /** Acts until `over`, and has put back what it changed when it returns. `tell` writes into the history. */
  readonly act: (world: World, dice: Dice, over: AbortSignal, tell: Tell) => Promise<void>
  /** When it was in the plan: what it has to have done once all clients have ended, however slow the machine was. */
  readonly finish?: (world: World, dice: Dice, tell: Tell) => Promise<void>
}

export type Tell = (what: string) => void

/** Waits; no longer than until the phase is over. */
export async function pause(ms: number, over: AbortSignal): Promise<void> {
  if (over.aborted) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      over.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    over.addEventListener('abort', done)
  })
}

/** One of the processes that may be met, or undefined when there is none. */
export function anyPrey(
  world: World,
  dice: Dice,
): { signal(name: NodeJS.Signals): void; name: string; pid: number } | undefined {
  const prey = [...world.prey]
  return prey.length === 0 ? undefined : dice.pick(prey)
}
