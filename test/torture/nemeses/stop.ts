/** SIGSTOP of any process for a while, wherever it is; then SIGCONT, or kill -9. */
import { anyPrey, pause, type Nemesis } from './nemesis.js'

export const stop: Nemesis = {
  name: 'stop',
  missing: () => undefined,
  async act(world, dice, over, tell) {
    while (!over.aborted) {
      await pause(dice.between(100, 1000), over)
      const victim = anyPrey(world, dice)
      if (victim === undefined) continue
      victim.signal('SIGSTOP')
      tell(`stopped ${victim.name}`)
      await pause(dice.between(50, dice.chance(0.2) ? 7000 : 1500), over)
      const signal = dice.chance(0.25) ? 'SIGKILL' : 'SIGCONT'
      victim.signal(signal)
      tell(`${signal === 'SIGKILL' ? 'killed' : 'continued'} ${victim.name}`)
    }
  },
}
