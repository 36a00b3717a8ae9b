/** `echo … | logq produce` in a loop, as shell scripts have it. */
import type { Client } from './client.js'
import { sendPlan } from './producer.js'
import { Send } from './send.js'

export const oneShot: Client = {
  name: 'oneshot',
  count: 1,
  pauseMs: 100,
  async work(world, actor, dice) {
    const plan = sendPlan(world, dice)
    const rounds = dice.between(1, 5)
    for (let round = 0; round < rounds && !world.isStopping; round += 1) {
      const name = world.nameFor(actor)
      await Send.run(world, name, dice, plan, once([`${name}-0`]))
    }
  },
}

export async function* once(values: readonly string[]): AsyncGenerator<readonly string[]> {
  yield values
}
