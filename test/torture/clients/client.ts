/** What uses the program as its users do. Each kind is a file here, and a line of clients.ts. */
import type { Dice } from '../dice.js'
import type { World } from '../world.js'

export interface Client {
  readonly name: string
  /** How many of this kind run at once. */
  readonly count: number
  /** Mean pause between two pieces of work. */
  readonly pauseMs: number
  /**
   * One piece of work: it starts processes under names of `world.nameFor(actor)`, writes into the history what it begins and what comes
   * of it, and ends when they have ended, or soon after `world.isStopping`. It is called again and again.
   */
  work(world: World, actor: string, dice: Dice): Promise<void>
}
