/** `tail -f` for as long as the run lasts; one that was killed is started again. Its end is the driver's business (run.ts). */
import type { LogqProcess } from '../logq-process.js'
import type { World } from '../world.js'
import type { Client } from './client.js'
import { startReading, type Form } from './read.js'

/** Those that follow now, and how far each has come, by partition. */
export interface Following {
  readonly started: LogqProcess
  readonly topic: string
  readonly reached: Map<number, number>
}

const followings = new WeakMap<World, Set<Following>>()

export function followingsOf(world: World): Set<Following> {
  const known = followings.get(world) ?? new Set()
  followings.set(world, known)
  return known
}

export const follower: Client = {
  name: 'follower',
  count: 3,
  pauseMs: 100,
  async work(world, actor, dice) {
    const { roll, keys, volatile, once, latest } = world.setting.plan.topics
    const topic = dice.pick([roll, keys, keys, volatile, once, latest]).name
    const isFromStart = dice.chance(0.7)
    const name = world.nameFor(actor)
    const reached = new Map<number, number>()
    const args = ['tail', '-f', topic, ...(isFromStart ? ['-o', 'start'] : ['-n', '0'])]
    const form = dice.pick<Form>(['template', 'json'])
    const started = await startReading(
      world,
      name,
      dice,
      { topic, args, kind: 'follow', form, ...(isFromStart ? { from: 0 } : {}) },
      {
        isEndless: true,
        onPlace: (partition, offset) => reached.set(partition, offset),
      },
    )
    const following = { started, topic, reached }
    followingsOf(world).add(following)
    await started.ended
    followingsOf(world).delete(following)
  },
}
