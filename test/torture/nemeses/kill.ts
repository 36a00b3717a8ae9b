/** kill -9, now and then, of any process. */
import { anyPrey, pause, type Nemesis } from './nemesis.js'

export const kill: Nemesis = {
  name: 'kill',
  missing: () => undefined,
  async act(world, dice, over, tell) {
    while (!over.aborted) {
      await pause(dice.between(100, 1200), over)
      const victim = anyPrey(world, dice)
      if (victim === undefined) continue
      victim.signal('SIGKILL')
      tell(`killed ${victim.name}`)
    }
  },
}
