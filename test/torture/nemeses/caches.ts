/** Indexes are deleted while they are used: offset, time and dedupe indexes are caches. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { list } from '../world.js'
import { pause, type Nemesis } from './nemesis.js'

export const caches: Nemesis = {
  name: 'caches',
  missing: () => undefined,
  async act(world, dice, over, tell) {
    while (!over.aborted) {
      await pause(dice.between(200, 1500), over)
      const topic = dice.pick(Object.values(world.setting.plan.topics)).name
      const partitions = world.partitionsOf(topic)
      if (partitions.length === 0) continue
      const directory = `${topic}-${dice.pick(partitions)}`
      const share = dice.pick([0.1, 0.5, 1])
      const names = list(join(world.store, directory)).filter((name) => /\.(time)?index$|^dedupe-/.test(name))
      const gone = names.filter(() => dice.chance(share))
      // Told before: whoever finds one missing must not be the first to know.
      tell(`caches: removes ${gone.length} of ${directory}`)
      for (const name of gone) rmSync(join(world.store, directory, name), { force: true })
    }
  },
}
