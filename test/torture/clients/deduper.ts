/**
 * A list of values that is sent until it was accepted, with --dedupe-by, sometimes by two processes at once: each value is stored
 * once for each partition that it goes to.
 */
import type { Client } from './client.js'
import { once } from './one-shot.js'
import { Send, type SendPlan } from './send.js'

/** Clocks jump by years: a list that is sent again is as good as new after the usual window. */
const WINDOW = '36500d'

export const deduper: Client = {
  name: 'deduper',
  count: 1,
  pauseMs: 500,
  async work(world, actor, dice) {
    const list = world.nameFor(`${actor}list`)
    const values = Array.from({ length: dice.between(5, 60) }, (_, n) => `${list}-${n}`)
    const { name: topic } = world.setting.plan.topics.once
    const options = ['--dedupe-by', 'value', '--dedupe-window', WINDOW, '--batch-bytes', dice.pick(['200', '2000', '256KiB'])]
    const plan: SendPlan = { topic, options, acks: 1, printsOffsets: dice.chance(0.5), form: 'value', dedupe: true }
    const send = async (): Promise<boolean> => {
      const end = await Send.run(world, world.nameFor(actor), dice, plan, once(values))
      return end.status === 0
    }
    const twins = dice.chance(0.3) ? 2 : 1
    for (let round = 0; round < 50; round += 1) {
      const done = await Promise.all(Array.from({ length: twins }, send))
      if (done.includes(true)) return
      await world.sleep(200)
    }
  },
}
