/** Writes and syncs of one process take long: strace delays them. */
import { spawn, spawnSync } from 'node:child_process'
import { anyPrey, pause, type Nemesis } from './nemesis.js'

export const slowDisk: Nemesis = {
  name: 'slow-disk',
  missing: () =>
    spawnSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0
      ? undefined
      : 'strace is missing, or refused',
  async act(world, dice, over, tell) {
    while (!over.aborted) {
      await pause(dice.between(200, 1000), over)
      const victim = anyPrey(world, dice)
      if (victim === undefined) continue
      const [syncMs, writeMs] = [dice.between(20, 900), dice.pick([0, 5, 60])]
      tell(`${victim.name} syncs in ${syncMs} ms and writes in ${writeMs} ms`)
      const tracer = spawn(
        'strace',
        [
          ...['-f', '-qqq', '-o', '/dev/null', '-p', String(victim.pid), '-e', 'trace=fdatasync,pwrite64'],
          ...['-e', `inject=fdatasync:delay_enter=${syncMs}ms`, '-e', `inject=pwrite64:delay_enter=${writeMs}ms`],
        ],
        { stdio: 'ignore' },
      )
      const ended = new Promise((resolve) => {
        tracer.on('exit', resolve)
        tracer.on('error', resolve)
      })
      await pause(dice.between(500, 4000), over)
      // It lets go of the process, which goes on.
      tracer.kill('SIGINT')
      await ended
    }
  },
}
