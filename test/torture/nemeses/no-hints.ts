/** Few inotify watches, or none: followers that start now have to poll. The limits are those of this run's user namespace. */
import { readFileSync, writeFileSync } from 'node:fs'
import { pause, type Nemesis } from './nemesis.js'

const files = ['/proc/sys/user/max_inotify_watches', '/proc/sys/user/max_inotify_instances'] as const

export const noHints: Nemesis = {
  name: 'no-hints',
  missing: ({ isAlone }) => (isAlone ? undefined : 'there is no user namespace for it'),
  async act(world, dice, over, tell) {
    const before = files.map((file) => readFileSync(file, 'utf8'))
    try {
      while (!over.aborted) {
        const limits = [dice.pick([0, 1, 3, 100]), dice.pick([0, 1, 100])]
        tell(`${limits.join(' and ')} inotify watches and instances`)
        for (const [n, file] of files.entries()) writeFileSync(file, `${limits[n] ?? 0}`)
        // One that is started anew meets the limits.
        const followers = [...world.prey].filter(({ args }) => args.includes('-f'))
        if (followers.length > 0) dice.pick(followers).signal('SIGKILL')
        await pause(dice.between(1000, 4000), over)
      }
    } finally {
      for (const [n, file] of files.entries()) writeFileSync(file, before[n] ?? '')
    }
  },
}
