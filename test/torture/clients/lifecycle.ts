/** What cron runs: retain, archive and compact, while others write, read and follow. */
import type { Client } from './client.js'

export const lifecycle: Client = {
  name: 'lifecycle',
  count: 1,
  pauseMs: 600,
  async work(world, actor, dice) {
    const { aged, latest } = world.setting.plan.topics
    const args = dice.pick([
      () => ['retain', aged.name],
      () => ['archive', aged.name, '-z', dice.pick(['none', 'gzip', 'zstd'])],
      () => ['compact', latest.name, ...(dice.chance(0.5) ? ['--include-active'] : [])],
      () => ['compact', latest.name, '--min-dirty', '0', '--memory', '1MiB'],
    ])()
    await (
      await world.start(world.nameFor(actor), args, dice)
    ).ended
  },
}
